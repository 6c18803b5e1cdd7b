/** `auth import`: finds what other programs sign in with, and takes it over. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { goKeyringItem } from "../../keyring/go-keyring.ts";
import { checkKubeconfigs, kubeconfigPaths, loadKubeconfig } from "../../kubeconfig/file.ts";
import { adoptToken } from "../../providers/studio/adopt.ts";
import { SYSTEM_KEYRING } from "../../sessions/store.ts";
import { findOthers } from "../../sign-in/import/find.ts";
import { type Finding, isOffered, type KeptCredential, loginLineOf } from "../../sign-in/import/found.ts";
import { printable, shellLine } from "../../text.ts";
import { valueOption } from "../complete/declare.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "../context.ts";
import { repeated } from "../repeated.ts";
import { signInAMachine } from "../login/machine.ts";
import { printKeyLocation } from "../notices.ts";
import { listFormat } from "../output/table.ts";
import { agrees } from "../prompt/confirm.ts";
import { keyStoreChoice, readAuthority, wantedSessionName } from "../save-flags.ts";
import { previewRewriting, rewriteEntry, type Rewriting } from "./import-entry.ts";
import { formatFindings, placeOf, serversOf } from "./import-list.ts";
import {
  existingSession,
  sessionFor,
  type SessionInput,
  type SharedSignIn,
  targetFor,
} from "./import-session.ts";

const EXAMPLES = `
Examples:
  datumctl auth import
  datumctl auth import --dry-run
  datumctl auth import --only oidc --yes
  datumctl auth import -o json

It looks at the kubeconfig for entries of kubelogin (kubectl oidc-login), Azure/kubelogin, gke-gcloud-auth-plugin,
Datum's own datumctl and auth-provider; at kubelogin's cache; at what Datum's own datumctl and DataChain keep.
Without a terminal and without --yes it only tells what it found.`;

/** `auth import`. */
export function importCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("import")
    .description("Take over what kubelogin and other programs sign in with")
    .addOption(
      valueOption("nothing", "--only <name>", "only the finding of that name; repeatable").argParser(
        repeated,
      ),
    )
    .option("-y, --yes", "take over all that can be, without asking")
    .option("--dry-run", "show what would change in the kubeconfig, and change nothing")
    .option("--take-over", "use refresh tokens of other programs, which may then have to sign in again")
    .option("--no-take-over", "leave them alone and sign in")
    .addOption(
      valueOption(
        "file",
        "--kubeconfig <path>",
        "file to look at and to change (default: $KUBECONFIG, else ~/.kube/config)",
      ),
    )
    .option("--skip-validation", "rewrite entries without asking their servers")
    .option("--certificate-authority <file>", "PEM file of a private authority to trust at the sign-ins")
    .option("--no-browser", "sign in with a code on another device")
    .option("--browser-command <command>", "program that opens the address")
    .addOption(
      valueOption(
        ["auto", "system", "file"],
        "--keyring <store>",
        "where keys of sessions are kept: auto, system or file",
      ),
    )
    .option("--timeout <duration>", "time limit for each sign-in (default: 5m)")
    .addOption(
      valueOption(
        ["table", "wide", "json", "yaml", "name"],
        "-o, --output <format>",
        "list only, as table, wide, json, yaml or name",
      ),
    )
    .addHelpText("after", EXAMPLES);
  command.action((flags) => runImport(contextOf(command), { ...flags, device: !flags.browser }));
  return command;
}

interface ImportInput extends SessionInput {
  readonly only?: readonly string[] | undefined;
  readonly yes?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly kubeconfig?: string | undefined;
  readonly skipValidation?: true | undefined;
  readonly output?: string | undefined;
}

/**
 * Tells what is found, and takes over what the person agrees to.
 *
 * @throws {AppError} `NOT_FOUND` for a name of `--only`; what signing in and rewriting throw
 */
export async function runImport(cli: CommandContext, input: ImportInput): Promise<void> {
  const format = listFormat(input.output);
  const paths = kubeconfigPaths(input.kubeconfig, cli.env);
  const kubeconfig = await loadKubeconfig(paths);
  const limits = { ...keyringLimits(cli), timeout: LONGEST_LOOK };
  const all = await findOthers({
    env: cli.env,
    now: cli.now,
    kubeconfig,
    sessions: (await cli.store.list()).sessions,
    workingFolder: cli.store.host.workingFolder(),
    keyringItem: (service, account) => goKeyringItem(SYSTEM_KEYRING, service, account, limits),
  });
  const findings = chosen(all, input.only);
  if (input.output !== undefined) return cli.out.text(await formatFindings(findings, format));
  if (findings.length === 0) return cli.out.info("Nothing of other programs was found.");
  cli.out.text(await formatFindings(findings, format));
  const steps = stepsOf(findings.filter(isOffered));
  if (steps.length === 0) return cli.out.info("Nothing of it can be imported.");
  if (input.dryRun) return await preview(cli, steps, paths, input);
  if (!input.yes && !cli.terminal.canAsk) return tellLines(cli, findings);
  if (steps.length > 1 && wantedSessionName(cli) !== undefined) {
    throw new AppError("USAGE", "--profile names one session, and there are several sign-ins to import.", {
      hint: `Import one at a time: ${shellLine(["datumctl", "auth", "import", "--only", nameOf(steps[0])])}`,
    });
  }
  // A file that cannot be written should show before anybody signs in.
  await checkKubeconfigs(paths);
  for (const step of steps) {
    describe(input.yes ? cli.out.info : cli.out.important, step);
    if (input.yes || await agrees(cli, "Import it?")) await take(cli, step, paths, input);
  }
}

/** In milliseconds, for an item of another program. */
const LONGEST_LOOK = 5_000;

function chosen(all: readonly Finding[], only: readonly string[] | undefined): readonly Finding[] {
  if (only === undefined) return all;
  const missing = only.find((name) => !all.some((finding) => finding.name === name));
  if (missing === undefined) return all.filter(({ name }) => only.includes(name));
  throw new AppError("NOT_FOUND", `Nothing called "${printable(missing, 80)}" was found.`, {
    hint: all.length === 0
      ? "Nothing of other programs was found at all."
      : `Found: ${all.map(({ name }) => printable(name, 80)).join(", ")}.`,
  });
}

/** One sign-in, with the findings that it is for; or a credential that is taken as it is. */
type Step =
  | { readonly kind: "sign-in"; readonly shared: SharedSignIn; readonly findings: readonly Finding[] }
  | { readonly kind: "kept"; readonly finding: Finding; readonly kept: KeptCredential };

/** Findings of one issuer, client and person need one sign-in. */
function stepsOf(findings: readonly Finding[]): readonly Step[] {
  const steps = new Map<string, Step>();
  for (const finding of findings) {
    const { tool, name, signIn, tokens, kept } = finding;
    if (kept !== undefined) steps.set(`${tool}\0${name}`, { kind: "kept", finding, kept });
    if (signIn === undefined) continue;
    const { login, clientSecret, authority, email } = signIn;
    const key = JSON.stringify([tool, login, clientSecret, authority, email]);
    const before = steps.get(key);
    const known = before?.kind === "sign-in" ? before : undefined;
    steps.set(key, {
      kind: "sign-in",
      shared: { tool, signIn, tokens: known?.shared.tokens ?? tokens },
      findings: [...known?.findings ?? [], finding],
    });
  }
  return [...steps.values()];
}

function findingsOf(step: Step): readonly Finding[] {
  return step.kind === "kept" ? [step.finding] : step.findings;
}

function nameOf(step: Step | undefined): string {
  return step === undefined ? "NAME" : findingsOf(step)[0]?.name ?? "NAME";
}

/** Says what agreeing to a step would do. */
function describe(tell: (line: string) => void, step: Step): void {
  const findings = findingsOf(step);
  const names = findings.map(({ name }) => printable(name, 100)).join(", ");
  const [first] = findings;
  if (first === undefined) return;
  tell("");
  tell(`${first.tool}: ${names}`);
  if (step.kind === "kept") {
    tell(
      step.kept.kind === "studio"
        ? `  makes a session of the token for ${
          printable(placeOf(first))
        }. A logout of it revokes the token for both.`
        : `  makes a session of the service account's key, which ${first.tool} goes on to use.`,
    );
    return;
  }
  tell(`  signs in at ${printable(placeOf(first))}, unless that is done already`);
  const servers = [...new Set(findings.flatMap(serversOf))];
  if (servers.length > 0) {
    tell(`  rewrites the user entry in the kubeconfig; the session's tokens go to ${servers.join(", ")}`);
  }
  for (const note of new Set(findings.flatMap(({ notes }) => notes))) tell(`  ${note}`);
}

async function take(
  cli: CommandContext,
  step: Step,
  paths: readonly string[],
  input: ImportInput,
): Promise<void> {
  if (step.kind === "kept") return await keep(cli, step.kept, input);
  const session = await sessionFor(cli, step.shared, input);
  for (const finding of step.findings) {
    const rewriting = rewritingOf(finding, paths, input);
    if (rewriting !== undefined) await rewriteEntry(cli, session, rewriting);
  }
}

function rewritingOf(
  { entry, signIn }: Finding,
  paths: readonly string[],
  { kubeconfig, skipValidation }: ImportInput,
): Rewriting | undefined {
  return entry === undefined ? undefined : { entry, token: signIn?.token, paths, kubeconfig, skipValidation };
}

async function preview(
  cli: CommandContext,
  steps: readonly Step[],
  paths: readonly string[],
  input: ImportInput,
): Promise<void> {
  for (const step of steps) {
    if (step.kind === "kept") continue;
    const session = await existingSession(cli, step.shared);
    const target = await targetFor(cli, step.shared.signIn);
    for (const finding of step.findings) {
      const rewriting = rewritingOf(finding, paths, input);
      if (rewriting !== undefined) await previewRewriting(cli, session, target, rewriting);
    }
  }
}

/** Makes a session of a machine's key or of Studio's token; the active session stays the active one. */
async function keep(
  cli: CommandContext,
  kept: KeptCredential,
  { keyring, certificateAuthority }: ImportInput,
): Promise<void> {
  const { store, out } = cli;
  const active = await store.active();
  if (kept.kind === "service-account") {
    const terminal = { ...cli.terminal, canAsk: false, readIn: () => Promise.resolve(kept.keyFile) };
    await signInAMachine({ ...cli, terminal }, { ...kept.login, keyring, certificateAuthority });
  } else {
    const saved = await adoptToken(cli, kept, kept.path, {
      wantedName: wantedSessionName(cli),
      certificateAuthority: certificateAuthority === undefined
        ? undefined
        : await readAuthority(certificateAuthority),
      ...await keyStoreChoice(cli, keyring),
    });
    out.success(`Stored DataChain's token as the session "${saved.session.name}". It was not tested.`);
    printKeyLocation(cli, saved);
    if (active === undefined) await store.activate(saved.session.name);
  }
  if (active !== undefined) await store.activate(active);
}

/** What to type, where nobody can be asked. */
function tellLines({ out }: CommandContext, findings: readonly Finding[]): void {
  out.info("Nothing was changed. To import all that can be: datumctl auth import --yes");
  for (const finding of findings.filter(isOffered)) {
    const { name, signIn } = finding;
    out.info(
      `Only ${printable(name, 100)}: ${shellLine(["datumctl", "auth", "import", "--only", name, "--yes"])}`,
    );
    if (signIn === undefined) continue;
    out.info(`  or sign in by hand: ${loginLineOf(signIn)}`);
    if (signIn.clientSecret !== undefined) {
      out.info("  (- reads the client's secret, which stands in the kubeconfig, from standard input)");
    }
  }
}

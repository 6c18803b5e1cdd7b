/** `use`: chooses, for a folder and all below it, the session, organization and project that commands act as and on. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError, failureOrThrow } from "../errors.ts";
import { printable } from "../text.ts";
import { contextNamed, defaultKubeconfigs, loadKubeconfig } from "../kubeconfig/file.ts";
import { organizationVariable } from "../providers/datum/scope.ts";
import { chooseSession, namedSession } from "../sessions/choose.ts";
import {
  digestOf,
  fileOf,
  folderFileText,
  type FolderNames,
  type FoundFile,
  nearestFile,
  pathIn,
} from "../sessions/folder-file.ts";
import { FOLDER_FILE } from "../sessions/folders-above.ts";
import { workingFolder } from "../sessions/project-folder.ts";
import type { SessionStore } from "../sessions/store.ts";
import { lockTrusted } from "../sessions/trust.ts";
import { realPath } from "../system/files.ts";
import { permissionsOf } from "../system/plain-file.ts";
import { writeFileAtomically } from "../system/replacement.ts";
import { outputOption, valueOption } from "./complete/declare.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { checkNames, fileObject, nameLines, namesInWords } from "./folder-names.ts";
import { formatObject, listFormat } from "./output/table.ts";
import { checkStored } from "./pick-session.ts";

const EXAMPLES = `
Examples:
  datumctl use --organization my-org-id --project my-project-id
  datumctl use --session work
  datumctl use

The names are written into ${FOLDER_FILE} of this folder: there is no secret in it, it can go into git. Commands
here and below follow it; who else has the file trusts it once (datumctl trust). To take a choice
back, remove the file. A flag and a variable come before it. Entries of a kubeconfig stay as they are: kubectl follows by datumctl exec -- kubectl ...`;

/** `use`. */
export function useCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("use")
    .description("Choose what commands in this folder act as and on, or show it")
    // The flag of every command takes the value; it stands here to be seen in the help.
    .addOption(valueOption("session", "--session <name>", "act as this session"))
    .addOption(valueOption("organization", "--organization <id>", "act on this organization"))
    .addOption(valueOption("project", "--project <id>", "act on this project"))
    .addOption(
      valueOption("context", "--context <name>", "act on the server of this context of the kubeconfig")
        .conflicts(["organization", "project"]),
    )
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText("after", EXAMPLES);
  command.action(({ organization, project, context, output }) =>
    runUse(contextOf(command), { organization, project, context, output })
  );
  return command;
}

interface UseInput {
  readonly organization: string | undefined;
  readonly project: string | undefined;
  readonly context: string | undefined;
  readonly output: string | undefined;
}

/** Writes the names into the working folder's file and trusts it; without a name, shows the nearest file. */
export async function runUse(cli: CommandContext, input: UseInput): Promise<void> {
  const format = listFormat(input.output);
  const { organization, project, context } = input;
  const scope = (organization ?? project ?? context) === undefined
    ? undefined
    : { organization, project, context };
  const session = await sessionOfLine(cli);
  if (session === undefined && scope === undefined) {
    return await show(cli, await nearestFile(cli.store), format);
  }
  checkNames(input);
  const file = await writeNames(cli, session, scope);
  const { names = {} } = file;
  if (input.output === undefined) {
    cli.out.success(`Wrote ${file.path}: ${namesInWords(names)}.`);
  } else await show(cli, file, format);
  warnOfVariables(cli, names);
  await warnOfContext(cli, context);
  cli.out.info("For kubectl as well: datumctl exec -- kubectl get namespaces");
}

/** The session that the line names, which has to be here. @throws {AppError} `NOT_SIGNED_IN`, `USAGE`. */
async function sessionOfLine({ store, choice }: CommandContext): Promise<string | undefined> {
  const { flag, credentialsFile } = choice;
  if (flag === undefined && credentialsFile === undefined) return undefined;
  const { session } = await chooseSession(store, { flag, credentialsFile });
  checkStored(session, "Name a session that is stored: datumctl auth list");
  return session.name;
}

/** Writes the file as one change with its being trusted; names that are not given stay. */
async function writeNames(
  { store }: CommandContext,
  session: string | undefined,
  scope: FolderNames | undefined,
): Promise<FoundFile> {
  const here = workingFolder(store.host, " and run the same command again");
  const folder = await realPath(here) ?? here;
  using trusted = await lockTrusted(store);
  const before = await fileOf(store, folder);
  if (before?.ignored !== undefined) throw othersFile(before);
  const { session: former, ...formerScope } = before?.names ?? {};
  const names: FolderNames = { session: session ?? former, ...scope ?? formerScope };
  const text = folderFileText(names);
  const path = pathIn(folder);
  // Trusted first: a file that its own writer would have to trust is worse than a digest of a file that never came.
  await trusted.add(path, await digestOf(text));
  await writeFileAtomically(path, text, permissionsOf(path) ?? 0o644);
  return { path, folder, names, digest: undefined, trusted: true, ignored: undefined };
}

/** What somebody else wrote there is neither taken over nor lost. */
function othersFile({ path, ignored, names }: FoundFile): AppError {
  return new AppError("STORAGE", `${printable(path, Infinity)} is there already, and ${ignored}.`, {
    hint: names !== undefined
      ? "Look at it, then: datumctl trust; or remove it, and run the same command again."
      : "Remove it, and run the same command again.",
  });
}

async function show(
  { out, style, store }: CommandContext,
  file: FoundFile | undefined,
  format: ReturnType<typeof listFormat>,
): Promise<void> {
  if (file === undefined && (format === "table" || format === "wide" || format === "name")) {
    out.info(`There is no ${FOLDER_FILE} here or above. Write one: datumctl use --project ID`);
    return;
  }
  const { path = "", ignored, names } = file ?? {};
  const next = names === undefined ? "" : ": datumctl trust";
  const followed = ignored === undefined ? "yes" : `no, ${ignored}${next}`;
  out.text(
    await formatObject(
      [["File", path], ["Followed", followed], ...nameLines(names)],
      fileObject(file),
      path,
      format,
      style.out,
    ),
  );
  if (ignored !== undefined || names?.session === undefined) return;
  if (await isHere(store, names.session)) return;
  const name = printable(names.session);
  out.warn(`There is no session ${name} here, so commands stop. Sign in: datumctl login --profile ${name}`);
}

/** False for a session that neither the person nor the project's folder has. What is damaged, the next command tells. */
async function isHere(store: SessionStore, name: string): Promise<boolean> {
  try {
    return await namedSession(store, name, FOLDER_FILE) !== undefined;
  } catch (thrown) {
    failureOrThrow(thrown);
    return true;
  }
}

/** Warns of a context that the kubeconfig does not have, or not yet. */
async function warnOfContext({ env, out }: CommandContext, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  try {
    if (contextNamed(await loadKubeconfig(defaultKubeconfigs(env)), name) !== undefined) return;
  } catch (thrown) {
    // The file is written; what is wrong with the kubeconfig, the next command tells.
    failureOrThrow(thrown);
    return;
  }
  out.warn(
    `The kubeconfig has no context ${printable(name)}. See which there are: kubectl config get-contexts`,
  );
}

/** Warns of variables that come before what the file names. */
function warnOfVariables({ env, out, choice, providers }: CommandContext, names: FolderNames): void {
  const { session, organization, project, context } = names;
  const ofSession = session === undefined
    ? undefined
    : choice.variable?.name ?? providers.variableInForce(env);
  const ofScope = (organization ?? project ?? context) === undefined
    ? []
    : [env("DATUM_PROJECT") && "DATUM_PROJECT", organizationVariable(env)?.variable];
  for (const variable of [ofSession, ...ofScope].filter((one) => one !== undefined)) {
    out.warn(`${variable} is set in this terminal and takes precedence over the file.`);
  }
}

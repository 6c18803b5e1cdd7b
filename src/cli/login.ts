/** Owns `login`: signing a person in, keeping the session, and saying what comes next. */

import { Command, Option } from "@commander-js/extra-typings";
import { AppError, printable, printableValue } from "../errors.ts";
import { servedApi } from "../kube/control-plane-probe.ts";
import type { Exchange } from "../oauth/http.ts";
import { CONTROL_PLANE_APIS, datumTarget } from "../providers/datum.ts";
import { defaultSessionName, isSessionName, labelOf, type Session } from "../sessions/session.ts";
import {
  type KeyStore,
  openSession,
  readConfig,
  readSession,
  type SavedSession,
  updateSession,
} from "../sessions/store.ts";
import { keepSignIn } from "../sign-in/keep.ts";
import { signInPerson } from "../sign-in/person.ts";
import type { SignedIn, SignInRequest } from "../sign-in/sign-in.ts";
import { boundedSignal, formatSpan, parseDuration } from "../system/clock.ts";
import { readTextFile } from "../system/files.ts";
import { certificatesOf } from "../system/network.ts";
import { type CommandDeps, type Deps, keyringBound } from "./context.ts";

const EXAMPLES = `
Examples:
  datumctl login
  datumctl login --no-browser
  datumctl login --profile work
  datumctl login --hostname auth.example.com --client-id 1234 --certificate-authority ca.pem`;

/** `login`, also `auth login`. */
export function loginCommandLine(deps: CommandDeps): Command {
  const command = new Command("login")
    .description("Sign in, through the browser or with a device code")
    .option("-H, --hostname <host>", "auth host to sign in to (default: auth.datum.net)")
    .option("--api-hostname <host>", "API host, where it does not follow from the auth host")
    .option("--client-id <id>", "OAuth client id, for a host that is not Datum's own")
    .addOption(new Option("--provider <provider>", "kind of cloud: datum").env("DATUMCTL_PROVIDER"))
    .option("--no-browser", "sign in with a code on another device")
    .addOption(new Option("--no-open", "the same as --no-browser").hideHelp())
    .option(
      "--browser-command <command>",
      "program that opens the address, with %s or the address as last word",
    )
    .option("--listen-port <port>", "loopback port for the browser's answer (default: a free one)")
    .option("-s, --scopes <list>", "OAuth scopes to ask for instead of the usual ones")
    .option("--prompt <prompt>", "prompt parameter for the issuer, such as login or consent")
    .option("--certificate-authority <file>", "PEM file of a private authority to trust; remembered")
    .addOption(
      new Option("--keyring <store>", "where the session's key is kept: auto, system or file").env(
        "DATUMCTL_KEYRING",
      ),
    )
    .option("--timeout <duration>", "bound on the whole sign-in (default: 5m)")
    .addHelpText("after", EXAMPLES);
  command.action((flags) => runLogin(deps(command), { ...flags, device: !flags.browser || !flags.open }));
  return command as unknown as Command;
}

/** The flags of `login`, as they were typed. */
export interface LoginInput {
  readonly hostname?: string | undefined;
  readonly apiHostname?: string | undefined;
  readonly clientId?: string | undefined;
  readonly provider?: string | undefined;
  readonly device: boolean;
  readonly browserCommand?: string | undefined;
  readonly listenPort?: string | undefined;
  readonly scopes?: string | undefined;
  readonly prompt?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly keyring?: string | undefined;
  readonly timeout?: string | undefined;
}

/** Signs in, stores the session, makes it active and says so. */
export async function runLogin(deps: Deps, input: LoginInput): Promise<void> {
  const { out, place } = deps;
  if (input.provider !== undefined && input.provider !== "datum") {
    throw new AppError("USAGE", `The provider "${printable(input.provider)}" is not known.`, {
      hint: "Known is: datum.",
    });
  }
  const wantedName = deps.choice.flag ?? deps.choice.variable;
  if (wantedName !== undefined && !isSessionName(wantedName)) {
    throw new AppError("USAGE", `"${printable(wantedName, 80)}" cannot be a session's name.`, {
      hint: "Use letters, digits and . _ @ + : -, at most 128 of them.",
    });
  }
  // Before anybody signs in for nothing.
  await readConfig(place);
  const renewed = wantedName === undefined
    ? undefined
    : await sessionToRenew(deps, wantedName, input.keyring);
  const keyStores = await usableKeyStores(deps, input.keyring, renewed);
  const certificateAuthority = input.certificateAuthority === undefined
    ? renewed?.certificateAuthority
    : await readAuthority(input.certificateAuthority);
  const target = {
    ...datumTarget({
      hostname: input.hostname ?? renewed?.authHost,
      apiHostname: input.apiHostname ?? (input.hostname === undefined ? renewed?.apiHost : undefined),
      clientId: input.clientId ?? (input.hostname === undefined ? renewed?.clientId : undefined),
    }),
    ...(input.prompt === undefined ? {} : { prompt: input.prompt }),
  };
  const request: SignInRequest = {
    target,
    scopes: input.scopes?.split(/[,\s]+/).filter((scope) => scope !== ""),
    loginHint: renewed?.user.email,
  };
  const port = portOf(input.listenPort);
  const timeout = parseDuration(input.timeout ?? "5m", "--timeout");
  const browserCommand = input.browserCommand ?? renewed?.browserCommand;

  using network = deps.openNetwork(certificateAuthority);
  using bounded = boundedSignal(timeout, () => nobodyCame(timeout), deps.interrupted);
  const exchange: Exchange = {
    fetch: network.fetch,
    now: deps.now,
    signal: bounded.signal,
    deadline: deps.now() + timeout,
    requestTimeout: deps.requestTimeout,
    log: out.log,
  };
  let stored: (SavedSession & { readonly signedIn: SignedIn }) | undefined;
  await signInPerson(request, {
    exchange,
    env: deps.env,
    device: input.device,
    browserCommand,
    port,
    terminal: deps.terminal.canAsk,
    act: out.act,
    note: out.note,
    async complete(signedIn) {
      const choice = { wantedName, renewed, keyStores, browserCommand, certificateAuthority, activate: true };
      const saved = await keepSignIn(place, exchange, signedIn, choice, keyringBound(deps));
      stored = { ...saved, signedIn };
      return { who: labelOf(saved.session), where: target.apiHost, next: NEXT };
    },
  });
  if (stored !== undefined) await announce(deps, stored, network.fetch);
}

/**
 * The session of a name as it was sealed, where its key is at hand: an edited file must not say where to sign in, or
 * as whom.
 */
async function sessionToRenew(
  deps: Deps,
  name: string,
  keyring: string | undefined,
): Promise<Session | undefined> {
  const session = await readSession(deps.place, name);
  if (session === undefined) return undefined;
  try {
    return (await openSession(deps.place, session, keyringBound(deps))).session;
  } catch (thrown) {
    // A lost key is what a sign-in mends; and a keyring may be given up for a file.
    const mended = thrown instanceof AppError &&
      (thrown.code === "KEYRING_ITEM_MISSING" || thrown.code === "STORAGE" || keyring === "file");
    if (mended) return session;
    throw thrown;
  }
}

const NEXT = "datumctl auth update-kubeconfig --project PROJECT_ID";

function nobodyCame(timeout: number): AppError {
  return new AppError("TIMEOUT", `Nobody finished the sign-in within ${formatSpan(timeout)}.`, {
    hint: "Run the same command again; --timeout 15m waits longer.",
  });
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port >= 1 && port <= 65_535) return port;
  throw new AppError("USAGE", "--listen-port takes a port from 1 to 65535.");
}

// It stands twice in a session's file.
const LARGEST_AUTHORITY = 1024 * 1024;

async function readAuthority(path: string): Promise<string> {
  const text = await readTextFile(path);
  if (text === undefined) {
    throw new AppError("USAGE", `The certificate authority's file ${printable(path)} does not exist.`);
  }
  const certificates = certificatesOf(text).join("\n") + "\n";
  if (certificates.length <= LARGEST_AUTHORITY) return certificates;
  throw new AppError("USAGE", `The certificate authority's file ${printable(path)} is larger than 1 MiB.`, {
    hint: "Give --certificate-authority the one authority that the hosts use.",
  });
}

/**
 * The stores to try for the session's key. `auto` is the keyring, else a file; a session that is renewed stays
 * where it was unless a store is named.
 */
async function usableKeyStores(
  deps: Deps,
  choice: string | undefined,
  renewed: Session | undefined,
): Promise<readonly KeyStore[]> {
  switch (choice ?? "auto") {
    case "auto":
      return renewed === undefined ? ["system", "file"] : [renewed.keyStore];
    case "file":
      return ["file"];
    case "system":
      // Asked now, so that nobody signs in for nothing.
      await deps.place.secretStore("system").get("datumctl", keyringBound(deps));
      return ["system"];
    default:
      throw new AppError("USAGE", "--keyring takes auto, system or file.");
  }
}

async function announce(
  deps: Deps,
  { session, passedOver, signedIn: { tokens } }: SavedSession & { readonly signedIn: SignedIn },
  fetch: Exchange["fetch"],
): Promise<void> {
  const { out, place } = deps;
  out.line(`Signed in as ${labelOf(session)} at ${session.apiHost}.`);
  if (deps.verbose) out.line(JSON.stringify(printableValue(tokens.claims), undefined, 2));
  if (passedOver !== undefined) out.warn(passedOver.message);
  out.note(
    `Credentials: encrypted on this machine, their key in ${place.secretStore(session.keyStore).name}.`,
  );
  if (session.keyStore === "file") out.note("Whoever can read your files can use this session.");
  if (session.expires !== undefined) {
    out.note(`The issuer gave no refresh token: this session ends at ${session.expires}.`);
  }
  if (session.name !== defaultSessionName(session.user.email ?? session.user.subject, session.apiHost)) {
    out.note(`Session: ${session.name}`);
  }
  const bounds = { timeout: 5_000, signal: deps.interrupted, log: out.log };
  const api = session.controlPlaneApi ??
    await servedApi(fetch, session.apiHost, CONTROL_PLANE_APIS, tokens.accessToken, bounds);
  if (api !== undefined && api !== session.controlPlaneApi) {
    await updateSession(place, session.name, (now) => ({ ...now, controlPlaneApi: api }));
  }
  out.note(`Next: ${NEXT}`);
}

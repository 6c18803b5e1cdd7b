/** Owns `login`: signing a person in, keeping the session, and saying what comes next. */

import { Command, Option } from "@commander-js/extra-typings";
import { AppError, printable, printableValue } from "../errors.ts";
import { servedApi } from "../kube/control-plane-probe.ts";
import type { Exchange } from "../oauth/http.ts";
import { endpointUrl } from "../oauth/http.ts";
import { loopbackRedirect } from "../oauth/redirect-uri.ts";
import { CONTROL_PLANE_APIS, DATUM_AUTH_HOST, datumTarget } from "../providers/datum.ts";
import { oidcTarget } from "../providers/oidc.ts";
import { chosenProvider, type ProviderFlags, PROVIDERS } from "../providers/provider.ts";
import {
  defaultSessionName,
  isSessionName,
  labelOf,
  type Session,
  type SignInChoices,
} from "../sessions/session.ts";
import { makeKeyText } from "../sessions/jwe.ts";
import {
  checkRoom,
  type KeyStore,
  openSession,
  readConfig,
  readSession,
  type SavedSession,
  updateSession,
} from "../sessions/store.ts";
import { keepSignIn } from "../sign-in/keep.ts";
import { signInPerson } from "../sign-in/person.ts";
import type { SignedIn, SignInTarget } from "../sign-in/sign-in.ts";
import { boundedSignal, formatSpan, parseTimeout } from "../system/clock.ts";
import { readTextFile } from "../system/files.ts";
import { certificatesOf } from "../system/network.ts";
import { readClientSecret } from "./client-secret.ts";
import { type CommandDeps, type Deps, keyringBound, requestBounds } from "./context.ts";

const EXAMPLES = `
Examples:
  datumctl login
  datumctl login --no-browser
  datumctl login --profile work
  datumctl login --hostname auth.example.com --client-id 1234 --certificate-authority ca.pem
  datumctl login --issuer https://login.example.com/realms/main --client-id kubernetes
  datumctl login --issuer https://login.example.com --client-id kubernetes \\
      --redirect-uri http://localhost:8000/callback --client-secret-file secret.txt`;

/** `login`, also `auth login`. */
export function loginCommandLine(deps: CommandDeps): Command {
  const command = new Command("login")
    .description("Sign in, through the browser or with a device code")
    .option("-H, --hostname <host>", "auth host to sign in to (default: auth.datum.net)")
    .option("--api-hostname <host>", "API host, where it does not follow from the auth host")
    .option("--client-id <id>", "OAuth client id, for an issuer or host that is not Datum's own")
    .option(
      "--provider <provider>",
      `kind of cloud: ${PROVIDERS.join(" or ")} (default: datum, with --issuer oidc; env: DATUMCTL_PROVIDER)`,
    )
    .option("--issuer <url>", "oidc: the issuer as it names itself, with its path")
    .option("--redirect-uri <uri>", "oidc: loopback address to come back to, sent byte for byte")
    .option("--client-secret-file <file>", "oidc: file with the client's secret, - for standard input")
    .option("--device-authorization-endpoint <url>", "oidc: where device codes are asked for")
    .option("--no-browser", "sign in with a code on another device")
    .addOption(new Option("--no-open", "the same as --no-browser").hideHelp())
    .option(
      "--browser-command <command>",
      "program that opens the address, with %s or the address as last word",
    )
    .option("--listen-port <port>", "loopback port for the browser's answer (default: a free one)")
    .option("-s, --scopes <list>", "OAuth scopes to ask for instead of the usual ones")
    .option("--prompt <prompt>", "prompt parameter for the issuer, such as login; an empty one sends none")
    .option("--certificate-authority <file>", "PEM file of a private authority to trust; remembered")
    .option(
      "--keyring <store>",
      "where the session's key is kept: auto, system or file (env: DATUMCTL_KEYRING)",
    )
    .option("--timeout <duration>", "bound on the whole sign-in (default: 5m)")
    .addHelpText("after", EXAMPLES);
  command.action((flags) => runLogin(deps(command), { ...flags, device: !flags.browser || !flags.open }));
  return command as unknown as Command;
}

/** The flags of `login`, as they were typed. */
export interface LoginInput extends ProviderFlags {
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
  const wantedName = deps.choice.flag ?? deps.choice.variable;
  if (wantedName !== undefined && !isSessionName(wantedName)) {
    throw new AppError("USAGE", `"${printable(wantedName, 80)}" cannot be a session's name.`, {
      hint: "Use letters, digits and . _ @ + : -, at most 128 of them.",
    });
  }
  // Before anybody signs in for nothing.
  await readConfig(place);
  await checkRoom(place);
  const before = wantedName === undefined ? undefined : await sessionToRenew(deps, wantedName, input.keyring);
  const renewed = before?.session;
  const provider = chosenProvider({
    flag: input.provider,
    flags: input,
    renewed,
    variable: deps.env("DATUMCTL_PROVIDER"),
  });
  const keyStores = await usableKeyStores(deps, input.keyring ?? deps.env("DATUMCTL_KEYRING"));
  // What was not sealed, or cannot be opened, says nothing of where to sign in.
  const trusted = before?.sealed ? before : undefined;
  if (before !== undefined && trusted === undefined) refuseUnnamedPlace(before.session, input);
  const certificateAuthority = input.certificateAuthority === undefined
    ? trusted?.session.certificateAuthority
    : await readAuthority(input.certificateAuthority);
  // What is known of a session holds for the place that it is of.
  const elsewhere = renewed?.provider !== provider || input.hostname !== undefined ||
    (input.issuer !== undefined && input.issuer !== renewed.issuer);
  const known = elsewhere ? undefined : trusted;
  const target = provider === "oidc" ? await oidcOf(deps, input, known) : datumOf(input, known?.session);
  const choices = choicesOf(input, known?.session.signIn);
  const port = portOf(input.listenPort, choices.redirectUri);
  const timeout = parseTimeout(input.timeout ?? "5m", "--timeout");

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
  await signInPerson({ target, choices, loginHint: renewed?.user.email }, {
    exchange,
    env: deps.env,
    device: input.device,
    port,
    terminal: deps.terminal.canAsk,
    keys: deps.terminal.canAsk ? deps.terminal.keys : undefined,
    act: out.act,
    note: out.note,
    async complete(signedIn) {
      const moveKey = input.keyring !== undefined && input.keyring !== "auto";
      const choice = { wantedName, renewed, keyStores, moveKey, certificateAuthority, activate: true };
      const saved = await keepSignIn(place, exchange, signedIn, choice, keyringBound(deps));
      stored = { ...saved, signedIn };
      return { who: labelOf(saved.session), where: target.apiHost, next: nextCommand(saved.session) };
    },
  });
  if (stored !== undefined) await announce(deps, stored, network.fetch);
}

function datumOf({ hostname, apiHostname, clientId }: LoginInput, known: Session | undefined): SignInTarget {
  return datumTarget({
    hostname: hostname ?? known?.authHost,
    apiHostname: apiHostname ?? known?.apiHost,
    clientId: clientId ?? known?.clientId,
  });
}

async function oidcOf(deps: Deps, input: LoginInput, known: KnownSession | undefined): Promise<SignInTarget> {
  const session = known?.session;
  const issuer = input.issuer ?? session?.issuer;
  const clientId = input.clientId ?? session?.clientId;
  const file = input.clientSecretFile;
  if (file !== undefined) {
    return oidcTarget({ issuer, clientId, clientSecret: await readClientSecret(deps, file) });
  }
  // A secret is for the client that it was given for.
  const clientSecret = clientId === session?.clientId ? known?.clientSecret : undefined;
  return oidcTarget({ issuer, clientId, clientSecret });
}

/** What is chosen by flags, else as at the sign-in before. Throws `USAGE` for what cannot be used. */
function choicesOf(input: LoginInput, before: SignInChoices | undefined): SignInChoices {
  const { redirectUri, deviceAuthorizationEndpoint: deviceEndpoint, prompt, browserCommand } = input;
  if (redirectUri !== undefined) loopbackRedirect(redirectUri);
  const url = deviceEndpoint === undefined ? undefined : endpointUrl(deviceEndpoint);
  if (typeof url === "string") {
    throw new AppError("USAGE", `--device-authorization-endpoint ${printable(deviceEndpoint ?? "")} ${url}.`);
  }
  const scopes = input.scopes?.split(/[,\s]+/).filter((scope) => scope !== "");
  const chosen = { scopes, prompt, redirectUri, deviceEndpoint, browserCommand };
  return {
    ...before,
    ...Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)),
  };
}

/** A session that is renewed. */
interface KnownSession {
  readonly session: Session;
  /** Its fields are as they were sealed; else they are a file's word, good for comparing whom it is of. */
  readonly sealed: boolean;
  /** Absent where the client has none, or its key is lost. */
  readonly clientSecret?: string | undefined;
}

/**
 * The session of a name as it was sealed, where its key is at hand: an edited file must not say where to sign in, or
 * as whom.
 */
async function sessionToRenew(
  deps: Deps,
  name: string,
  keyring: string | undefined,
): Promise<KnownSession | undefined> {
  const session = await readSession(deps.place, name);
  if (session === undefined) return undefined;
  try {
    const opened = await openSession(deps.place, session, keyringBound(deps));
    return { session: opened.session, sealed: true, clientSecret: opened.credentials.clientSecret };
  } catch (thrown) {
    // A lost key is what a sign-in mends; and a keyring may be given up for a file.
    const mended = thrown instanceof AppError &&
      (thrown.code === "KEYRING_ITEM_MISSING" || thrown.code === "STORAGE" || keyring === "file");
    if (mended) return { session, sealed: false };
    throw thrown;
  }
}

/**
 * Without its seal a session's file is anybody's word. Datum Cloud itself is known; any other place must be named by
 * the person. Throws `USAGE` with the line to check and to run.
 */
function refuseUnnamedPlace(session: Session, { hostname, issuer }: LoginInput): void {
  const { name, provider, authHost, apiHost, clientId } = session;
  if (hostname !== undefined || issuer !== undefined) return;
  if (provider === "datum" && authHost === DATUM_AUTH_HOST) return;
  const place = provider === "oidc"
    ? `--issuer ${session.issuer} --client-id ${clientId}${choicesInWords(session)}`
    : `--hostname ${authHost} --api-hostname ${apiHost} --client-id ${clientId}`;
  const authority = session.certificateAuthority === undefined ? "" : " --certificate-authority FILE";
  throw new AppError(
    "USAGE",
    `The key of the session "${name}" is lost, so its file is not trusted to say where to sign in.`,
    {
      hint: `If this is the right place, run: ${
        printable(`datumctl login --profile ${name} ${place}${authority}`)
      }`,
    },
  );
}

/** The flags with which an issuer of one's own was signed in to, as they would be typed; empty when there were none. */
function choicesInWords({ signIn = {}, confidential }: Session): string {
  const { redirectUri, deviceEndpoint, scopes, prompt } = signIn;
  const flags = [
    ["--redirect-uri", redirectUri],
    ["--device-authorization-endpoint", deviceEndpoint],
    ["--scopes", scopes?.join(",")],
    ["--prompt", prompt],
    ["--client-secret-file", confidential ? "FILE" : undefined],
  ] as const;
  return flags.map(([flag, value]) => {
    if (value === undefined) return "";
    const plain = /^[\w:/.,@%+[\]-]+$/.test(value);
    return ` ${flag} ${plain ? value : `'${value.replaceAll("'", `'\\''`)}'`}`;
  }).join("");
}

/** The one command that fits after a sign-in. */
function nextCommand({ provider }: Session): string {
  const target = provider === "datum" ? "--project PROJECT_ID" : "--server https://API_SERVER";
  return `datumctl auth update-kubeconfig ${target}`;
}

function nobodyCame(timeout: number): AppError {
  return new AppError("TIMEOUT", `Nobody finished the sign-in within ${formatSpan(timeout)}.`, {
    hint: "Run the same command again; --timeout 15m waits longer.",
  });
}

function portOf(text: string | undefined, redirectUri: string | undefined): number {
  if (text === undefined) return 0;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port >= 1 && port <= 65_535)) {
    throw new AppError("USAGE", "--listen-port takes a port from 1 to 65535.");
  }
  const fixed = redirectUri === undefined ? undefined : loopbackRedirect(redirectUri).port;
  if (fixed === undefined || fixed === port) return port;
  throw new AppError("USAGE", `--listen-port ${port} contradicts the port ${fixed} of the redirect URI.`);
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

/** The stores to try for the key of a session that has none yet. `auto` is the keyring, else a file. */
async function usableKeyStores(deps: Deps, choice: string | undefined): Promise<readonly KeyStore[]> {
  switch (choice ?? "auto") {
    case "auto":
      return ["system", "file"];
    case "file":
      return ["file"];
    case "system":
      await tryKeyring(deps);
      return ["system"];
    default:
      throw new AppError("USAGE", "--keyring takes auto, system or file.");
  }
}

/** Keeps something in the keyring and takes it out again, so that nobody signs in for nothing. */
async function tryKeyring(deps: Deps): Promise<void> {
  const store = deps.place.secretStore("system");
  const bound = keyringBound(deps);
  // Only a store shows that a keyring is locked: what it does not hold, a locked one lacks, too.
  await store.set("datumctl", makeKeyText(), bound);
  await store.delete("datumctl", bound);
}

async function announce(
  deps: Deps,
  { session, passedOver, signedIn: { tokens } }: SavedSession & { readonly signedIn: SignedIn },
  fetch: Exchange["fetch"],
): Promise<void> {
  const { out, place } = deps;
  out.line(`Signed in as ${labelOf(session)} at ${session.apiHost}.`);
  if (deps.verbose) out.line(JSON.stringify(printableValue(tokens.claims), undefined, 2));
  // A key that comes to lie in a file unasked for is something to act on.
  const tell = passedOver === undefined ? out.note : out.act;
  if (passedOver !== undefined) tell(`warning: ${passedOver.message}`);
  tell(`Credentials: encrypted on this machine, their key in ${place.secretStore(session.keyStore).name}.`);
  if (session.keyStore === "file") tell("Whoever can read your files can use this session.");
  if (session.expires !== undefined) {
    out.note(`The issuer gave no refresh token: this session lasts until ${session.expires}.`);
  }
  if (session.name !== defaultSessionName(session.user.email ?? session.user.subject, session.apiHost)) {
    out.note(`Session: ${session.name}`);
  }
  if (session.provider === "datum") await learnControlPlanes(deps, session, tokens.accessToken, fetch);
  out.note(`Next: ${nextCommand(session)}`);
}

/** Asks, for comfort, under which group this Datum serves control planes. */
async function learnControlPlanes(
  deps: Deps,
  session: Session,
  accessToken: string,
  fetch: Exchange["fetch"],
): Promise<void> {
  const bounds = requestBounds({ ...deps, requestTimeout: 5_000 });
  const api = session.controlPlaneApi ??
    await servedApi(fetch, session.apiHost, CONTROL_PLANE_APIS, accessToken, bounds);
  if (api !== undefined && api !== session.controlPlaneApi) {
    await updateSession(deps.place, session.name, (now) => ({ ...now, controlPlaneApi: api }));
  }
}

/** Owns a person's `login` at DataChain Studio: one token for each host, kept for the person or for a project folder. */

import { AppError, printable } from "../../errors.ts";
import type { Exchange } from "../../oauth/http.ts";
import { pollStudioToken, requestStudioDevice, type StudioDevice } from "../../oauth/studio-device-login.ts";
import type { StudioTable } from "../../providers/datachain-config.ts";
import {
  chosenStudioHost,
  defaultTeam,
  STUDIO_CLIENT_NAME,
  studioDays,
  studioScopes,
  studioTeams,
  studioTokenName,
} from "../../providers/studio.ts";
import { beginLocalPlace, endLocalPlace, localPlaceHere } from "../../sessions/local-place.ts";
import { defaultSessionName, labelOf, type Session } from "../../sessions/session.ts";
import {
  checkRoom,
  type KeyStore,
  listSessions,
  readConfig,
  type SavedSession,
  type SessionPlace,
} from "../../sessions/store.ts";
import { keepRecipe } from "../../sign-in/keep-recipe.ts";
import { freeName, makeActive } from "../../sign-in/naming.ts";
import { obstacleFor, showCode } from "../../sign-in/person.ts";
import { openBrowser } from "../../system/browser.ts";
import { parseTimeout } from "../../system/clock.ts";
import { type Deps, keyringBound } from "../context.ts";
import { type ExportPlace, exportPlaceFor, exportToken } from "../datachain-export.ts";
import { readAuthority, usableKeyStores, wantedSessionName } from "../keeping.ts";
import { tellOfFolder, tellWhatComesFirst } from "../session-words.ts";
import { tellName, tellWhereKept } from "./announce.ts";
import { openSignIn } from "./exchange.ts";
import type { LoginInput } from "./input.ts";
import {
  endReplaced,
  LONGEST_REVOCATION,
  openReplaced,
  type Replaced,
  revokeToken,
} from "./studio-replaced.ts";

const DAY = 24 * 3600_000;

/** What the flags ask of Studio. */
interface Asked {
  readonly tokenName: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly teams: readonly string[] | undefined;
  readonly expiresInDays: number;
}

/** Signs in, stores the session, makes it active and says so; in place of the session of that host with `--force`. */
export async function signInAtStudio(deps: Deps, input: LoginInput): Promise<void> {
  const asked: Asked = {
    tokenName: studioTokenName(input.name),
    scopes: studioScopes(input.scopes),
    teams: studioTeams(input.team ?? []),
    expiresInDays: studioDays(input.expiresIn),
  };
  const timeout = parseTimeout(input.timeout ?? "5m", "--timeout");
  const wantedName = wantedSessionName(deps);
  const place = input.local ? localPlaceHere(deps.place) : deps.place;
  const begun = input.local ? await beginLocalPlace(place) : false;
  try {
    // Before anybody signs in for nothing.
    await checkRoom(place);
    const plan = await planOf(deps, place, wantedName, input);
    await signIn(deps, place, plan, { asked, timeout, byCode: input.device });
  } catch (thrown) {
    // Only what is empty goes.
    if (begun) await endLocalPlace(place).catch(() => {});
    throw thrown;
  }
}

/** Where to sign in, what that takes the place of, and how it will be kept. */
interface Plan {
  /** Studio's origin. */
  readonly host: string;
  readonly replaced: readonly Replaced[];
  /** The session's name, once it is known how the token is called. */
  readonly nameFor: (tokenName: string) => string;
  readonly keyStores: readonly KeyStore[];
  readonly moveKey: boolean;
  readonly certificateAuthority: string | undefined;
  readonly browserCommand: string | undefined;
  readonly exported: ExportPlace | undefined;
}

/** Decides all that can be decided before anybody is asked. Throws `USAGE` for a host that is signed in to. */
async function planOf(
  deps: Deps,
  place: SessionPlace,
  wantedName: string | undefined,
  input: LoginInput,
): Promise<Plan> {
  const { activeSession } = await readConfig(place);
  const { sessions } = await listSessions(place);
  const studios = sessions.filter(({ kind }) => kind === "studio");
  const known = wantedName === undefined
    ? studios.find(({ name }) => name === activeSession) ?? (studios.length === 1 ? studios[0] : undefined)
    : studios.find(({ name }) => name === wantedName);
  const open = (session: Session) => openReplaced(deps, place, session, input.keyring);
  const named = { flag: input.hostname, variable: deps.env("DATACHAIN_STUDIO_URL") };
  const unnamed = input.hostname === undefined && named.variable === undefined;
  // What cannot be opened says nothing of where to sign in.
  const stored = unnamed && known !== undefined ? (await open(known)).opened?.session.issuer : undefined;
  const host = chosenStudioHost({ ...named, stored });
  const namesake = sessions.find(({ name }) => name === wantedName);
  if (namesake !== undefined && (namesake.kind !== "studio" || namesake.issuer !== host)) {
    throw otherIdentity(namesake, host);
  }
  const there = studios.filter(({ issuer }) => issuer === host);
  const signedIn = there.find(({ expires }) => expires === undefined || Date.parse(expires) > deps.now());
  if (signedIn !== undefined && !input.force) throw signedInAlready(signedIn, place);
  const replaced: Replaced[] = [];
  for (const session of there) replaced.push(await open(session));
  const before = replaced.find(({ opened }) => opened !== undefined)?.opened?.session;
  return {
    host,
    replaced,
    nameFor: (tokenName) => wantedName ?? nameOf(sessions, there, tokenName, new URL(host).host),
    keyStores: await usableKeyStores(deps, input.keyring ?? deps.env("DATUMCTL_KEYRING")),
    moveKey: input.keyring !== undefined && input.keyring !== "auto",
    certificateAuthority: input.certificateAuthority === undefined
      ? before?.certificateAuthority
      : await readAuthority(input.certificateAuthority),
    browserCommand: input.browserCommand ?? before?.signIn?.browserCommand,
    exported: input.exportDatachain ? await exportPlaceFor(deps.env, place.project, host) : undefined,
  };
}

async function signIn(
  deps: Deps,
  place: SessionPlace,
  plan: Plan,
  { asked, timeout, byCode }: { readonly asked: Asked; readonly timeout: number; readonly byCode: boolean },
): Promise<void> {
  const { host, exported, replaced } = plan;
  using opened = openSignIn(deps, timeout, plan.certificateAuthority);
  const { exchange } = opened;
  const device = await requestStudioDevice(exchange, { host, clientName: STUDIO_CLIENT_NAME, ...asked });
  const token = await confirmed(deps, exchange, device, byCode, plan.browserCommand);
  const saved = await keepToken(deps, place, plan, asked, device.tokenName, token).catch(async (thrown) => {
    // The attempt may be over; taking back what it was given is not.
    await revokeToken(exchange, { host, token }, LONGEST_REVOCATION).catch(() => {});
    throw thrown;
  });
  const { session } = saved;
  await makeActive(place, session.name);
  const unexported = exported === undefined
    ? undefined
    : await exportOf(exported, session, { url: host, token, team: session.team });
  announce(deps, saved, unexported === undefined ? exported : undefined, place);
  for (const old of replaced) await endReplaced(deps, exchange, place, old, session);
  tellWhatComesFirst(deps);
  if (place.project === undefined) await tellOfFolder(deps);
  if (unexported !== undefined) throw unexported;
}

/** Stores the token as a session. Throws as {@link keepRecipe}. */
async function keepToken(
  deps: Deps,
  place: SessionPlace,
  plan: Plan,
  { teams, scopes = [], expiresInDays }: Asked,
  tokenName: string,
  token: string,
): Promise<SavedSession> {
  const { host, keyStores, moveKey, certificateAuthority, browserCommand, exported } = plan;
  const apiHost = new URL(host).host;
  const expires = deps.now() + expiresInDays * DAY;
  const team = defaultTeam(teams);
  return await keepRecipe(
    place,
    {
      session: {
        provider: "studio",
        kind: "studio",
        authHost: apiHost,
        user: { subject: apiHost, name: tokenName },
        scopes: [...scopes],
        expires: new Date(expires).toISOString(),
        ...(team === undefined ? {} : { team }),
        ...(exported === undefined ? {} : { exportedTo: exported.path }),
        ...(place.project === undefined ? {} : { local: true }),
      },
      credentials: {
        clientId: STUDIO_CLIENT_NAME,
        apiHost,
        issuer: host,
        // Studio tells nobody who confirmed: whoever it was, the session is this host's.
        subject: apiHost,
        recipe: { kind: "fixed" },
        accessToken: token,
        received: deps.now(),
        accessTokenExpires: expires,
        ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
        ...(browserCommand === undefined ? {} : { signIn: { browserCommand } }),
      },
      label: tokenName,
    },
    { wantedName: plan.nameFor(tokenName), keyStores, moveKey, activate: false },
    keyringBound(deps),
  );
}

/** The token, once the person has confirmed the code in a browser: one that is opened here, or any other. */
async function confirmed(
  { env, out, sleep, terminal }: Deps,
  exchange: Exchange,
  device: StudioDevice,
  byCode: boolean,
  browserCommand: string | undefined,
): Promise<string> {
  showCode({ ...out, terminal: terminal.canAsk, exchange }, device);
  const obstacle = await obstacleFor({ device: byCode, env }, browserCommand);
  if (obstacle !== undefined) out.note(`No browser is opened here, because ${obstacle}.`);
  else if (!byCode) {
    const outcome = await openBrowser(device.verificationUriComplete, { command: browserCommand });
    if (!outcome.opened) {
      out.note(`No browser came up: ${outcome.reason}. Open one of the addresses yourself.`);
    }
  }
  return await pollStudioToken(exchange, device, { sleep });
}

/** The name of the new session: that of the one before where a person gave it, else after the token. */
function nameOf(
  sessions: readonly Session[],
  replaced: readonly Session[],
  tokenName: string,
  apiHost: string,
): string {
  const label = (name: string) => name.replaceAll(":", "-");
  const given = replaced.find(({ name, user }) =>
    name !== defaultSessionName(label(user.name ?? ""), apiHost)
  );
  const others = sessions.filter((session) => !replaced.includes(session));
  return given?.name ?? freeName(others, label(tokenName), apiHost);
}

/** Writes the export; what stood against it, where something did. */
async function exportOf(
  exported: ExportPlace,
  session: Session,
  table: StudioTable,
): Promise<AppError | undefined> {
  try {
    await exportToken(exported, table);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return new AppError(
      thrown.code,
      `The session "${session.name}" is signed in and stored, but not exported: ${thrown.message}`,
      { ...(thrown.hint === undefined ? {} : { hint: thrown.hint }), cause: thrown },
    );
  }
}

function announce(
  deps: Deps,
  saved: SavedSession,
  exported: ExportPlace | undefined,
  { project }: SessionPlace,
): void {
  const { out } = deps;
  const { session } = saved;
  const { name = session.name } = session.user;
  const also = exported === undefined
    ? ""
    : `, and wrote it to ${printable(exported.path)} for DataChain's own tools`;
  out.line(`Signed in at ${session.apiHost} with the token "${printable(name)}"${also}.`);
  tellWhereKept(deps, saved);
  if (project !== undefined) {
    out.note(`It counts in ${printable(project)} and below; ${printable(`${project}/.datumctl`)} holds it.`);
  }
  out.note(`The token lasts until ${session.expires}.`);
  if (session.team !== undefined) out.note(`Default team: ${session.team}`);
  tellName(deps, session, name);
  out.note("Next: datumctl auth token");
}

function signedInAlready(session: Session, { project }: SessionPlace): AppError {
  const where = project === undefined ? "" : ` in ${printable(project)}`;
  const logout = project === undefined ? `datumctl logout ${session.name}` : "datumctl logout --local";
  return new AppError(
    "USAGE",
    `You are signed in at ${printable(session.apiHost)}${where} already, with the token "${
      printable(session.user.name ?? session.name)
    }".`,
    { hint: `Sign out first: ${logout}; or add --force, which replaces that session and revokes its token.` },
  );
}

function otherIdentity(session: Session, host: string): AppError {
  return new AppError(
    "IDENTITY_MISMATCH",
    `The session "${session.name}" is of ${labelOf(session)} at ${
      printable(session.issuer)
    }, not of ${host}. Nothing was asked of anybody.`,
    { hint: "Choose another name: datumctl login --profile NAME" },
  );
}

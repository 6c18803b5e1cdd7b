/** Owns a person's `login` at DataChain Studio: one token for each host, kept for the person or for a project folder. */

import { AppError, printable } from "../../errors.ts";
import type { Exchange } from "../../oauth/http.ts";
import {
  pollStudioToken,
  requestStudioDevice,
  revokeStudioToken,
  type StudioDevice,
} from "../../oauth/studio-device-login.ts";
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
  listSessions,
  LOCK_WAIT,
  lockSession,
  type OpenedSession,
  openSession,
  readConfig,
  removeSession,
  type SavedSession,
  type SessionPlace,
} from "../../sessions/store.ts";
import { keepRecipe } from "../../sign-in/keep-recipe.ts";
import { freeName, makeActive } from "../../sign-in/naming.ts";
import { obstacleFor, showCode } from "../../sign-in/person.ts";
import { openBrowser } from "../../system/browser.ts";
import { boundedSignal, parseTimeout } from "../../system/clock.ts";
import { type Deps, keyringBound } from "../context.ts";
import { type ExportPlace, exportPlaceFor, exportToken, withdrawToken } from "../datachain-export.ts";
import { tellOfFolder, tellWhatComesFirst } from "../session-words.ts";
import { readAuthority, usableKeyStores, wantedSessionName } from "../keeping.ts";
import { tellName, tellWhereKept } from "./announce.ts";
import { openSignIn } from "./exchange.ts";
import type { LoginInput } from "./input.ts";

const DAY = 24 * 3600_000;

/** What the flags ask of Studio. */
interface Asked {
  readonly tokenName: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly teams: readonly string[] | undefined;
  readonly days: number;
}

/** A session that the new one takes the place of, with what is sealed in it where that can be opened. */
interface Replaced {
  readonly session: Session;
  readonly opened: OpenedSession | undefined;
}

/** Signs in, stores the session, makes it active and says so; in place of the session of that host with `--force`. */
export async function signInAtStudio(deps: Deps, input: LoginInput): Promise<void> {
  const asked: Asked = {
    tokenName: studioTokenName(input.name),
    scopes: studioScopes(input.scopes),
    teams: studioTeams(input.team ?? []),
    days: studioDays(input.expiresIn),
  };
  const timeout = parseTimeout(input.timeout ?? "5m", "--timeout");
  const wantedName = wantedSessionName(deps);
  const place = input.local ? localPlaceHere(deps.place) : deps.place;
  const begun = input.local ? await beginLocalPlace(place) : false;
  try {
    await signIn(deps, input, { place, wantedName, asked, timeout });
  } catch (thrown) {
    // Only what is empty goes.
    if (begun) await endLocalPlace(place).catch(() => {});
    throw thrown;
  }
}

interface Attempt {
  readonly place: SessionPlace;
  readonly wantedName: string | undefined;
  readonly asked: Asked;
  readonly timeout: number;
}

async function signIn(
  deps: Deps,
  input: LoginInput,
  { place, wantedName, asked, timeout }: Attempt,
): Promise<void> {
  // Before anybody signs in for nothing.
  const { activeSession } = await readConfig(place);
  await checkRoom(place);
  const { sessions } = await listSessions(place);
  const studios = sessions.filter(({ kind }) => kind === "studio");
  const known = wantedName === undefined
    ? studios.find(({ name }) => name === activeSession) ?? (studios.length === 1 ? studios[0] : undefined)
    : studios.find(({ name }) => name === wantedName);
  const open = (session: Session) => openToReplace(deps, place, session, input.keyring);
  const named = { flag: input.hostname, variable: deps.env("DATACHAIN_STUDIO_URL") };
  const unnamed = input.hostname === undefined && named.variable === undefined;
  // What cannot be opened says nothing of where to sign in.
  const stored = unnamed && known !== undefined ? (await open(known))?.session.issuer : undefined;
  const host = chosenStudioHost({ ...named, stored });
  const other = sessions.find(({ name, kind, issuer }) =>
    name === wantedName && (kind !== "studio" || issuer !== host)
  );
  if (other !== undefined) throw otherIdentity(other, host);
  const there = studios.filter(({ issuer }) => issuer === host);
  const signedIn = there.find(({ expires }) => expires === undefined || Date.parse(expires) > deps.now());
  if (signedIn !== undefined && !input.force) throw signedInAlready(signedIn, place);
  const replaced: Replaced[] = [];
  for (const session of there) replaced.push({ session, opened: await open(session) });

  const keyStores = await usableKeyStores(deps, input.keyring ?? deps.env("DATUMCTL_KEYRING"));
  const before = replaced.find(({ opened }) => opened !== undefined)?.opened?.session;
  const certificateAuthority = input.certificateAuthority === undefined
    ? before?.certificateAuthority
    : await readAuthority(input.certificateAuthority);
  const browserCommand = input.browserCommand ?? before?.signIn?.browserCommand;
  const exported = input.exportDatachain ? await exportPlaceFor(deps.env, place.project, host) : undefined;

  using opened = openSignIn(deps, timeout, certificateAuthority);
  const { exchange } = opened;
  const device = await requestStudioDevice(exchange, {
    host,
    clientName: STUDIO_CLIENT_NAME,
    tokenName: asked.tokenName,
    scopes: asked.scopes,
    teams: asked.teams,
    expiresInDays: asked.days,
  });
  const token = await confirmed(deps, exchange, device, input.device, browserCommand);
  const apiHost = new URL(host).host;
  const expires = deps.now() + asked.days * DAY;
  const team = defaultTeam(asked.teams);
  const remembered = {
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    ...(browserCommand === undefined ? {} : { signIn: { browserCommand } }),
  };
  const bound = keyringBound(deps);
  let saved: SavedSession;
  try {
    saved = await keepRecipe(
      place,
      {
        session: {
          provider: "studio",
          kind: "studio",
          authHost: apiHost,
          user: { subject: apiHost, name: device.tokenName },
          scopes: [...asked.scopes ?? []],
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
          ...remembered,
        },
        label: device.tokenName,
      },
      {
        wantedName: wantedName ?? nameOf(sessions, there, device.tokenName, apiHost),
        keyStores,
        moveKey: input.keyring !== undefined && input.keyring !== "auto",
        activate: false,
      },
      bound,
    );
  } catch (thrown) {
    await withRevocation(deps, exchange, (exchange) => revokeStudioToken(exchange, { host, token }))
      .catch(() => {});
    throw thrown;
  }
  await makeActive(place, saved.session.name);
  if (exported !== undefined) await exportTo(exported, saved.session, { url: host, token, team });
  announce(deps, saved, exported, place);
  for (const old of replaced) await endReplaced(deps, exchange, place, old, saved.session);
  tellWhatComesFirst(deps);
  if (place.project === undefined) await tellOfFolder(deps);
}

/**
 * A session as it was sealed, for its token to be revoked; undefined where its key is lost, or is of a keyring that is
 * given up for a file.
 */
async function openToReplace(
  deps: Deps,
  place: SessionPlace,
  session: Session,
  keyring: string | undefined,
): Promise<OpenedSession | undefined> {
  try {
    return await openSession(place, session, keyringBound(deps));
  } catch (thrown) {
    const lost = thrown instanceof AppError &&
      (thrown.code === "KEYRING_ITEM_MISSING" || thrown.code === "STORAGE" || keyring === "file");
    if (lost) return undefined;
    throw thrown;
  }
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

async function exportTo(
  exported: ExportPlace,
  session: Session,
  table: { readonly url: string; readonly token: string; readonly team: string | undefined },
): Promise<void> {
  try {
    await exportToken(exported, table);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(
      thrown.code,
      `The session "${session.name}" is signed in and stored, but not exported: ${thrown.message}`,
      { ...(thrown.hint === undefined ? {} : { hint: thrown.hint }), cause: thrown },
    );
  }
}

/** Removes a session that has a successor, where that has another name, and revokes its token. */
async function endReplaced(
  deps: Deps,
  exchange: Exchange,
  place: SessionPlace,
  { session, opened }: Replaced,
  successor: Session,
): Promise<void> {
  const { out } = deps;
  if (session.name !== successor.name) {
    const lock = await lockSession(place, session.name, LOCK_WAIT);
    try {
      const { leftBehind } = await removeSession(place, session, keyringBound(deps));
      if (leftBehind !== undefined) out.act(`warning: ${leftBehind.message}`);
    } finally {
      lock.release();
    }
  }
  const word = `The token "${printable(session.user.name ?? session.name)}" that was here before`;
  const token = opened?.credentials.accessToken;
  if (opened === undefined || token === undefined) {
    const until = session.expires === undefined ? "" : ` until ${session.expires}`;
    return out.act(`warning: ${word} cannot be opened, so it is not revoked. It may be valid${until}.`);
  }
  if (session.exportedTo !== undefined && session.exportedTo !== successor.exportedTo) {
    await withdrawToken(session.exportedTo, token).catch((thrown) => {
      if (!(thrown instanceof AppError)) throw thrown;
      out.act(`warning: ${thrown.message}`);
    });
  }
  const host = opened.session.issuer;
  try {
    const revoked = await withRevocation(
      deps,
      exchange,
      (exchange) => revokeStudioToken(exchange, { host, token }),
    );
    out.note(`${word} is revoked${revoked === "already" ? " already" : ""}.`);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code === "INTERRUPTED") throw thrown;
    const until = session.expires === undefined ? "" : ` until ${session.expires}`;
    out.act(
      `warning: ${word} is still valid at ${
        new URL(host).host
      }${until}: ${thrown.message} Revoke it there, in your profile.`,
    );
  }
}

/** Asks for a revocation within a time of its own: the sign-in's may be over. */
async function withRevocation<T>(
  deps: Deps,
  { fetch, now, log }: Exchange,
  work: (exchange: Exchange) => Promise<T>,
): Promise<T> {
  const slow = () => new AppError("NETWORK", "Studio did not answer in time.");
  using bounded = boundedSignal(Math.min(deps.requestTimeout, 10_000), slow, deps.interrupted);
  return await work({ fetch, now, signal: bounded.signal, ...(log && { log }) });
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

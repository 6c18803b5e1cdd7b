/**
 * Checks who is signed in: whether a session is active, which ones are over, and whether one can still be
 * renewed.
 */

import { AppError, failureOrThrow } from "../../errors.ts";
import { LOGIN } from "../../hints.ts";
import type { OpenedSession } from "../../sessions/open.ts";
import { FOLDER_FILE } from "../../sessions/folders-above.ts";
import { freshToken, preferredKind } from "../../sessions/fresh-token.ts";
import { isOver } from "../../sessions/session.ts";
import { timedToken } from "../../sessions/token.ts";
import { formatSpan } from "../../system/clock.ts";
import { printable, shellLine } from "../../text.ts";
import { type CommandContext, tokenLimits } from "../context.ts";
import { confirmPrompt } from "../prompt/confirm.ts";
import { ask } from "../prompt/loop.ts";
import { asideLine } from "./files.ts";
import { checkNamed, type Finding, saidBy } from "./finding.ts";
import { keyOf } from "./keyring.ts";
import type { Acting, SessionFile } from "./stored.ts";

const SIGNED_IN = checkNamed("sessions.signed-in");
const ACTING = checkNamed("sessions.acting");
const RENEWABLE = checkNamed("sessions.renewable");
const AUTHORITY = checkNamed("sessions.authority");
const REFRESH = checkNamed("sessions.refresh");

/** Checks the stored sessions, and which one commands act as. */
export async function checkSessions(
  { now, providers }: CommandContext,
  sessions: readonly SessionFile[],
  acting: Acting,
  opened: ReadonlyMap<string, OpenedSession>,
): Promise<Finding[]> {
  if (sessions.length === 0 && acting.name === undefined && acting.error === undefined) {
    return [SIGNED_IN.warning({
      found: "nobody is signed in",
      meaning: "Begin there; everything else can be checked afterwards.",
      line: LOGIN,
    })];
  }
  const findings = [actingFinding(sessions, acting)];
  for (const stored of sessions) {
    findings.push(await renewable(stored, opened.get(keyOf(stored)), now()));
    const authority = stored.session.certificateAuthority;
    if (authority !== undefined) {
      findings.push(
        await authorityFinding(stored, authority, now(), () => providers.trustLine(stored.session)),
      );
    }
  }
  return findings;
}

function actingFinding(sessions: readonly SessionFile[], { name, source, error, broken }: Acting): Finding {
  if (error !== undefined && broken !== undefined) {
    const { message: found, hint: meaning } = error;
    return ACTING.fault({ about: source, found, meaning, line: asideLine(broken) });
  }
  if (error !== undefined) {
    const said = saidBy(error);
    return ACTING.fault({
      about: source,
      ...said,
      line: source.startsWith("--") || source.endsWith(FOLDER_FILE)
        ? said.line
        : shellLine(["unset", source]),
    });
  }
  const there = sessions.find(({ session }) => session.name === name);
  if (there !== undefined || name?.startsWith("env:")) {
    const who = name?.startsWith("env:")
      ? `a session from ${source}`
      : `${printable(name ?? "", 200)}, ${source}`;
    return ACTING.ok({ found: `commands act as ${who}` });
  }
  if (name === undefined) {
    return ACTING.warning({
      found: "no session is active",
      meaning: "Commands do not know whom to act as.",
      line: switchLine(sessions),
    });
  }
  const gone = { about: printable(name, 200), found: `${source} names a session that is not here` };
  if (source === "the active session") {
    return ACTING.fault({
      ...gone,
      found: "it is the active session, and it is not here",
      meaning: "Commands do not know whom to act as.",
      line: sessions.length === 0 ? LOGIN : switchLine(sessions),
    });
  }
  if (source.endsWith(FOLDER_FILE)) {
    return ACTING.fault({
      ...gone,
      meaning: "Every command there fails that does not name another.",
      line: shellLine(["datumctl", "login", "--profile", name]),
    });
  }
  return ACTING.fault({
    ...gone,
    meaning: "Every command fails that does not name another.",
    line: source.startsWith("--") ? "datumctl auth list" : shellLine(["unset", source]),
  });
}

/** The line that makes one active: the only one, else a person picks. */
function switchLine([first, ...others]: readonly SessionFile[]): string {
  return first === undefined
    ? LOGIN
    : shellLine(["datumctl", "auth", "switch", ...others.length === 0 ? [first.session.name] : []]);
}

/** What is known of a session's renewal without asking anybody. */
async function renewable(
  { session, store }: SessionFile,
  opened: OpenedSession | undefined,
  now: number,
): Promise<Finding> {
  const about = session.name;
  if (isOver(session, now)) {
    const refused = session.renewalRefused !== undefined;
    const { meaning, line } = saidBy(
      new AppError("SESSION_EXPIRED", "", {
        hint: await store.providers.signInAgain(session),
      }),
    );
    return RENEWABLE.fault({
      about,
      found: refused ? "its issuer no longer renews it" : "it has ended",
      meaning: refused ? "Every command that acts as it fails. Sign in again." : meaning,
      line,
    });
  }
  const { credentials } = opened ?? {};
  const ends = session.expires === undefined ? undefined : Date.parse(session.expires);
  if (ends !== undefined && ends - now < SOON) {
    const { meaning, line } = saidBy(
      new AppError("SESSION_EXPIRED", "", {
        hint: await store.providers.signInAgain(session),
      }),
    );
    return RENEWABLE.warning({ about, found: `it ends in ${formatSpan(ends - now)}`, meaning, line });
  }
  if (session.kind.tokens === "given") return RENEWABLE.ok({ about, found: "its token was given once" });
  if (credentials === undefined) return RENEWABLE.skipped({ about, found: "it could not be opened" });
  if (credentials.tokenSource !== undefined) {
    return RENEWABLE.ok({ about, found: "its tokens are issued when needed" });
  }
  if (credentials.refreshToken !== undefined) return RENEWABLE.ok({ about, found: "it renews itself" });
  const end = timedToken(credentials, preferredKind(session))?.expires;
  if (end !== undefined && end <= now) {
    const { meaning, line } = saidBy(
      new AppError("SESSION_EXPIRED", "", {
        hint: await store.providers.signInAgain(session),
      }),
    );
    return RENEWABLE.fault({ about, found: "it has ended: it came without a refresh token", meaning, line });
  }
  const left = end === undefined ? "" : `, and ends in ${formatSpan(end - now)}`;
  return RENEWABLE.note({
    about,
    found: `it came without a refresh token${left}`,
    meaning: "The issuer gave none. It may want the scope offline_access, or allow it to this client first.",
  });
}

async function authorityFinding(
  { session: { name } }: SessionFile,
  authority: string,
  now: number,
  trustLine: () => Promise<string>,
): Promise<Finding> {
  const { lifeOf } = await import("./certificates.ts");
  const life = lifeOf(authority);
  if (life !== undefined && life.ends > now) {
    return AUTHORITY.ok({ about: name, found: `its authority is good until ${isoDay(life.ends)}` });
  }
  return AUTHORITY.fault({
    about: name,
    found: life === undefined
      ? "its authority cannot be read"
      : `its authority ended on ${isoDay(life.ends)}`,
    meaning: "Its issuer can be trusted no more. Sign in again with the current one.",
    line: await trustLine(),
  });
}

/** A week, in milliseconds. */
const SOON = 7 * 24 * 60 * 60_000;

function isoDay(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/** Whether the session that commands act as is renewed for a trial. */
export interface RefreshChoice {
  /** `--refresh`. */
  readonly wanted: boolean;
  /** A person may be asked. */
  readonly mayAsk: boolean;
  /** Why it is not tried in any case. */
  readonly refusal?: string | undefined;
}

/**
 * Renews the session once, as the next command would, if that is wanted: its tokens change, the old ones may
 * end.
 */
export async function checkRefresh(
  cli: CommandContext,
  stored: SessionFile | undefined,
  { wanted, mayAsk, refusal }: RefreshChoice,
): Promise<Finding[]> {
  if (stored === undefined) return [];
  const { session, store } = stored;
  const about = session.name;
  if (refusal !== undefined) return [REFRESH.skipped({ about, found: refusal })];
  if (!wanted && !(mayAsk && await agreed(cli, about))) {
    return [
      REFRESH.skipped({ about, found: "it was not renewed for a trial", line: "datumctl doctor --refresh" }),
    ];
  }
  try {
    const token = await freshToken(store, session, { force: true }, tokenLimits(cli));
    const life = formatSpan(token.expires - cli.now());
    return [REFRESH.ok({ about, found: `the issuer renewed it: its token is good for ${life}` })];
  } catch (thrown) {
    return [REFRESH.fault({ about, ...saidBy(failureOrThrow(thrown)) })];
  }
}

async function agreed(cli: CommandContext, name: string): Promise<boolean> {
  const question = `Renew ${printable(name, 200)} once, to see that its issuer does?`;
  const asked = await ask(cli.terminal, cli.interrupted, confirmPrompt(question));
  if (asked.kind === "cancelled") throw new AppError("INTERRUPTED", "Interrupted.");
  cli.interrupted.throwIfAborted();
  return /^y(?:es)?$/i.test(asked.kind === "answered" ? asked.answer : asked.state);
}

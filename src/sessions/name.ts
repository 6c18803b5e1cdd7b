/** What sessions are known by: their names and those of their files, the hosts and subjects in them. */

import { sha256, toBase32 } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { mayBeCut, sessionNameOf } from "./name-characters.ts";
import type { Session } from "./session.ts";

export { isSessionName } from "./name-characters.ts";

/** The names of sessions that come from variables and are stored nowhere begin so. */
export const AMBIENT = "env:";

/** The name of the session that `--credentials-file` gives. */
export const OF_CREDENTIALS_FILE = `${AMBIENT}--credentials-file`;

/** The name of a session's file, without its ending: base32 of the SHA-256 of its name, 16 characters. */
export async function fileNameOf(sessionName: string): Promise<string> {
  return toBase32(await sha256(sessionName)).slice(0, 16);
}

/** The name that a session gets by itself: `<label>@<host>`, characters that no name is made of as `-`. */
export function defaultSessionName(label: string, host: string): string {
  return sessionNameOf(`${label}@${host}`);
}

/**
 * The API host that a name ends in, where it is told from a person's words; with what a name has behind it that was
 * taken: six characters, a number, or both.
 */
export function hostInName(name: string): string | undefined {
  const [, long, api] = /^[^@]+@[^@]+@([^@]*[.:][^@]*)$|@(api\.[^@]+)$/.exec(name) ?? [];
  return long ?? api;
}

/**
 * Refuses a new session the name that one at another host gets by itself: that one's kubeconfig entries are held to the
 * name alone, and would hand this one's tokens to their server. Throws `USAGE`.
 */
export function refuseNameOfOtherHost(name: string, apiHost: string): void {
  const host = hostInName(name);
  const usual = defaultSessionName("x", apiHost).slice("x@".length);
  const counted = host?.replace(/-\d+$/, "");
  const hosts = [host, counted, ...[host, counted].map((one) => one?.replace(/-[0-9a-f]{6}$/, ""))];
  if (host === undefined || mayBeCut(name) || hosts.includes(usual)) return;
  throw new AppError(
    "USAGE",
    `A session of ${apiHost} cannot be named "${name}": it would pass for one of ${host}.`,
    {
      hint: "Choose another name (--profile NAME), or name the host to sign in to.",
    },
  );
}

/**
 * True for a session of that API host; or, where the place is a URL, of the issuer of exactly that URL: organizations
 * can share an API host.
 */
export function matchesServer(
  { apiHost, issuer }: Pick<Session, "apiHost" | "issuer">,
  place: string,
): boolean {
  return place === (place.includes("://") ? issuer : apiHost);
}

/** The subject of a workload's session, as it was named at its login: where the token is, and whom it is for. */
export const WORKLOAD_SUBJECT = /^(github|gitlab:\w+|file:(?:[A-Za-z]:)?[^:]+):(.+)$/;

/** What a person is called by: the e-mail, else the user name at the issuer, else the identity itself. */
export function nameOfPerson({ email, username, subject }: Session["user"]): string {
  return email ?? username ?? subject;
}

/** True for what a person is called by, in whatever case. */
export function isCalled({ email, username }: Session["user"], text: string): boolean {
  const folded = text.normalize("NFC").toLowerCase();
  return [email, username].some((name) => name?.normalize("NFC").toLowerCase() === folded);
}

/** How somebody is called in a sentence: by e-mail or user name, else by the session's own name, or by what that was made of. */
export function labelOf({ name, apiHost, user: { email, username, subject } }: Session): string {
  return printable(email ?? username ?? (name === defaultSessionName(subject, apiHost) ? subject : name));
}

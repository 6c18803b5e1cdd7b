/** Names of sessions: which characters they have, the names of their files, the hosts and people in them. */

import { sha256, toBase32 } from "../encoding.ts";
import { withoutControls } from "../text.ts";

/** Who a session is of: `subject` is the identity, the rest are labels. */
export interface User {
  readonly subject: string;
  readonly email?: string | undefined;
  readonly username?: string | undefined;
}

/** The beginning of the names of sessions that come from variables and are stored nowhere. */
export const ENV_PREFIX = "env:";

/** The name of the session that `--credentials-file` gives. */
export const OF_CREDENTIALS_FILE = `${ENV_PREFIX}--credentials-file`;

/** In code points. */
const LONGEST = 128;

/** In bytes of UTF-8: a name with an ending still fits into a file's name and a keyring's account. */
const LARGEST = 200;

// Most names are ASCII. The other patterns are texts, because the runtime would read them at each start, which takes long.
const ASCII_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+:-]{0,127}$/;

const NAME = String.raw`^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._@+:-]{0,127}$`;

/** True when a text can be a session's name: composed as Unicode's NFC has it, and without invisible characters. */
export function isSessionName(name: string): boolean {
  if (ASCII_NAME.test(name)) return true;
  return new RegExp(NAME, "u").test(name) && name === name.normalize("NFC") &&
    name === withoutControls(name) && fits(name);
}

/** True for a name that is short enough. */
export function fits(name: string): boolean {
  return [...name].length <= LONGEST && new TextEncoder().encode(name).length <= LARGEST;
}

/** The name of a session's file, without its ending: base32 of the SHA-256 of its name, 16 characters. */
export function fileNameOf(sessionName: string): Promise<string> {
  const known = fileNames.get(sessionName);
  if (known !== undefined) return known;
  const made = sha256(sessionName).then((digest) => toBase32(digest).slice(0, 16));
  fileNames.set(sessionName, made);
  return made;
}

/** A digest is a trip through the runtime's threads, and one call asks for several files of one session. */
const fileNames = new Map<string, Promise<string>>();

/**
 * True for a session of that API host; for a URL, of the issuer of exactly that URL: organizations can share an API host.
 */
export function matchesServer(
  { apiHost, issuer }: { readonly apiHost: string; readonly issuer: string },
  server: string,
): boolean {
  return server === (server.includes("://") ? issuer : apiHost);
}

/** The subject of a workload's session: where its token is, and its audience. */
export const WORKLOAD_SUBJECT = /^(github|gitlab:\w+|file:(?:[A-Za-z]:)?[^:]+):(.+)$/;

/** What a person is called by: the e-mail, else the user name at the issuer, else the identity itself. */
export function nameOfPerson({ email, username, subject }: User): string {
  return email ?? username ?? subject;
}

/** True for a name that a person is called by, in any case. */
export function isCalled({ email, username }: User, text: string): boolean {
  const folded = text.normalize("NFC").toLowerCase();
  return [email, username].some((name) => name?.normalize("NFC").toLowerCase() === folded);
}

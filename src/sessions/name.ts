/** Names of sessions: which characters they have, the names of their files, the hosts and people in them. */

import { sha256, toBase32 } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { printable, withoutControls } from "../text.ts";

/** Who a session is of: `subject` is the identity, the rest are labels. */
interface User {
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

const FOREIGN = String.raw`[^\p{L}\p{M}\p{Nd}._@+:-]`;

const FOREIGN_START = String.raw`^[^\p{L}\p{Nd}]+`;

const INVISIBLE = String.raw`[\p{Cf}\p{Default_Ignorable_Code_Point}]`;

/** True when a text can be a session's name: composed as Unicode's NFC has it, and without invisible characters. */
export function isSessionName(name: string): boolean {
  if (ASCII_NAME.test(name)) return true;
  return new RegExp(NAME, "u").test(name) && name === name.normalize("NFC") &&
    name === withoutControls(name) && fits(name);
}

/**
 * A text as a session's name: invisible characters are dropped, other foreign ones become `-`, and a long text is cut so that
 * `ending` still fits behind it. Where nothing is left, the name is `session`.
 */
export function sessionNameOf(text: string, ending = ""): string {
  const name = text.replace(new RegExp(INVISIBLE, "gu"), "").normalize("NFC")
    .replace(new RegExp(FOREIGN, "gu"), "-").replace(new RegExp(FOREIGN_START, "u"), "");
  const characters = [...name === "" ? "session" : name];
  while (!fits(`${characters.join("")}${ending}`)) characters.pop();
  return `${characters.join("")}${ending}`;
}

/** True for a name so long that its end may have been cut, wherever that was. */
function mayBeCut(name: string): boolean {
  return !fits(`${name}123456789`);
}

function fits(name: string): boolean {
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

/** The name that a session gets by itself: `<label>@<host>`, with `-` for foreign characters. */
export function defaultSessionName(label: string, host: string): string {
  return sessionNameOf(`${label}@${host}`);
}

/**
 * The API host at the end of a name that a session got by itself, with the ending of a name that was taken: six characters,
 * a number, or both. Undefined for other names.
 */
export function hostInName(name: string): string | undefined {
  const [, long, api] = /^[^@]+@[^@]+@([^@]*[.:][^@]*)$|@(api\.[^@]+)$/.exec(name) ?? [];
  return long ?? api;
}

/**
 * Refuses a new session the name that a session at another host gets by itself: kubeconfig entries of that one name nothing
 * else, and would hand this one's tokens to their server.
 *
 * @throws {AppError} `USAGE`.
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

/** A session's person in a sentence: the e-mail or user name, else the session's name, or the subject that it was made of. */
export function labelOf(
  { name, apiHost, user: { email, username, subject } }: {
    readonly name: string;
    readonly apiHost: string;
    readonly user: User;
  },
): string {
  return printable(email ?? username ?? (name === defaultSessionName(subject, apiHost) ? subject : name));
}

/** The names that sessions get by themselves, made of people and hosts; and who and where a name says it is. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { fits, type User } from "./name.ts";

const FOREIGN = String.raw`[^\p{L}\p{M}\p{Nd}._@+:-]`;

const FOREIGN_START = String.raw`^[^\p{L}\p{Nd}]+`;

const INVISIBLE = String.raw`[\p{Cf}\p{Default_Ignorable_Code_Point}]`;

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

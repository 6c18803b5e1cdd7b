/** Acting as another user: what flags and a kubeconfig's user entry say of them, and the headers of requests. */

import { isObject } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { printable } from "../text.ts";

/** The flags of kubectl that say whom a request is made as, as they were typed. */
export interface ImpersonationFlags {
  readonly as?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
  readonly asUid?: string | undefined;
  /** Each `KEY=VALUE`; a key may have several values. */
  readonly asUserExtra?: readonly string[] | undefined;
}

/** Whom requests are made as. */
export interface Impersonation {
  readonly user: string;
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  /** What an authenticator adds, such as scopes: keys with their values; a key may occur several times. */
  readonly extra: readonly Extra[];
}

type Extra = readonly [key: string, value: string];

/** The parts of an {@link Impersonation}, each with what names it in messages. */
interface Parts {
  readonly user: Part | undefined;
  readonly uid: Part | undefined;
  readonly groups: readonly Part[];
  readonly extra: readonly (Part & { readonly key: string })[];
}

interface Part {
  readonly value: string;
  /** The flag, or the entry's field. */
  readonly source: string;
}

/**
 * Whom requests are made as: what the flags say, and for what they leave open the user entry that the context in use has,
 * each part by itself, as kubectl does it. Undefined where neither says anything.
 *
 * @throws {AppError} `USAGE` for a part without a user, and for what no header can carry; `KUBECONFIG` for an entry that
 * kubectl could not read either
 */
export function impersonationOf(
  flags: ImpersonationFlags,
  entry?: UserEntry | undefined,
): Impersonation | undefined {
  const given = partsOfFlags(flags);
  const stored = entry === undefined ? NONE : partsOfEntry(entry);
  const keys = new Set(given.extra.map(({ key }) => key));
  const parts: Parts = {
    user: given.user ?? stored.user,
    uid: given.uid ?? stored.uid,
    groups: given.groups.length > 0 ? given.groups : stored.groups,
    extra: [...stored.extra.filter(({ key }) => !keys.has(key)), ...given.extra],
  };
  const { user, uid, groups, extra } = parts;
  if (user === undefined) {
    const [first] = [uid, ...groups, ...extra].filter((part) => part !== undefined);
    if (first === undefined) return undefined;
    throw new AppError("USAGE", `${first.source} is given without a user to act as.`, {
      hint: "Name the user, too: --as USER",
    });
  }
  for (const part of [user, uid, ...groups]) if (part !== undefined) checkName(part);
  for (const part of extra) checkText(part);
  return {
    user: user.value,
    groups: groups.map(({ value }) => value),
    uid: uid?.value,
    extra: extra.map(({ key, value }) => [key, value]),
  };
}

const NONE: Parts = { user: undefined, uid: undefined, groups: [], extra: [] };

function partsOfFlags({ as, asGroup = [], asUid, asUserExtra = [] }: ImpersonationFlags): Parts {
  const part = (source: string, value: string): Part => ({ source, value });
  return {
    user: as === undefined ? undefined : part("--as", as),
    uid: asUid === undefined ? undefined : part("--as-uid", asUid),
    groups: asGroup.map((group) => part("--as-group", group)),
    extra: asUserExtra.map((text) => {
      const [, key, value = ""] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
      if (key !== undefined) return { key, ...part("--as-user-extra", value) };
      throw new AppError("USAGE", `--as-user-extra takes KEY=VALUE, not "${printable(text, 60)}".`);
    }),
  };
}

/** A user entry of a kubeconfig. */
export interface UserEntry {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function partsOfEntry({ name, fields }: UserEntry): Parts {
  const source = (field: string) => `${field} of the user entry "${printable(name, 100)}"`;
  const wrong = (field: string) =>
    new AppError("KUBECONFIG", `${source(field)} is not what kubectl writes there.`, {
      hint: "Look at it: kubectl config view",
    });
  const textOf = (field: string): Part | undefined => {
    const value = fields[field] ?? "";
    if (typeof value !== "string") throw wrong(field);
    return value === "" ? undefined : { value, source: source(field) };
  };
  const textsOf = (field: string, texts: unknown): Part[] => {
    if (!Array.isArray(texts) || !texts.every((text) => typeof text === "string")) throw wrong(field);
    return texts.map((value) => ({ value, source: source(field) }));
  };
  const extra = fields["as-user-extra"] ?? {};
  if (!isObject(extra)) throw wrong("as-user-extra");
  return {
    user: textOf("as"),
    uid: textOf("as-uid"),
    groups: textsOf("as-groups", fields["as-groups"] ?? []),
    extra: Object.entries(extra).flatMap(([key, values]) =>
      textsOf("as-user-extra", values ?? []).map((part) => ({ key, ...part }))
    ),
  };
}

/** An empty name would be taken for none, and the request would be made with the rights of its sender. */
function checkName(part: Part): void {
  if (part.value === "") throw new AppError("USAGE", `${part.source} is empty.`, { hint: "Name somebody." });
  checkText(part);
}

/** What a header cannot carry as it is: control characters, what was no UTF-8, and blanks at either end. */
function checkText({ source, value }: Part): void {
  if (!/[\p{Cc}\p{Cs}\ufffd]|^ | $/u.test(value)) return;
  throw new AppError(
    "USAGE",
    `${source} has a control character, or begins or ends with a blank: "${printable(value, 60)}".`,
  );
}

/** The headers that make a request somebody else's, in UTF-8, which API servers read. */
export function impersonationHeaders(
  { user, groups, uid, extra }: Impersonation,
): readonly (readonly [name: string, value: string])[] {
  const headers: [string, string][] = [["impersonate-user", user]];
  if (uid !== undefined) headers.push(["impersonate-uid", uid]);
  for (const group of groups) headers.push(["impersonate-group", group]);
  for (const [key, value] of extra) headers.push([`impersonate-extra-${headerKey(key)}`, value]);
  return headers.map(([name, value]) => [name, bytesAsText(value)]);
}

/** A key as it stands in a header's name: what may not stand there, and `%`, percent-encoded, as client-go does it. */
function headerKey(key: string): string {
  return [...bytesAsText(key)].map((char) =>
    /[!#$&'*+.^_`|~\w-]/.test(char)
      ? char
      : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
  ).join("");
}

/** A text whose characters are the bytes of its UTF-8, which is how `fetch` takes what is beyond ASCII. */
function bytesAsText(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/** The flags that say the same, for a line to paste. */
export function flagsFor(
  { user, groups, uid, extra }: Impersonation,
): readonly string[] {
  return [
    `--as=${user}`,
    ...groups.map((group) => `--as-group=${group}`),
    ...uid === undefined ? [] : [`--as-uid=${uid}`],
    ...extra.map(([key, value]) => `--as-user-extra=${key}=${value}`),
  ];
}

/** The fields of a user entry that say the same. */
export function entryFieldsFor({ user, groups, uid, extra }: Impersonation): UserEntry["fields"] {
  const extras = Map.groupBy(extra, ([key]) => key);
  return {
    as: user,
    "as-uid": uid,
    "as-groups": groups.length === 0 ? undefined : groups,
    "as-user-extra": extras.size === 0
      ? undefined
      : Object.fromEntries([...extras].map(([key, pairs]) => [key, pairs.map(([, value]) => value)])),
  };
}

/** For messages: `zoe@example.com, groups a and b, uid 5`. */
export function impersonationLabel({ user, groups, uid }: Impersonation): string {
  const parts = [printable(user, 200)];
  if (groups.length > 0) parts.push(`groups ${groups.map((group) => printable(group, 100)).join(" and ")}`);
  if (uid !== undefined) parts.push(`uid ${printable(uid, 100)}`);
  return parts.join(", ");
}

/** What a cache of a server is for: what one user is shown must not be taken for what another one is. */
export function cacheSource(baseUrl: string, impersonation: Impersonation | undefined): string {
  return impersonation === undefined ? baseUrl : `${baseUrl} ${JSON.stringify(impersonation)}`;
}

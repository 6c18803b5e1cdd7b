/** Datum's own datumctl: its sessions, and what it keeps of each in the keyring or in its file. */

import { parse } from "yaml";
import { AppError } from "../../errors.ts";
import { isObject, parseJson } from "../../encoding.ts";
import { DATUM_AUTH_HOST, datumClientId, datumTarget } from "../../providers/datum/hosts.ts";
import { parseHost } from "../../providers/host.ts";
import { readSharedFile } from "../../system/shared-file.ts";
import { printable } from "../../text.ts";
import type { Finding, KeptCredential, OtherTokens, Read } from "./found.ts";
import { NO_AUTHORITY } from "./found.ts";
import { refusalOf, tokenText } from "./kubelogin.ts";

/** The service of its keyring items. */
export const VENDOR_SERVICE = "datumctl-auth";

/** What people call it here, where it has our name. */
export const VENDOR = "Datum's datumctl";

const LARGEST = 1024 * 1024;

/** What its items are read with. */
export interface VendorPlaces {
  /** The person's home. */
  readonly home: string;
  /** Reads an item of the system's keyring; undefined for one that is not there or cannot be read. */
  readonly keyringItem: (service: string, account: string) => Promise<string | undefined>;
}

/** A session of Datum's own datumctl. */
export interface VendorSession {
  readonly name: string;
  /** It is the one that entries without a session's name act as. */
  readonly active: boolean;
  readonly place: string;
  readonly read: Read;
  readonly tokens: OtherTokens | undefined;
  readonly kept: KeptCredential | undefined;
}

/** An entry's `exec`, as far as it tells whose it is. */
interface VendorExec {
  readonly program: string;
  readonly args: readonly string[];
  readonly installHint: string;
}

/**
 * True for an entry that Datum's own datumctl wrote: its hint says so; or it has none, and names no session of ours.
 *
 * @param session the session that the entry names
 */
export function isVendors(
  { program, args: [group, command], installHint }: VendorExec,
  ours: ReadonlySet<string>,
  session?: string,
): boolean {
  if (group !== "auth" || command !== "get-token") return false;
  if (installHint.includes("go.datum.net/datumctl")) return true;
  return program === "datumctl" && installHint === "" && (session === undefined || !ours.has(session));
}

/** The session that an entry's arguments name; the active one where they name none. */
export function vendorSessionOf(
  sessions: readonly VendorSession[],
  args: readonly string[],
): VendorSession | undefined {
  const at = args.findIndex((arg) => arg === "--session" || arg.startsWith("--session="));
  const arg = args[at];
  if (arg === undefined) return sessions.find(({ active }) => active);
  const name = arg === "--session" ? args[at + 1] : arg.slice("--session=".length);
  return sessions.find((session) => session.name === name);
}

/** The sessions of Datum's own datumctl; none where it was never used. What cannot be read is left out. */
export async function vendorSessions(places: VendorPlaces): Promise<VendorSession[]> {
  const folder = `${places.home}/.datumctl`;
  const items = await itemsOf(folder, places);
  const listed = await listedSessions(`${folder}/config`) ?? await knownUsers(items);
  const sessions: VendorSession[] = [];
  for (const session of listed.slice(0, 100)) {
    const text = await items.get(session.userKey);
    const stored = text === undefined ? undefined : parseJson(text);
    sessions.push(sessionOf(session, isObject(stored) ? stored : {}, items.place));
  }
  return sessions;
}

/** Where it keeps its items. */
interface Items {
  readonly place: string;
  readonly get: (account: string) => Promise<string | undefined>;
}

/** Its file, which it uses from then on that a keyring failed; else the keyring. */
async function itemsOf(folder: string, { keyringItem }: VendorPlaces): Promise<Items> {
  const path = `${folder}/credentials.json`;
  const text = await textOf(path);
  if (text === undefined || text === "") {
    return { place: "the keyring", get: (account) => keyringItem(VENDOR_SERVICE, account) };
  }
  const services = parseJson(text);
  const items = isObject(services) ? services[VENDOR_SERVICE] : undefined;
  return {
    place: path,
    get(account) {
      const item = isObject(items) && Object.hasOwn(items, account) ? items[account] : undefined;
      return Promise.resolve(typeof item === "string" ? item : undefined);
    },
  };
}

/** A session as its configuration lists it. */
interface ListedSession {
  readonly name: string;
  readonly userKey: string;
  readonly active: boolean;
  readonly email: string | undefined;
  readonly authHost: string | undefined;
  readonly apiHost: string | undefined;
  readonly authority: string | undefined;
}

/** `datumctl.config.datum.net/v1beta1`; undefined where there is no such file. */
async function listedSessions(path: string): Promise<ListedSession[] | undefined> {
  const text = await textOf(path);
  if (text === undefined) return undefined;
  const config = yamlOf(text);
  if (!isObject(config) || !Array.isArray(config.sessions)) return undefined;
  const active = config["active-session"];
  return config.sessions.filter(isObject).flatMap((session) => {
    const [name, userKey] = [textIn(session, "name"), textIn(session, "user-key")];
    if (name === undefined || userKey === undefined) return [];
    const endpoint = isObject(session.endpoint) ? session.endpoint : {};
    return [{
      name,
      userKey,
      active: name === active,
      email: textIn(session, "user-email"),
      authHost: textIn(endpoint, "auth-hostname"),
      apiHost: textIn(endpoint, "server")?.replace(/^https?:\/\//, "").replace(/\/+$/, ""),
      authority: textIn(endpoint, "certificate-authority-data"),
    }];
  });
}

/** What older versions keep instead of that file: a list of users, and which of them is active. */
async function knownUsers(items: Items): Promise<ListedSession[]> {
  const listed = parseJson(await items.get("known_users") ?? "");
  const active = await items.get("active_user");
  const keys: readonly unknown[] = Array.isArray(listed) ? listed : active === undefined ? [] : [active];
  return keys.filter((key): key is string => typeof key === "string").map((key) => ({
    name: key,
    userKey: key,
    active: key === active,
    email: undefined,
    authHost: undefined,
    apiHost: undefined,
    authority: undefined,
  }));
}

function sessionOf(
  { name, active, userKey, ...listed }: ListedSession,
  stored: Readonly<Record<string, unknown>>,
  where: string,
): VendorSession {
  const place = `${where} (${printable(userKey, 200)})`;
  const authHost = listed.authHost ?? textIn(stored, "hostname") ?? DATUM_AUTH_HOST;
  const apiHost = listed.apiHost ?? textIn(stored, "api_hostname");
  const clientId = textIn(stored, "client_id");
  const email = listed.email ?? textIn(stored, "user_email");
  const derived = authHost.startsWith("auth.") && apiHost === `api.${authHost.slice("auth.".length)}`;
  const usual = authHost === DATUM_AUTH_HOST && derived;
  const login = {
    hostname: usual ? undefined : authHost,
    apiHostname: derived ? undefined : apiHost,
    clientId: clientId === datumClientId(authHost) ? undefined : clientId,
    device: false,
  };
  const wrong = refusalOf(() => {
    parseHost(authHost, "its sign-in host");
    if (apiHost !== undefined) parseHost(apiHost, "its API host");
    datumTarget(login);
  });
  const found = { name, active, place };
  const kept = serviceAccountIn(stored, login);
  if (kept !== undefined) {
    const problem = "it is of a service account, whose key becomes a session of its own";
    return { ...found, read: { problem }, tokens: undefined, kept };
  }
  if (wrong !== undefined) return { ...found, read: { problem: wrong }, tokens: undefined, kept: undefined };
  const authority = listed.authority === undefined ? NO_AUTHORITY : { files: [], data: [listed.authority] };
  return {
    ...found,
    read: { signIn: { login, authority, email }, notes: [] },
    tokens: tokensIn(stored, place),
    kept: undefined,
  };
}

function tokensIn(stored: Readonly<Record<string, unknown>>, where: string): OtherTokens | undefined {
  const token = isObject(stored.token) ? stored.token : {};
  const refreshToken = tokenText(token.refresh_token);
  const subject = textIn(stored, "subject");
  return refreshToken === undefined || subject === undefined ? undefined : { where, refreshToken, subject };
}

/** A service account's key in the form of its file. */
function serviceAccountIn(
  stored: Readonly<Record<string, unknown>>,
  login: { readonly hostname: string | undefined; readonly apiHostname: string | undefined },
): KeptCredential | undefined {
  const type = stored.credential_type;
  const account = stored.service_account;
  if ((type !== "service_account" && type !== "datum_service_account") || !isObject(account)) {
    return undefined;
  }
  const { client_id, client_email, private_key_id, private_key, scope } = account;
  if (typeof private_key !== "string" || private_key === "") return undefined;
  return {
    kind: "service-account",
    keyFile: JSON.stringify({
      type: "datum_service_account",
      client_id,
      client_email,
      private_key_id,
      private_key,
      scope,
    }),
    login: { hostname: login.hostname, apiHostname: login.apiHostname, credentials: "-", device: false },
  };
}

/** What is offered of them where no entry of the kubeconfig is of them. */
export function vendorFindings(sessions: readonly VendorSession[], taken: ReadonlySet<string>): Finding[] {
  return sessions.filter(({ name }) => !taken.has(name)).map(({ name, place, read, tokens, kept }) => {
    const found = { tool: VENDOR, name, place };
    if (kept !== undefined) return { ...found, kept, notes: [] };
    return "problem" in read
      ? { ...found, problem: read.problem, notes: [] }
      : { ...found, signIn: read.signIn, tokens, notes: read.notes };
  });
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    const bytes = await readSharedFile(path, LARGEST);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  } catch (thrown) {
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

function yamlOf(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0, logLevel: "silent" });
  } catch {
    return undefined;
  }
}

function textIn(object: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

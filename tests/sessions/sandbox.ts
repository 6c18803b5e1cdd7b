/** A place for sessions of one test: real files in a folder of its own, a clock, and a keyring that can fail. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import type { SecretStore } from "../../src/keyring/store.ts";
import { type KeyStore, type SessionPaths, SessionStore } from "../../src/sessions/store.ts";
import { asPersonSession, type OpenedSignIn } from "../../src/sessions/refresh.ts";
import type { SignInCredentials } from "../../src/sessions/credentials.ts";
import type { Session } from "../../src/sessions/session.ts";
import { defaultSessionName } from "../../src/sessions/new-name.ts";
import type { SavedSession } from "../../src/sessions/save.ts";
import type { TokenLimits } from "../../src/sessions/token.ts";
import type { ParentProcess } from "../../src/system/parent-process.ts";
import { testHost } from "../host.ts";
import { CLIENT, type LocalIssuer, startIssuer, SUBJECT } from "./issuer.ts";
import { DATUM } from "../../src/providers/datum/facts.ts";
import { PERSON } from "../../src/providers/kinds.ts";
import { CLOUDS } from "../clouds.ts";

export const BOUND = { timeout: 5_000 };

/** A keyring in memory whose calls fail as it is told. */
export interface MemoryStore extends SecretStore {
  readonly items: Map<string, string>;
  /** Thrown by every call, or by the calls of that name. */
  failure: AppError | undefined;
  failing: "get" | "set" | "delete" | undefined;
  /** Gives back another secret than it was given. */
  forgetful: boolean;
  /** The calls so far. */
  readonly calls: string[];
}

function memoryStore(): MemoryStore {
  const items = new Map<string, string>();
  const store: MemoryStore = {
    kind: "system",
    name: "the keyring (of a test)",
    items,
    failure: undefined,
    failing: undefined,
    forgetful: false,
    calls: [],
    get: (account) => call("get", () => store.forgetful ? "cut" : items.get(account)),
    set: (account, secret) => call("set", () => void items.set(account, secret)),
    delete: (account) => call("delete", () => items.delete(account)),
  };
  const call = <T>(name: "get" | "set" | "delete", work: () => T): Promise<T> => {
    store.calls.push(name);
    const fails = store.failure !== undefined && (store.failing ?? name) === name;
    return fails ? Promise.reject(store.failure) : Promise.resolve(work());
  };
  return store;
}

/** How a session of a test differs from the usual one. */
export interface SessionOptions {
  readonly name?: string;
  readonly email?: string;
  readonly subject?: string;
  readonly keyStore?: KeyStore;
  /** Another issuer than the sandbox's own. */
  readonly issuer?: LocalIssuer;
  readonly session?: Partial<Session>;
  /** `undefined` removes a member. */
  readonly credentials?: { readonly [Name in keyof SignInCredentials]?: SignInCredentials[Name] | undefined };
}

/** One test's surroundings. */
export interface Sandbox extends AsyncDisposable {
  readonly store: SessionStore;
  readonly folder: string;
  readonly notices: string[];
  readonly system: MemoryStore;
  readonly issuer: LocalIssuer;
  /** Milliseconds since 1970; a test moves it. */
  time: number;
  /** Stores a session whose tokens the issuer gave just now. */
  add(options?: SessionOptions): Promise<SavedSession>;
  paths(name: string): Promise<SessionPaths>;
  /** The bounds of a call that begins now. */
  bound(more?: Partial<TokenLimits>): TokenLimits;
}

/** Opens a sandbox. */
export async function openSandbox(): Promise<Sandbox> {
  const folder = await Deno.makeTempDir({ prefix: "datumctl-sessions-" });
  const notices: string[] = [];
  const system = memoryStore();
  const own = new SessionStore(
    testHost({ DATUMCTL_CONFIG_DIR: folder }, {
      now: () => sandbox.time,
      notice: (line) => void notices.push(line),
    }),
    CLOUDS,
  );
  const store = own.with({ secretStore: (kind) => kind === "system" ? system : own.secretStore(kind) });
  const start = Math.floor(Date.now() / 1000) * 1000;
  const ownIssuer = startIssuer(() => sandbox.time);
  const sandbox: Sandbox = {
    store,
    folder,
    notices,
    system,
    issuer: ownIssuer,
    time: start,
    async add({ email = "ada@example.com", subject = SUBJECT, issuer = ownIssuer, ...options } = {}) {
      const apiHost = options.session?.apiHost ?? "api.example.com";
      const { access_token, id_token, expires_in } = await issuer.tokens();
      const credentials = {
        clientId: CLIENT,
        apiHost,
        subject,
        metadata: issuer.metadata,
        keys: issuer.keys,
        accessToken: access_token,
        received: sandbox.time,
        accessTokenExpires: expires_in === undefined ? undefined : sandbox.time + expires_in * 1000,
        idToken: id_token,
        refreshToken: issuer.refreshToken,
        ...options.credentials,
      };
      return await store.save(
        {
          credentials: credentials as SignInCredentials,
          session: {
            name: options.name ?? defaultSessionName(email, apiHost),
            provider: DATUM,
            kind: PERSON,
            issuer: issuer.url,
            authHost: new URL(issuer.url).host,
            apiHost,
            clientId: CLIENT,
            user: { subject, email },
            scopes: ["openid"],
            ...options.session,
          },
        },
        { keyStores: [options.keyStore ?? "file"] },
        BOUND,
      );
    },
    paths: (name) => store.paths(name),
    bound: (more = {}) => ({
      deadline: performance.now() + 9_500,
      keyringTimeout: 5_000,
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      await ownIssuer[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
  return sandbox;
}

/** Opens a person's session. */
export async function openSignIn(
  store: SessionStore,
  ...args: Parameters<SessionStore["open"]>
): Promise<OpenedSignIn> {
  return await asPersonSession(await store.open(...args), store);
}

/** A process of that number that starts our own; nothing else is known of it. */
export function parentOf(pid: number): ParentProcess {
  return { pid, id: String(pid), start: () => Promise.resolve(undefined) };
}

/** Changes a JSON file. */
export async function edit(path: string, change: (value: Record<string, unknown>) => unknown): Promise<void> {
  const value = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify(change(value)));
}

/** A session as it is stored, opened. */
export async function opened({ store }: Sandbox, name: string) {
  const session = await store.read(name);
  assert.ok(session !== undefined);
  return await openSignIn(store, session, BOUND);
}

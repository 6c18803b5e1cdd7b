/** A Cloudfleet organization's API tokens: their ids, roles and secrets, which are the clients of its issuer. */

import type { SecretRecord } from "./secrets.ts";

/** What a token may do: everything, or look. */
export const ROLES = ["Administrator", "User"] as const;

/** One of {@link ROLES}. */
export type Role = typeof ROLES[number];

/** An API token without its secret. */
export interface ApiToken {
  /** 22 characters of base58; the client id. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** The subject of its JWTs. */
  readonly sub: string;
  readonly created: Date;
  readonly lastUsed?: Date;
}

/** A token and its secret, which is told once. */
export interface NewToken extends ApiToken {
  readonly secret: string;
}

/** The tokens of one organization. */
export interface TokenStore {
  /** A new token; its id is drawn unless given. */
  add(fields: { readonly name: string; readonly role: Role; readonly id?: string }): NewToken;
  find(id: string): ApiToken | undefined;
  list(): readonly ApiToken[];
  /** A new secret; the old one is refused from now on. */
  regenerate(id: string): NewToken | undefined;
  /** False when there was none. */
  remove(id: string): boolean;
  /** True for the secret that was told last. */
  isSecret(id: string, secret: string): boolean;
  /** Notes that the token was used now. */
  touch(id: string): void;
}

/** A store without tokens. `now` is in milliseconds since the epoch. */
export function makeTokenStore(now: () => number, secrets: SecretRecord): TokenStore {
  const tokens = new Map<string, NewToken>();

  const keep = (token: NewToken): NewToken => {
    tokens.set(token.id, token);
    secrets.note({ client_secret: token.secret });
    secrets.note({ client_secret: btoa(`${token.id}:${token.secret}`) }); // as the Authorization header has it
    return token;
  };

  return {
    add({ name, role, id = drawn(BASE58, 22) }) {
      if (tokens.has(id)) throw new Error(`There is a token ${id} already.`);
      return keep({
        id,
        name,
        role,
        sub: crypto.randomUUID(),
        created: new Date(now()),
        secret: drawn(ALPHANUMERIC, 32),
      });
    },
    find: (id) => tokens.get(id),
    list: () => [...tokens.values()],
    regenerate(id) {
      const token = tokens.get(id);
      return token === undefined ? undefined : keep({ ...token, secret: drawn(ALPHANUMERIC, 32) });
    },
    remove: (id) => tokens.delete(id),
    isSecret: (id, secret) => tokens.get(id)?.secret === secret,
    touch(id) {
      const token = tokens.get(id);
      if (token !== undefined) tokens.set(id, { ...token, lastUsed: new Date(now()) });
    },
  };
}

/** The user that a token is inside a cluster, and its JWTs' `preferred_username`. */
export function serviceAccountName(id: string): string {
  return `service-account-${id.toLowerCase()}`;
}

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE58 = ALPHANUMERIC.replaceAll(/[0OIl]/g, "");

function drawn(alphabet: string, length: number): string {
  const numbers = crypto.getRandomValues(new Uint32Array(length));
  return [...numbers].map((number) => alphabet[number % alphabet.length]).join("");
}

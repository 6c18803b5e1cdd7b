/** Service accounts, their key files, and the JWT-bearer grant that checks what they sign (RFC 7523). */

import { createPrivateKey } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, errors, exportPKCS8, jwtVerify } from "jose";
import type { JWTPayload } from "jose";

import type { Mint } from "./minted-tokens.ts";
import type { SecretRecord } from "./secrets.ts";
import { signingKey } from "./signing-keys.ts";
import { type GrantAnswer, refused } from "./token-grants.ts";
import type { User } from "./users.ts";
import { type Dialect, INTERNAL, NO_SCOPE, ofItsOwn } from "./zitadel-words.ts";

/** How a service account begins. */
export interface ServiceAccountOptions {
  /** A number of Zitadel's kind unless given. */
  readonly clientId?: string | undefined;
  /** The user name at the control planes; null: the client id is that, and the file has no `client_email`. */
  readonly email?: string | null | undefined;
  /** What the file asks for: the cloud's audience scope among others unless given; null: the file has none. */
  readonly scope?: string | null | undefined;
  /** The PEM's kind; `pkcs8` unless given. */
  readonly pem?: "pkcs1" | "pkcs8" | undefined;
  /** Verbs allowed on every resource; all unless given. */
  readonly verbs?: readonly string[] | undefined;
}

/** The JSON of a key file, as Datum hands it out. */
export interface ServiceAccountKeyFile {
  readonly type: "datum_service_account";
  readonly client_id: string;
  readonly private_key_id: string;
  readonly private_key: string;
  readonly client_email?: string | undefined;
  readonly scope?: string | undefined;
}

/** What the service accounts need. */
export interface ServiceAccountsOptions {
  /** The issuer identifier, which assertions must be meant for. */
  readonly issuer: string;
  /** The scope that puts the API's audience into the access token. */
  readonly audienceScope: string;
  /** The issuer's clock, in seconds since the epoch. */
  readonly now: () => number;
  readonly mint: Mint;
  readonly secrets: SecretRecord;
  /** How refusals are worded, and whether a scope must be asked for. */
  readonly dialect: Dialect;
}

/** The service accounts of one cloud. */
export interface ServiceAccounts {
  add(options: ServiceAccountOptions): Promise<ServiceAccountKeyFile>;
  /** Its assertions and its tokens are refused from now on. Throws when there is no such account. */
  revoke(clientId: string): void;
  /** Its key is not known any more; the account and its tokens stay. Throws when there is no such account. */
  removeKey(clientId: string): void;
  /** True when an account has this user name. */
  knows(name: string | undefined): boolean;
  /** Answers the JWT-bearer grant. */
  grant(assertion: string, scope: string): Promise<GrantAnswer>;
}

/** Seconds that an assertion may live, and by which two clocks may differ. */
const LIFE = 60;
const SKEW = 5;

interface Account {
  readonly user: User;
  readonly clientId: string;
  readonly publicKey: CryptoKey;
}

/** No service accounts yet. */
export function makeServiceAccounts(options: ServiceAccountsOptions): ServiceAccounts {
  const { mint, secrets } = options;
  /** By key id. */
  const accounts = new Map<string, Account>();
  const used = new Set<string>();
  const gone = new Set<string>();
  let made = 0;

  const rowOf = (clientId: string) =>
    [...accounts].find(([, account]) => account.clientId === clientId) ??
      fail(`No service account is called ${clientId}.`);

  const verified = async (assertion: string, { clientId, publicKey }: Account): Promise<JWTPayload> => {
    const now = options.now();
    const { payload } = await jwtVerify(assertion, publicKey, {
      algorithms: ["RS256"],
      requiredClaims: ["iss", "sub", "aud", "iat", "exp", "jti"],
      currentDate: new Date(now * 1000),
      clockTolerance: SKEW,
    });
    const { iss, sub, aud, iat = 0, exp = 0, jti = "" } = payload;
    if (iss !== clientId) throw new Error("issuer does not match");
    if (sub !== clientId) throw new Error("subject does not match the issuer");
    if (aud !== options.issuer && !(Array.isArray(aud) && aud.includes(options.issuer))) {
      throw new Error(`audience is not valid: Audience must contain client_id "${options.issuer}"`);
    }
    if (iat > now + SKEW) throw new Error("issuedAt of token is in the future");
    if (exp - iat > LIFE + SKEW) throw new Error(`the assertion lives longer than ${LIFE} s`);
    if (used.has(jti)) throw new Error("the assertion was used before");
    used.add(jti);
    return payload;
  };

  return {
    add: async ({ clientId, email, scope, pem = "pkcs8", verbs = ["*"] }) => {
      made += 1;
      const key = await signingKey(`service account ${made}`);
      const id = clientId ?? String(329_000_000_000_000_000n + BigInt(made));
      const clientEmail = email === undefined ? `deployer-${made}@acme.example.com` : email ?? undefined;
      const asked = scope === undefined
        ? `openid profile email ${options.audienceScope}`
        : scope ?? undefined;
      // The key may be another cloud's too, its id is this account's alone.
      const keyId = crypto.randomUUID();
      accounts.set(keyId, {
        clientId: id,
        publicKey: key.publicKey,
        user: {
          email: clientEmail ?? id,
          name: clientEmail ?? id,
          sub: id,
          verbs,
          organizations: ["acme", "initech"],
        },
      });
      const pkcs8 = await exportPKCS8(key.privateKey);
      const privateKey = pem === "pkcs8"
        ? `${pkcs8.trim()}\n`
        : String(createPrivateKey(pkcs8).export({ type: "pkcs1", format: "pem" }));
      // A line of the middle is found wherever the key is written, whatever its line ends became.
      secrets.keep("private_key", privateKey.split("\n")[5] ?? "");
      return {
        type: "datum_service_account",
        client_id: id,
        private_key_id: keyId,
        private_key: privateKey,
        client_email: clientEmail,
        scope: asked,
      };
    },
    revoke: (clientId) => {
      const [keyId, { user }] = rowOf(clientId);
      accounts.delete(keyId);
      gone.add(clientId);
      mint.revoke(user.email);
    },
    removeKey: (clientId) => {
      accounts.delete(rowOf(clientId)[0]);
    },
    knows: (name) => [...accounts.values()].some(({ user }) => user.email === name),
    grant: async (assertion, scope) => {
      try {
        const { alg, kid } = decodeProtectedHeader(assertion);
        if (alg !== "RS256") throw new Error("signature algorithm not supported");
        const account = accounts.get(kid ?? "");
        if (account === undefined) {
          // The account is looked for before its key.
          const code = gone.has(decodeJwt(assertion).sub ?? "") ? "Errors.User.NotFound" : UNKNOWN_KEY;
          if (options.dialect === "zitadel") return ofItsOwn(code);
          throw new Error(code);
        }
        await verified(assertion, account);
        if (scope === "" && options.dialect === "zitadel") return NO_SCOPE;
        const withAudience = scope.split(" ").includes(options.audienceScope);
        const { token, expiresIn } = await mint.mint(account.user, { withAudience });
        return { status: 200, body: { access_token: token, token_type: "Bearer", expires_in: expiresIn } };
      } catch (error) {
        return options.dialect === "zitadel" ? INTERNAL : refused("invalid_grant", problem(error));
      }
    },
  };
}

const UNKNOWN_KEY = "Errors.AuthNKey.NotFound";

function fail(why: string): never {
  throw new Error(why);
}

/** What is wrong with a JWT, in Zitadel's words where it has some. */
export function problem(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "token has expired";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "invalid signature";
  return error instanceof Error ? error.message : "parsing of request failed";
}

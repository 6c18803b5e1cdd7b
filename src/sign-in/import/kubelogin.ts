/** kubelogin, `kubectl oidc-login`: its flags as a sign-in of ours, and the tokens in its cache. */

import { AppError } from "../../errors.ts";
import { isObject, parseJson } from "../../encoding.ts";
import { unverifiedClaims } from "../../oauth/jwt.ts";
import { loopbackRedirect } from "../../oauth/redirect-uri.ts";
import { issuerUrl } from "../../providers/oidc/target.ts";
import { type Environment, homeOf } from "../../system/environment.ts";
import { listFolder } from "../../system/files.ts";
import { readSharedFile } from "../../system/shared-file.ts";
import { printable } from "../../text.ts";
import { chosenParameters } from "../parameters.ts";
import { OtherFlags } from "./arguments.ts";
import type { OtherSignIn, OtherTokens, Read } from "./found.ts";

/** The issuer that gives a refresh token to those alone who ask so; kubelogin asks every issuer so. */
const GOOGLE = "https://accounts.google.com";

const STYLE = {
  switches: new Set([
    ...["oidc-use-access-token", "oidc-use-pkce", "force-refresh", "skip-open-browser"],
    ...["insecure-skip-tls-verify", "tls-renegotiation-once", "tls-renegotiation-freely"],
    ...["add_dir_header", "alsologtostderr", "logtostderr", "one_output", "skip_headers", "skip_log_headers"],
  ]),
};

/** Flags that change the sign-in and have no counterpart here, and why. */
const WITHOUT_COUNTERPART: readonly (readonly [string, string])[] = [
  ["oidc-request-header", "it sends headers of its own (--oidc-request-header)"],
  ["local-server-cert", "its redirect URI is https (--local-server-cert)"],
];

/** The flags of an entry that runs kubelogin. */
export function kubeloginFlags(args: readonly string[]): OtherFlags {
  return new OtherFlags(args, STYLE);
}

/** The sign-in that kubelogin's flags mean. */
export function kubeloginSignIn(flags: OtherFlags, env: Environment): Read {
  const issuer = flags.last("oidc-issuer-url");
  const clientId = flags.last("oidc-client-id");
  const problem = issuer === undefined
    ? "it names no issuer (--oidc-issuer-url)"
    : clientId === undefined
    ? "it names no client (--oidc-client-id)"
    : otherGrant(flags) ?? WITHOUT_COUNTERPART.find(([flag]) => flags.has(flag))?.[1];
  if (problem !== undefined || issuer === undefined || clientId === undefined) {
    return { problem: problem ?? "it is incomplete" };
  }
  const device = flags.last("grant-type") === "device-code";
  const { prompt, others } = parametersOf(flags, issuer);
  const login = {
    issuer,
    clientId,
    scopes: ["openid", ...flags.list("oidc-extra-scope")].join(","),
    authParam: others.length === 0 ? undefined : others,
    prompt,
    redirectUri: device ? undefined : redirectUriOf(flags),
    device,
  };
  const wrong = refusalOf(() => {
    issuerUrl(issuer);
    chosenParameters(login);
    if (login.redirectUri !== undefined) loopbackRedirect(login.redirectUri);
  });
  if (wrong !== undefined) return { problem: wrong };
  return {
    signIn: {
      login,
      clientSecret: flags.last("oidc-client-secret"),
      authority: {
        files: flags.all("certificate-authority").filter((path) => path !== "").map((path) =>
          expanded(path, env)
        ),
        data: flags.all("certificate-authority-data").filter((data) => data !== ""),
      },
      token: flags.isOn("oidc-use-access-token") ? "access" : undefined,
    },
    notes: notesOf(flags),
  };
}

/** Why a sign-in's flags are refused, as a sentence without its end. */
export function refusalOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return thrown.message.replace(/\.$/, "").replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
  }
}

function otherGrant(flags: OtherFlags): string | undefined {
  const grant = flags.last("grant-type") ?? "auto";
  if (grant === "client-credentials") return "it signs a machine in (--grant-type=client-credentials)";
  const password = grant === "password" || (grant === "auto" && flags.last("username") !== undefined);
  return password ? "it sends a password to the issuer, which datumctl does not" : undefined;
}

/** The address that kubelogin returns to: the host `localhost`, the first port that it listens on. */
function redirectUriOf(flags: OtherFlags): string {
  const whole = flags.last("oidc-redirect-url") ?? flags.last("oidc-redirect-url-authcode-keyboard");
  if (whole !== undefined) return whole;
  const [address = "127.0.0.1:8000"] = flags.list("listen-address");
  const port = flags.last("listen-port") ?? /:(\d+)$/.exec(address)?.[1] ?? "0";
  const host = flags.last("oidc-redirect-url-hostname") ?? "localhost";
  return port === "0" ? `http://${host}` : `http://${host}:${port}`;
}

function parametersOf(flags: OtherFlags, issuer: string) {
  const pairs = flags.list("oidc-auth-request-extra-params");
  const prompt = pairs.find((pair) => pair.startsWith("prompt="))?.slice("prompt=".length);
  const others = pairs.filter((pair) => !pair.startsWith("prompt="));
  const offline = issuer === GOOGLE && !others.some((pair) => pair.startsWith("access_type="));
  return { prompt, others: offline ? [...others, "access_type=offline"] : others };
}

function notesOf(flags: OtherFlags): string[] {
  return [
    ...flags.isOn("insecure-skip-tls-verify")
      ? ["kubelogin does not look at the issuer's certificate here; datumctl does"]
      : [],
    ...flags.has("browser-command") ? ["its --browser-command is not taken over"] : [],
    ...flags.last("token-cache-storage") === "keyring"
      ? ["what it keeps in the keyring stays there and is not taken over"]
      : [],
    ...flags.last("oidc-pkce-method") === "no" ? ["datumctl always uses PKCE (S256)"] : [],
  ];
}

/** A path as kubelogin reads it. */
function expanded(path: string, env: Environment): string {
  return path.startsWith("~") ? `${homeOf(env) ?? "~"}${path.slice(1)}` : path;
}

/** The folder of kubelogin's tokens; undefined where it keeps none in files. */
export function kubeloginCacheFolder(env: Environment, flags?: OtherFlags): string | undefined {
  const storage = flags?.last("token-cache-storage") ?? "disk";
  if (storage !== "disk") return undefined;
  const named = flags?.last("token-cache-dir");
  if (named !== undefined) return expanded(named, env);
  const folder = env("KUBECACHEDIR");
  if (folder !== undefined) return `${folder}/oidc-login`;
  const home = homeOf(env);
  return home === undefined ? undefined : `${home}/.kube/cache/oidc-login`;
}

/** A file of kubelogin's cache. */
export interface CachedSignIn {
  readonly path: string;
  /** Of the ID token in it, unverified. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly subject: string;
  readonly email: string | undefined;
  /** Seconds since 1970. */
  readonly issued: number;
  readonly refreshToken: string | undefined;
}

const LARGEST_CACHED = 256 * 1024;
const MOST_CACHED = 1_000;

/**
 * The sign-ins in a folder of kubelogin's. A file's name is a digest of what kubelogin was told, in a form that changes
 * from version to version; its content, `id_token` and `refresh_token`, is the same in all, and tells whose it is.
 */
export async function cachedSignIns(folder: string): Promise<readonly CachedSignIn[]> {
  const names = (await namesIn(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const found: CachedSignIn[] = [];
  for (const name of names.slice(0, MOST_CACHED)) {
    const cached = await readCached(`${folder}/${name}`);
    if (cached !== undefined) found.push(cached);
  }
  return found.sort((a, b) => b.issued - a.issued);
}

/** A folder that cannot be listed holds nothing for us. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await listFolder(folder);
  } catch (thrown) {
    if (thrown instanceof AppError) return [];
    throw thrown;
  }
}

async function readCached(path: string): Promise<CachedSignIn | undefined> {
  const bytes = await readSharedFile(path, LARGEST_CACHED).catch((thrown) => {
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  });
  const json = bytes === undefined ? undefined : parseJson(new TextDecoder().decode(bytes));
  if (!isObject(json) || typeof json.id_token !== "string") return undefined;
  const { iss, aud, sub, email, iat } = unverifiedClaims(json.id_token) ?? {};
  if (typeof iss !== "string" || typeof sub !== "string") return undefined;
  return {
    path,
    issuer: iss,
    audiences: [aud].flat().filter((one): one is string => typeof one === "string"),
    subject: sub,
    email: typeof email === "string" ? email : undefined,
    issued: typeof iat === "number" ? iat : 0,
    refreshToken: tokenText(json.refresh_token),
  };
}

/** What of the cache is of a sign-in: the newest, where there are several. */
export function cachedOf(
  cached: readonly CachedSignIn[],
  { login: { issuer, clientId = "" } }: OtherSignIn,
): CachedSignIn | undefined {
  return cached.find((one) => one.issuer === issuer && one.audiences.includes(clientId));
}

/** Its tokens, where they can be renewed. */
export function tokensOf(cached: CachedSignIn | undefined): OtherTokens | undefined {
  if (cached?.refreshToken === undefined) return undefined;
  return { where: printable(cached.path), refreshToken: cached.refreshToken, subject: cached.subject };
}

/** A text that can be a token (RFC 6749, A.17). */
export function tokenText(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

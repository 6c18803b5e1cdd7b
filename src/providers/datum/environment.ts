/** The sessions that variables and key files give: `DATUMCTL_TOKEN`, `DATUMCTL_CREDENTIALS_FILE`, and the vendor's words. */

import { AppError } from "../../errors.ts";
import { isPersonalAccessToken } from "../../oauth/grants/personal-access-token.ts";
import { parseServiceAccountKey } from "../../oauth/grants/service-account-key.ts";
import { unverifiedClaims } from "../../oauth/jwt.ts";
import { authorityOfVariable } from "../certificate-authority.ts";
import { DATUM } from "./facts.ts";
import { datumHosts } from "./hosts.ts";
import { SERVICE_ACCOUNT, WORKLOAD } from "../kinds.ts";
import type { SourceCredentials } from "../../sessions/source-credentials.ts";
import { ENV_PREFIX } from "../../sessions/name.ts";
import { environmentSession } from "../../sessions/open.ts";
import type { Session } from "../../sessions/session.ts";
import { timedToken } from "../../sessions/token.ts";
import type { Clock } from "../../system/clock.ts";
import type { Environment } from "../../system/environment.ts";
import { readGivenFile } from "../../system/given-file.ts";
import { printable, shellLine } from "../../text.ts";

/** The variables that name an API host: ours, then the vendor's. */
const API_HOSTS = ["DATUMCTL_API_HOSTNAME", "DATUM_API_HOSTNAME", "DATUM_API_HOST"] as const;

/** Where variables say that an identity belongs: `DATUMCTL_HOSTNAME`, {@link API_HOSTS}, `DATUMCTL_CERTIFICATE_AUTHORITY`. */
async function placeOf(env: Environment) {
  const [ours] = API_HOSTS;
  const api = API_HOSTS.find((variable) => env(variable) !== undefined) ?? ours;
  const apiHostname = env(api);
  // The vendor has no variable for the auth host: it goes with the API host, as it does at a sign-in.
  const auth = api === ours ? undefined : authHostOf(apiHostname ?? "");
  const { authHost, apiHost } = datumHosts({
    hostname: env("DATUMCTL_HOSTNAME") ?? auth,
    apiHostname,
  }, { auth: env("DATUMCTL_HOSTNAME") === undefined ? api : "DATUMCTL_HOSTNAME", api });
  const authority = await authorityOfVariable(env);
  return {
    apiHost,
    issuer: `https://${authHost}`,
    certificateAuthority: authority,
  };
}

/** The auth host beside an API host, `auth.…` for `api.…`; undefined where its name does not tell. */
function authHostOf(apiHostname: string): string | undefined {
  const [, rest] = /^(?:https:\/\/)?api\.(.*)$/i.exec(apiHostname) ?? [];
  return rest === undefined ? undefined : `auth.${rest}`;
}

/**
 * The session of a bearer token that is ready for use.
 *
 * @throws {AppError} `USAGE` for what is none
 */
export async function sessionOfToken(env: Environment, now: Clock): Promise<Session> {
  const token = (env("DATUMCTL_TOKEN") ?? "").trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new AppError(
      "USAGE",
      "DATUMCTL_TOKEN holds no bearer token: it is empty or holds an invalid character.",
    );
  }
  if (isPersonalAccessToken(token)) {
    throw new AppError(
      "USAGE",
      "DATUMCTL_TOKEN holds a personal access token, which no API accepts as it is.",
      {
        hint: `Sign in with it instead, from standard input: ${loginWithToken(env)}`,
      },
    );
  }
  const place = await placeOf(env);
  const { sub, email, exp } = unverifiedClaims(token) ?? {};
  const subject = typeof sub === "string" ? printable(sub) : "DATUMCTL_TOKEN";
  const credentials: SourceCredentials = {
    ...place,
    clientId: "",
    subject,
    tokenSource: { kind: "fixed" },
    accessToken: token,
    received: now(),
  };
  const ends = typeof exp === "number" ? timedToken(credentials, "access")?.expires : undefined;
  const expires = ends === undefined ? undefined : new Date(ends).toISOString();
  return environmentSession({
    name: `${ENV_PREFIX}DATUMCTL_TOKEN`,
    provider: DATUM,
    kind: WORKLOAD,
    user: { subject, email: typeof email === "string" ? printable(email) : undefined },
    scopes: [],
    // Nobody here makes another one: its end is the session's.
    tokenExpires: expires,
    expires,
  }, credentials);
}

/** The line that sends a personal access token where the variables say that it belongs, and nowhere else. */
function loginWithToken(env: Environment): string {
  const flags = [
    ["--hostname", env("DATUMCTL_HOSTNAME")],
    ["--api-hostname", env("DATUMCTL_API_HOSTNAME")],
    ["--certificate-authority", env("DATUMCTL_CERTIFICATE_AUTHORITY")],
  ] as const;
  const given = flags.flatMap(([flag, value]) => value === undefined ? [] : [flag, value]);
  return shellLine(["datumctl", "login", "--with-token", ...given]);
}

/** A service account's key file, and the variable or flag that names it. */
export interface NamedFile {
  readonly word: string;
  readonly path: string;
}

/**
 * The session of a service account's key file.
 *
 * @throws {AppError} `USAGE` for a file that is none
 */
export async function sessionOfCredentialsFile(
  env: Environment,
  { word, path }: NamedFile,
): Promise<Session> {
  const text = await readGivenFile(
    path,
    word,
    "Name a plain file, or sign in with it: datumctl login --credentials -",
  );
  if (text === undefined) {
    throw new AppError("USAGE", `The file ${printable(path)} of ${word} does not exist.`);
  }
  const { clientId, keyId, privateKey, clientEmail: email, scope } = await parseServiceAccountKey(text, path);
  const place = await placeOf(env);
  return environmentSession({
    name: `${ENV_PREFIX}${word}`,
    provider: DATUM,
    kind: SERVICE_ACCOUNT,
    user: { subject: clientId, email },
    scopes: scope === undefined ? [] : scope.split(" "),
  }, {
    ...place,
    clientId,
    subject: clientId,
    tokenSource: {
      kind: "service-account",
      keyId,
      privateKey,
      audience: place.issuer,
      scope,
    },
  });
}

/** Owns the sessions that `DATUMCTL_TOKEN` and `DATUMCTL_CREDENTIALS_FILE` give. */

import { AppError, printable } from "../errors.ts";
import { unverifiedClaims } from "../oauth/jwt.ts";
import { isPersonalAccessToken } from "../oauth/personal-access-token.ts";
import { parseServiceAccountKey } from "../oauth/service-account-key.ts";
import type { RecipeCredentials } from "../sessions/credentials.ts";
import { ambientSession } from "../sessions/open-session.ts";
import type { Session } from "../sessions/session-file.ts";
import { AMBIENT } from "../sessions/session-name.ts";
import { timedToken } from "../sessions/token-life.ts";
import { shellLine } from "../shell-word.ts";
import type { Clock } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";
import { readGivenFile } from "../system/files.ts";
import { authorityOfVariable } from "./certificate-authority.ts";
import { datumHosts } from "./datum.ts";

/** Where variables say that an identity belongs: `DATUMCTL_HOSTNAME`, `DATUMCTL_API_HOSTNAME`, `DATUMCTL_CERTIFICATE_AUTHORITY`. */
async function placeOf(env: Environment) {
  const { authHost, apiHost } = datumHosts({
    hostname: env("DATUMCTL_HOSTNAME"),
    apiHostname: env("DATUMCTL_API_HOSTNAME"),
  }, { auth: "DATUMCTL_HOSTNAME", api: "DATUMCTL_API_HOSTNAME" });
  const authority = await authorityOfVariable(env);
  return {
    apiHost,
    issuer: `https://${authHost}`,
    ...(authority === undefined ? {} : { certificateAuthority: authority }),
  };
}

/** The session of a bearer token that is ready for use. Throws `USAGE` for what is none. */
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
  const credentials: RecipeCredentials = {
    ...place,
    clientId: "",
    subject,
    recipe: { kind: "fixed" },
    accessToken: token,
    received: now(),
  };
  const ends = typeof exp === "number" ? timedToken(credentials, "access")?.expires : undefined;
  const expires = ends === undefined ? undefined : new Date(ends).toISOString();
  return ambientSession({
    name: `${AMBIENT}DATUMCTL_TOKEN`,
    provider: "datum",
    kind: "workload",
    user: { subject, ...(typeof email === "string" ? { email: printable(email) } : {}) },
    scopes: [],
    // Nobody here makes another one: its end is the session's.
    ...(expires === undefined ? {} : { tokenExpires: expires, expires }),
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

/** The session of a service account's key file. Throws `USAGE` for a file that is none. */
export async function sessionOfCredentialsFile(env: Environment): Promise<Session> {
  const path = env("DATUMCTL_CREDENTIALS_FILE") ?? "";
  const text = await readGivenFile(
    path,
    "DATUMCTL_CREDENTIALS_FILE",
    "Name a plain file, or sign in with it: datumctl login --credentials -",
  );
  if (text === undefined) {
    throw new AppError("USAGE", `The file ${printable(path)} of DATUMCTL_CREDENTIALS_FILE does not exist.`);
  }
  const { clientId, keyId, privateKey, clientEmail: email, scope } = await parseServiceAccountKey(text, path);
  const place = await placeOf(env);
  return ambientSession({
    name: `${AMBIENT}DATUMCTL_CREDENTIALS_FILE`,
    provider: "datum",
    kind: "service-account",
    user: { subject: clientId, ...(email === undefined ? {} : { email }) },
    scopes: scope === undefined ? [] : scope.split(" "),
  }, {
    ...place,
    clientId,
    subject: clientId,
    recipe: {
      kind: "service-account",
      keyId,
      privateKey,
      audience: place.issuer,
      ...(scope === undefined ? {} : { scope }),
    },
  });
}

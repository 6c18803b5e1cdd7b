/** Owns the sessions that `DATUMCTL_TOKEN` and `DATUMCTL_CREDENTIALS_FILE` give. */

import { AppError, printable } from "../errors.ts";
import { parseServiceAccountKey } from "../oauth/service-account-key.ts";
import { AMBIENT, ambientSession, type Session } from "../sessions/session.ts";
import { claimsOf } from "../sessions/token-life.ts";
import type { Environment } from "../system/environment.ts";
import { readTextFile } from "../system/files.ts";
import { certificatesOf } from "../system/network.ts";
import { datumHosts } from "./datum.ts";

/** Where variables say that an identity belongs: `DATUMCTL_HOSTNAME`, `DATUMCTL_API_HOSTNAME`, `DATUMCTL_CERTIFICATE_AUTHORITY`. */
async function placeOf(env: Environment) {
  const { authHost, apiHost } = datumHosts({
    hostname: env("DATUMCTL_HOSTNAME"),
    apiHostname: env("DATUMCTL_API_HOSTNAME"),
  });
  const path = env("DATUMCTL_CERTIFICATE_AUTHORITY");
  const text = path === undefined ? undefined : await readTextFile(path);
  if (path !== undefined && text === undefined) {
    throw new AppError(
      "USAGE",
      `The file ${printable(path)} of DATUMCTL_CERTIFICATE_AUTHORITY does not exist.`,
    );
  }
  const certificateAuthority = text === undefined
    ? {}
    : { certificateAuthority: certificatesOf(text).join("\n") + "\n" };
  return { authHost, apiHost, issuer: `https://${authHost}`, certificateAuthority };
}

/** The session of a bearer token that is ready for use. Throws `USAGE` for what no header can carry. */
export async function sessionOfToken(env: Environment): Promise<Session> {
  const token = (env("DATUMCTL_TOKEN") ?? "").trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new AppError(
      "USAGE",
      "DATUMCTL_TOKEN holds no bearer token: a space or another odd character is in it.",
    );
  }
  const { authHost, apiHost, issuer, certificateAuthority } = await placeOf(env);
  const { sub, email } = claimsOf(token) ?? {};
  const subject = typeof sub === "string" ? printable(sub) : "DATUMCTL_TOKEN";
  return ambientSession({
    name: `${AMBIENT}DATUMCTL_TOKEN`,
    provider: "datum",
    kind: "workload",
    issuer,
    authHost,
    apiHost,
    clientId: "",
    user: { subject, ...(typeof email === "string" ? { email: printable(email) } : {}) },
    scopes: [],
    ...certificateAuthority,
  }, {
    clientId: "",
    apiHost,
    subject,
    issuer,
    recipe: { kind: "fixed" },
    accessToken: token,
    received: Date.now(),
    ...certificateAuthority,
  });
}

/** The session of a service account's key file. Throws `USAGE` for a file that is none. */
export async function sessionOfCredentialsFile(env: Environment): Promise<Session> {
  const path = env("DATUMCTL_CREDENTIALS_FILE") ?? "";
  const text = await readTextFile(path);
  if (text === undefined) {
    throw new AppError("USAGE", `The file ${printable(path)} of DATUMCTL_CREDENTIALS_FILE does not exist.`);
  }
  const { clientId, keyId, privateKey, clientEmail: email, scope } = await parseServiceAccountKey(text, path);
  const { authHost, apiHost, issuer, certificateAuthority } = await placeOf(env);
  return ambientSession({
    name: `${AMBIENT}DATUMCTL_CREDENTIALS_FILE`,
    provider: "datum",
    kind: "service-account",
    issuer,
    authHost,
    apiHost,
    clientId,
    user: { subject: clientId, ...(email === undefined ? {} : { email }) },
    scopes: scope === undefined ? [] : scope.split(" "),
    ...certificateAuthority,
  }, {
    clientId,
    apiHost,
    subject: clientId,
    issuer,
    recipe: {
      kind: "service-account",
      keyId,
      privateKey,
      audience: issuer,
      ...(scope === undefined ? {} : { scope }),
    },
    ...certificateAuthority,
  });
}

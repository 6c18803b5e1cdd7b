/**
 * Owns the contract of kubectl's credential plugins: which version is spoken, and what is printed.
 *
 * Source: Kubernetes documentation, "client-go credential plugins".
 */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { isObject, type JsonObject, parseJson } from "../encoding.ts";
import { type AskingServer, askingServer } from "../sessions/served-servers.ts";
import type { Session } from "../sessions/session.ts";
import { reportedExpiry, type TimedToken } from "../sessions/token.ts";

const GROUP = "client.authentication.k8s.io/";

/** The versions of the exec credential API that are spoken. */
export const EXEC_API_VERSIONS = [`${GROUP}v1`, `${GROUP}v1beta1`] as const;

/** One of {@link EXEC_API_VERSIONS}. */
export type ExecApiVersion = typeof EXEC_API_VERSIONS[number];

/** What is printed: a bare token, or an ExecCredential of some version. */
export type TokenOutput = "token" | ExecApiVersion;

/** What the caller said in `KUBERNETES_EXEC_INFO`. */
export interface ExecInfo {
  readonly apiVersion: ExecApiVersion;
  /** True when a person at a terminal can be asked. */
  readonly interactive: boolean;
  /** The server that the token is for, where the entry has `provideClusterInfo: true`. */
  readonly server?: AskingServer | undefined;
}

/** Reads `KUBERNETES_EXEC_INFO`. Throws `USAGE` when it is no ExecCredential of a version that is spoken. */
export function readExecInfo(text: string): ExecInfo {
  const value = parseJson(text);
  if (!isObject(value)) throw badInfo("it is not a JSON object");
  const { kind, apiVersion, spec } = value;
  if (kind !== "ExecCredential") throw badInfo("its kind is not ExecCredential");
  const { interactive, cluster }: JsonObject = Object(spec);
  return {
    apiVersion: knownVersion(apiVersion, "KUBERNETES_EXEC_INFO"),
    interactive: interactive === true,
    server: cluster === undefined || cluster === null ? undefined : askingServer(Object(cluster)),
  };
}

/**
 * What to print: `-o token` always is the bare token; else the version that the caller speaks; else what `-o`
 * names; else the bare token.
 */
export function chooseOutput(output: string | undefined, info: ExecInfo | undefined): TokenOutput {
  if (output === "token") return "token";
  return info?.apiVersion ?? (output === undefined ? "token" : knownVersion(output, "-o"));
}

function knownVersion(version: unknown, where: string): ExecApiVersion {
  const known = EXEC_API_VERSIONS.find((each) => each === version);
  if (known !== undefined) return known;
  const shown = typeof version === "string" ? ` "${printable(version, 80)}"` : "";
  throw new AppError("USAGE", `${where} names an unknown output${shown}.`, {
    hint: `Available: ${(where === "-o" ? ["token", ...EXEC_API_VERSIONS] : EXEC_API_VERSIONS).join(", ")}.`,
  });
}

function badInfo(what: string): AppError {
  return new AppError("USAGE", `KUBERNETES_EXEC_INFO cannot be used: ${what}.`, {
    hint: "It is set by kubectl and its kin; unset it to run datumctl by hand.",
  });
}

/**
 * Refuses a session, as it was sealed, of a cloud whose tokens are for no Kubernetes API.
 *
 * @throws {AppError} `USAGE`.
 */
export function refuseOtherApi({ name, provider }: Session): void {
  if (provider.kubernetes !== "none") return;
  throw new AppError(
    "USAGE",
    `The session "${name}" belongs to ${provider.title}; its token cannot be used with a Kubernetes API.`,
    { hint: "Use another session: --profile NAME" },
  );
}

/** The ExecCredential that hands a token to client-go, with its end of line. */
export function formatExecCredential(apiVersion: ExecApiVersion, token: TimedToken): string {
  const expirationTimestamp = new Date(reportedExpiry(token)).toISOString().replace(/\.\d+Z$/, "Z");
  const status = { expirationTimestamp, token: token.token };
  return JSON.stringify({ kind: "ExecCredential", apiVersion, status }) + "\n";
}

/**
 * The failure as a `metav1.Status`, with its end of line. client-go ignores it today; programs that embed it and
 * lose stderr can read it.
 */
export function formatStatus(error: AppError): string {
  const code = { 2: 400, 4: 401, 5: 403, 6: 503 }[error.exitCode] ?? 500;
  const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason: error.code,
    code,
  }) + "\n";
}

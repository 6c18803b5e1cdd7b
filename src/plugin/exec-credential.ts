/**
 * The contract of kubectl's credential plugins: which version is spoken, and what is printed.
 *
 * Source: Kubernetes documentation, "client-go credential plugins".
 */

import { AppError, toAppError } from "../errors.ts";
import { printable } from "../text.ts";
import { type JsonObject, parseJson } from "../encoding.ts";
import { type AskingServer, askingServer } from "../sessions/served-servers.ts";
import { reportedExpiry, type TimedToken } from "../sessions/token.ts";
import type { Environment } from "../system/environment.ts";
import type { GetTokenFlags } from "./arguments.ts";

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
  /** The server that the token is for, when the entry has `provideClusterInfo: true`. */
  readonly server?: AskingServer | undefined;
}

/** Who is answered, and in which form. */
export interface Form {
  readonly output: TokenOutput;
  /** What the caller said; undefined when a bare token is printed, or nothing was said. */
  readonly info?: ExecInfo | undefined;
  /** Why the form that was asked for cannot be used. */
  readonly wrong?: AppError | undefined;
}

/** The form of the answer. It is decided before everything else, because errors have that form, too. */
export function chooseForm({ output, claims, write }: GetTokenFlags, env: Environment): Form {
  if (claims || write !== undefined || output === "token") return { output: "token" };
  try {
    const text = env("KUBERNETES_EXEC_INFO");
    const info = text === undefined ? undefined : readExecInfo(text);
    return { output: chooseOutput(output, info), info };
  } catch (thrown) {
    const named = EXEC_API_VERSIONS.find((version) => version === output);
    return { output: named ?? "token", wrong: toAppError(thrown) };
  }
}

/**
 * Reads `KUBERNETES_EXEC_INFO`.
 *
 * @throws {AppError} `USAGE` when it is not an ExecCredential of a version that is spoken.
 */
export function readExecInfo(text: string): ExecInfo {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null) throw badInfo("it is not a JSON object");
  const { kind, apiVersion, spec }: JsonObject = Object(value);
  if (kind !== "ExecCredential") throw badInfo("its kind is not ExecCredential");
  const { interactive, cluster }: JsonObject = Object(spec);
  return {
    apiVersion: knownVersion(apiVersion, "KUBERNETES_EXEC_INFO"),
    interactive: interactive === true,
    server: cluster === undefined || cluster === null ? undefined : askingServer(Object(cluster)),
  };
}

/**
 * What to print: the bare token for `-o token`; else the version that the caller speaks; else what `-o` names;
 * else the bare token.
 *
 * @throws {AppError} `USAGE` when `-o` counts and names an unknown output.
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

/** The ExecCredential that hands a token to client-go, with its end of line. */
export function formatExecCredential(apiVersion: ExecApiVersion, token: TimedToken): string {
  // Without the milliseconds.
  const expirationTimestamp = `${new Date(reportedExpiry(token)).toISOString().slice(0, -".000Z".length)}Z`;
  const status = { expirationTimestamp, token: token.token };
  return JSON.stringify({ kind: "ExecCredential", apiVersion, status }) + "\n";
}

/**
 * The failure as a `metav1.Status`, with its end of line. client-go ignores it today; a program that embeds client-go
 * and loses stderr can read it.
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

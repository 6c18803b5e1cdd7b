/** Ties a workload's stored token to its CI job: on a machine that runs many jobs, none acts as another. */

import { sha256, toBase64Url } from "../encoding.ts";
import type { Environment } from "../system/environment.ts";
import { readGivenFile } from "../system/given-file.ts";
import type { Credentials } from "./credentials.ts";
import type { TokenSource, WorkloadSource } from "./source-credentials.ts";
import type { Session } from "./session.ts";
import { WORKLOAD_SUBJECT } from "./name.ts";

/** False for the token of another job, or of none; true for every other kind of session. */
export async function isOfThisJob(env: Environment, credentials: Credentials): Promise<boolean> {
  if (credentials.tokenSource === undefined || credentials.tokenSource.kind !== "workload") return true;
  const { tokenSource, job } = credentials;
  return job !== undefined && job === await fingerprintOfJob(env, tokenSource.source);
}

/** A fingerprint of this job's credential, safe to store; undefined outside a job. */
export async function fingerprintOfJob(
  env: Environment,
  source: WorkloadSource,
): Promise<string | undefined> {
  const own = await credentialOfJob(env, source);
  return own === undefined ? undefined : toBase64Url((await sha256(own)).subarray(0, 16));
}

/**
 * As {@link fingerprintOfJob}, for a workload's session that is not opened: its subject says where its token is. Undefined
 * also where that cannot be read.
 */
export async function fingerprintOfSessionsJob(
  env: Environment,
  { user: { subject } }: Pick<Session, "user">,
): Promise<string | undefined> {
  const [, words = ""] = WORKLOAD_SUBJECT.exec(subject) ?? [];
  const [, kind, where = ""] = /^([a-z]+):?(.*)$/.exec(words) ?? [];
  const source = kind === "github"
    ? { kind } as const
    : kind === "gitlab"
    ? { kind: "variable", name: where } as const
    : { kind: "file", path: where } as const;
  return await fingerprintOfJob(env, source).catch(() => undefined);
}

/** True where a job's token is stored: one in a variable or a file is read each time instead. */
export function storesJobToken(
  { source, exchange }: Extract<TokenSource, { readonly kind: "workload" }>,
): boolean {
  return source.kind === "github" || exchange !== undefined;
}

/**
 * What the CI system gave this job: the right to ask for a token, or the token.
 *
 * @throws {AppError} `USAGE`, `STORAGE` for a file that cannot be read.
 */
export async function credentialOfJob(env: Environment, source: WorkloadSource): Promise<string | undefined> {
  switch (source.kind) {
    case "github":
      return env("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    case "variable":
      return env(source.name)?.trim();
    case "file":
      return (await readGivenFile(source.path, "--workload file", "Name the file that the CI system writes."))
        ?.trim();
  }
}

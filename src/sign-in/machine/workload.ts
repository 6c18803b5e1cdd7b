/** `login --workload`: how the token of a CI system is come by, and whether and where it is exchanged. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { discoverIssuer, type IssuerMetadata } from "../../oauth/discovery.ts";
import { WORKLOAD } from "../../providers/kinds.ts";
import type { MachineAddress } from "../../providers/provider.ts";
import type { IssuingSource } from "../../sessions/token-source.ts";
import type { WorkloadSource } from "../../sessions/source-credentials.ts";
import { storesJobToken } from "../../sessions/ci-job.ts";
import { absolutePath } from "../../system/environment.ts";
import { tokenParametersOf } from "../parameters.ts";
import { type Machine, type MachineLogin, wrong } from "./machine.ts";

/** The variable of a GitLab job that holds its token, unless another is named. */
const GITLAB_VARIABLE = "DATUMCTL_ID_TOKEN";

/**
 * `--workload`: the CI job itself.
 *
 * @throws {AppError} `USAGE`, and what asking the issuer throws where its token is exchanged
 */
export async function workload(login: MachineLogin): Promise<Machine> {
  const { input } = login;
  const { source, words } = sourceOf(input.workload ?? "");
  const { audience, scopes } = input;
  if (audience === undefined || audience === "") {
    throw wrong("--workload needs --audience: whom the CI system's token is for.");
  }
  const address = login.address();
  const exchanged = input.exchange ?? false;
  const clientId = exchanged ? input.clientId ?? await login.clientIdAt(address.authHost) : "";
  if (clientId === undefined) {
    throw wrong(
      `--exchange at ${address.authHost} needs --client-id.`,
      "Name the client that is registered there for CI jobs, with --client-secret-file where it has a secret.",
    );
  }
  const clientSecret = input.clientSecretFile === undefined
    ? undefined
    : await login.readClientSecret(input.clientSecretFile);
  const wanted = scopes?.split(/[,\s]+/).filter((scope) => scope !== "") ?? [];
  const tokenSource = {
    kind: "workload",
    source,
    audience,
    exchange: exchanged ? await exchangeAt(login, address, wanted) : undefined,
  } as const;
  const kept = storesJobToken(tokenSource);
  return {
    kind: WORKLOAD,
    address,
    clientId,
    clientSecret,
    tokenSource,
    keepsSecrets: kept || clientSecret !== undefined,
    scopes: wanted,
    // What the CI system calls a job changes from one to the next; the token source stays.
    userOf: () => Promise.resolve({ subject: `${words}:${audience}` }),
    labelOf: () => source.kind === "variable" ? "gitlab" : source.kind,
    remark: kept
      ? "Only the recipe is stored now; a token that a job gets is kept sealed until it expires, for that job only."
      : "Nothing of this job is stored: each job acts with the CI system's token for it.",
  };
}

function sourceOf(text: string): { readonly source: WorkloadSource; readonly words: string } {
  const [, kind, more] = /^([a-z]+)(?::([^]*))?$/.exec(text) ?? [];
  if (kind === "github" && more === undefined) return { source: { kind }, words: kind };
  const variable = more ?? GITLAB_VARIABLE;
  if (kind === "gitlab" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
    return { source: { kind: "variable", name: variable }, words: `${kind}:${variable}` };
  }
  if (kind === "file" && more !== undefined && more !== "" && more === printable(more, 4096)) {
    const path = absolutePath(more);
    return { source: { kind, path }, words: `${kind}:${path}` };
  }
  throw wrong(
    `--workload does not know "${printable(text, 80)}".`,
    "It takes github, gitlab, gitlab:VARIABLE or file:PATH.",
  );
}

type Exchanged = NonNullable<Extract<IssuingSource, { readonly kind: "workload" }>["exchange"]>;

/**
 * The exchange that the issuer offers.
 *
 * @throws {AppError} `ISSUER_ERROR` where it offers none
 */
async function exchangeAt(
  { http, input }: MachineLogin,
  { issuer }: MachineAddress,
  scopes: readonly string[],
): Promise<Exchanged> {
  const metadata = await discoverIssuer(http, issuer);
  const { token_endpoint: tokenEndpoint, token_endpoint_auth_methods_supported: authMethods } = metadata;
  return {
    grant: grantOf(metadata),
    tokenEndpoint,
    authMethods,
    scope: scopes.join(" ") || undefined,
    ...tokenParametersOf(input),
  };
}

const GRANT = "urn:ietf:params:oauth:grant-type:";

/** RFC 8693 where the issuer offers it or does not say; else RFC 7523. */
function grantOf({ issuer, grant_types_supported: grants }: IssuerMetadata): Exchanged["grant"] {
  const grant = (["token-exchange", "jwt-bearer"] as const).find((name) =>
    grants === undefined || grants.includes(`${GRANT}${name}`)
  );
  if (grant !== undefined) return grant;
  throw new AppError("ISSUER_ERROR", `${printable(issuer)} does not exchange tokens of other issuers.`, {
    hint:
      "If the API server itself trusts the CI system, leave out --exchange; otherwise ask whoever runs it.",
  });
}

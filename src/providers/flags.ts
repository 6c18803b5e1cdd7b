/** The flags of `login` that not every cloud knows. */

/** The flags that not every cloud knows, as they are typed. */
export const FLAGS = {
  hostname: "--hostname",
  apiHostname: "--api-hostname",
  clientId: "--client-id",
  listenPort: "--listen-port",
  prompt: "--prompt",
  authParam: "--auth-param",
  tokenParam: "--token-param",
  resource: "--resource",
  trustAudience: "--trust-audience",
  issuer: "--issuer",
  redirectUri: "--redirect-uri",
  clientSecretFile: "--client-secret-file",
  deviceAuthorizationEndpoint: "--device-authorization-endpoint",
  credentials: "--credentials",
  withToken: "--with-token",
  workload: "--workload",
  audience: "--audience",
  exchange: "--exchange",
  name: "--name",
  team: "--team",
  expiresIn: "--expires-in",
  local: "--local",
  force: "--force",
  exportDatachain: "--export-datachain",
} as const;

/** The name of one of those flags. */
export type FlagName = keyof typeof FLAGS;

/** The flags whose value says which cloud is meant. */
interface TellingFlags {
  readonly hostname?: string | undefined;
  readonly issuer?: string | undefined;
  readonly scopes?: string | undefined;
}

/** The flags that tell clouds apart, as they were typed. */
export type LoginFlags =
  & TellingFlags
  & { readonly [Name in Exclude<FlagName, keyof TellingFlags>]?: unknown };

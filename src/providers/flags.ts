/** The flags of `login`, as they were typed. */

/** The flags that several clouds know, and not every one. */
export const SHARED_FLAGS = {
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
} as const;

/** The name of one of those flags. */
export type SharedFlag = keyof typeof SHARED_FLAGS;

/** A flag that one cloud alone knows. */
export interface OwnFlag {
  /** Its name in what was typed: `expiresIn`. */
  readonly name: string;
  /** As help shows it: `--expires-in <days>`. */
  readonly usage: string;
  readonly description: string;
  readonly repeatable?: true | undefined;
}

/** The flags of `login`, as they were typed. */
export interface LoginInput {
  readonly hostname?: string | undefined;
  readonly issuer?: string | undefined;
  readonly apiHostname?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly clientSecretFile?: string | undefined;
  readonly deviceAuthorizationEndpoint?: string | undefined;
  readonly clientId?: string | undefined;
  readonly provider?: string | undefined;
  readonly device: boolean;
  readonly browserCommand?: string | undefined;
  readonly listenPort?: string | undefined;
  readonly scopes?: string | undefined;
  readonly prompt?: string | undefined;
  /** `--auth-param`, as often as it was given; so are the three below. */
  readonly authParam?: readonly string[] | undefined;
  readonly tokenParam?: readonly string[] | undefined;
  readonly resource?: readonly string[] | undefined;
  readonly trustAudience?: readonly string[] | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly keyring?: string | undefined;
  readonly timeout?: string | undefined;
  /** `--credentials`: a service account's key file. */
  readonly credentials?: string | undefined;
  readonly withToken?: true | undefined;
  /** `--workload`: `github`, `gitlab[:VARIABLE]` or `file:PATH`. */
  readonly workload?: string | undefined;
  readonly audience?: string | undefined;
  readonly exchange?: true | undefined;
  /** `--local`: keeps the session in the folder that the process works in. */
  readonly local?: true | undefined;
  /** A flag of one cloud's own. */
  readonly [own: string]: unknown;
}

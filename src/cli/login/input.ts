/** What `login` is told by its flags. */

import type { LoginFlags } from "../../providers/flags.ts";

/** The flags of `login`, as they were typed. */
export interface LoginInput extends LoginFlags {
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
  /** `--name`: how Studio's token is called there. */
  readonly name?: string | undefined;
  /** `--team`, as often as it was given. */
  readonly team?: readonly string[] | undefined;
  readonly expiresIn?: string | undefined;
  /** Keeps the session in the folder that the process works in. */
  readonly local?: true | undefined;
  readonly force?: true | undefined;
  readonly exportDatachain?: true | undefined;
}

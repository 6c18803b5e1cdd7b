/** Owns what `login` is told by its flags. */

import type { ProviderFlags } from "../../providers/provider.ts";

/** The flags of `login`, as they were typed. */
export interface LoginInput extends ProviderFlags {
  readonly clientId?: string | undefined;
  readonly provider?: string | undefined;
  readonly device: boolean;
  readonly browserCommand?: string | undefined;
  readonly listenPort?: string | undefined;
  readonly scopes?: string | undefined;
  readonly prompt?: string | undefined;
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
}

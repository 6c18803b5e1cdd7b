/** Where a person signs in, and as which client: what a provider says of a sign-in. */

import type { OAuthClient } from "../oauth/client.ts";
import type { Session } from "../sessions/session.ts";

/** Where and as which client a person signs in, as a provider says. */
export interface SignInTarget {
  readonly provider: Session["provider"];
  readonly issuer: string;
  readonly authHost: string;
  readonly apiHost: string;
  readonly client: OAuthClient;
  /** The path of the loopback redirect, unless a whole URI is chosen. */
  readonly redirectPath: string;
  /** The `prompt` parameter of OpenID Connect for these scopes, unless one is chosen. */
  readonly promptFor: (scopes: readonly string[]) => string | undefined;
  /** Where a device code is asked for when the issuer's metadata does not say. */
  readonly deviceEndpoint?: string | undefined;
  /** What is kept of the vendor's API. */
  readonly api?: Readonly<Record<string, string>> | undefined;
}

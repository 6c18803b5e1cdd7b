/** Where people sign in to Cloudfleet: at the issuer and as the client of their profile. */

import { oauthClient } from "../../oauth/client.ts";
import type { SignInTarget } from "../provider.ts";
import { CLOUDFLEET } from "./facts.ts";

/** Where people come back to. The vendor names no path: this is the one to register with the client. */
const CLOUDFLEET_REDIRECT_PATH = "/datumctl/auth/callback";

/** What is kept of a profile that a person signs in to. */
export interface CloudfleetProfile {
  readonly issuer: string;
  readonly clientId: string;
  readonly apiHost: string;
  readonly api: Readonly<Record<string, string>> | undefined;
}

/** Where the person of a profile signs in. */
export function cloudfleetTarget({ issuer, clientId, apiHost, api }: CloudfleetProfile): SignInTarget {
  return {
    provider: CLOUDFLEET,
    issuer,
    authHost: new URL(issuer).host,
    apiHost,
    client: oauthClient(clientId),
    redirectPath: CLOUDFLEET_REDIRECT_PATH,
    // OpenID Connect Core 1.0, 11: a refresh token is for those who consented in this very request.
    promptFor: (scopes) => scopes.includes("offline_access") ? "consent" : undefined,
    api,
  };
}

/** An attempt to sign in for tests: begun, and waiting for its callback. */

import { beginAuthorization } from "../../src/oauth/authorization-code.ts";
import { callbackHandler } from "../../src/oauth/callback-handler.ts";
import type { SignedInLabels } from "../../src/oauth/result-page.ts";
import { CLIENT, TestIssuer } from "./issuer.ts";

/** Where the attempt's callback is. */
export const REDIRECT = "http://127.0.0.1:51000/callback";

/** Begins an attempt whose codes are redeemed for `signedIn`; `redeemed` has each of them. */
export async function openAttempt(signedIn: Promise<SignedInLabels>) {
  const metadata = new TestIssuer().discovered;
  const authorization = await beginAuthorization({
    metadata,
    client: { id: CLIENT },
    redirectUri: REDIRECT,
    scopes: ["openid"],
  });
  const redeemed: string[] = [];
  const handler = callbackHandler({
    authorization,
    metadata,
    redeem: (params) => (redeemed.push(params.get("code") ?? ""), signedIn),
  });
  return { authorization, handler, redeemed };
}

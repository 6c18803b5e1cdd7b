/** What to do when an issuer refuses to renew a session, and yet has not ended it. */

import { type Meaning, type Refusal, speaksOfSecret } from "../oauth/refusals.ts";
import { shellLine } from "../text.ts";
import { signInAgain } from "./login-line.ts";
import type { Session } from "./session.ts";

/** What to check, and the line that mends it, as sentences. */
export function afterRefusal(session: Session, refusal: Refusal & { readonly meaning: Meaning }): string {
  const { name, provider, confidential } = session;
  switch (refusal.meaning) {
    case "client":
      // Of the providers only this one has clients with a secret of their own.
      if (provider === "oidc" && (confidential || speaksOfSecret(refusal))) {
        const line = ["datumctl", "login", "--profile", name, "--client-secret-file", "FILE"];
        return `The client's secret may have changed or be missing here, or the client be disabled: ${
          shellLine(line)
        }`;
      }
      return DISABLED;
    case "disabled":
      return DISABLED;
    default:
      return "Check the client id and scopes with whoever runs the issuer. " +
        `If nothing is wrong with them, sign in again: ${signInLine(session)}`;
  }
}

const DISABLED = "The client, or its realm, may be disabled at the issuer: ask whoever runs it.";

function signInLine(session: Session): string {
  return signInAgain(session).replace(/^[^:]*: /, "");
}

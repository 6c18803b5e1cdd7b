/** What Cloudfleet does otherwise than other clouds. */

import { AppError } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import { sessionLines } from "../lines.ts";
import type { ProviderCode } from "../provider.ts";
import { addTokenLine } from "./profile.ts";
import { isApiToken } from "./facts.ts";
import { CLOUDFLEET_API_URL } from "./operations.ts";
import type { Credentials } from "../../sessions/credentials.ts";
import type { Session } from "../../sessions/session.ts";
import { cloudfleetTarget } from "./target.ts";

/** Cloudfleet's code. */
export const CLOUDFLEET_CODE: ProviderCode = {
  ...sessionLines({
    ownKind: {
      what: "Store the token's current secret",
      line: ({ name, clientId, organization }) => addTokenLine(name, clientId, organization),
    },
  }),
  flags: [
    ...["listenPort", "prompt", "authParam", "tokenParam", "resource", "trustAudience"] as const,
    ...["redirectUri", "deviceAuthorizationEndpoint"] as const,
  ],
  // Entries of Cloudfleet's profiles look as those of an issuer's did before they told the client.
  signInOfName: (name, { activeFor, clientId }) =>
    activeFor?.includes("://") && clientId === undefined
      ? `for a Cloudfleet profile: ${addTokenLine(name, "TOKEN_ID")}`
      : undefined,
  signInTarget(_, known) {
    if (known !== undefined) return Promise.resolve(cloudfleetTarget({ ...known.session, api: known.api }));
    throw new AppError("USAGE", "People sign in to Cloudfleet through a profile, which says where.", {
      hint:
        "Register one with datumctl auth add-profile user NAME ORGANIZATION_ID --issuer URL --client-id ID, " +
        "then: datumctl login --profile NAME",
    });
  },
  nothingInUse: ({ name }) => ({
    message: `The session "${name}" has no API server in use.`,
    hint:
      "Name a cluster: --cluster ID; see them: datumctl clusters list. Or write an entry for it with datumctl clusters " +
      "kubeconfig ID, and name its context: --context ID/PROFILE",
  }),
  nextCommand: "datumctl clusters list",
  staysValid: (session) =>
    isApiToken(session)
      ? `The token ${
        printable(session.clientId)
      } itself may still be valid. To delete it, as an administrator: ${
        shellLine(["datumctl", "tokens", "delete", session.clientId])
      }`
      : undefined,
  afterLogout: ({ session, credentials }) =>
    session.kind.person
      ? `The profile is gone, too. To register it again: ${registrationLine(session, credentials)}`
      : undefined,
  lostKeyLine({ name, organization, issuer, clientId }) {
    const remove = ["datumctl", "auth", "remove-profile", name];
    const add = ["datumctl", "auth", "add-profile", "user", name, organization ?? "ORGANIZATION_ID"];
    return `${shellLine(remove)}, and: ${shellLine([...add, "--issuer", issuer, "--client-id", clientId])}`;
  },
};

/** The line that registers a person's profile, which goes with its sign-in, again. */
function registrationLine(
  { name, organization = "", issuer, clientId }: Session,
  { api, certificateAuthority }: Credentials,
): string {
  const { url, ...operations } = api ?? {};
  return shellLine([
    ...["datumctl", "auth", "add-profile", "user", name, organization],
    ...["--issuer", issuer, "--client-id", clientId],
    ...(url === undefined || url === CLOUDFLEET_API_URL ? [] : ["--api-url", url]),
    ...Object.entries(operations).flatMap((
      [operation, request],
    ) => ["--operation", `${operation}=${request}`]),
    ...(certificateAuthority === undefined ? [] : ["--certificate-authority", "FILE"]),
  ]);
}

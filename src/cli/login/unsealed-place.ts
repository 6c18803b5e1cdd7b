/** What `login` does where a session's key is lost: its file alone does not say where to sign in. */

import { AppError } from "../../errors.ts";
import { machineLoginLine, placeFlags } from "../../sessions/login-line.ts";
import type { Session } from "../../sessions/session.ts";
import { shellLine } from "../../text.ts";
import type { LoginInput } from "./input.ts";
import { datumAddress } from "./machine-kind.ts";

/**
 * Without its seal a session's file is anybody's word: neither a person nor a secret is sent to where it says. Nor are
 * they sent to Datum Cloud itself unasked, where the file names another place. Throws `USAGE` with the line to check
 * and to run; the file's words are quoted in it.
 */
export function refuseLostKey(session: Session, input: LoginInput): void {
  if (input.hostname !== undefined || input.issuer !== undefined) return;
  const { name, provider, authHost, apiHost } = session;
  const unnamed = datumAddress({ input, known: undefined });
  const same = authHost === unnamed.authHost &&
    (apiHost === unnamed.apiHost || input.apiHostname !== undefined);
  if (provider === "datum" && same) return;
  const authority = session.certificateAuthority === undefined ? "" : " --certificate-authority FILE";
  throw new AppError(
    "USAGE",
    `The key of the session "${name}" is lost, so its file is not trusted to say where to sign in.`,
    { hint: `If this is the right place, run: ${again(session)}${authority}` },
  );
}

/** The line that signs in to the place that a session's public fields name. */
function again(session: Session): string {
  const { name, kind, provider, issuer, clientId, organization } = session;
  if (kind !== "user") return machineLoginLine(session);
  if (provider === "cloudfleet") {
    const remove = ["datumctl", "auth", "remove-profile", name];
    const add = ["datumctl", "auth", "add-profile", "user", name, organization ?? "ORGANIZATION_ID"];
    return `${shellLine(remove)}, and: ${shellLine([...add, "--issuer", issuer, "--client-id", clientId])}`;
  }
  const choices = provider === "oidc" ? choiceFlags(session) : [];
  return shellLine(["datumctl", "login", "--profile", name, ...placeFlags(session), ...choices]);
}

/** The flags with which an issuer of one's own was signed in to. */
function choiceFlags({ signIn = {}, confidential }: Session): string[] {
  const { redirectUri, deviceEndpoint, scopes, prompt, resources = [], trustedAudiences = [] } = signIn;
  const pairs = (parameters: Readonly<Record<string, string>> = {}) =>
    Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const flags = [
    ["--redirect-uri", redirectUri],
    ["--device-authorization-endpoint", deviceEndpoint],
    ["--scopes", scopes?.join(",")],
    ["--prompt", prompt],
    ...pairs(signIn.authParams).map((pair) => ["--auth-param", pair] as const),
    ...pairs(signIn.tokenParams).map((pair) => ["--token-param", pair] as const),
    ...resources.map((resource) => ["--resource", resource] as const),
    ...trustedAudiences.map((audience) => ["--trust-audience", audience] as const),
    ["--client-secret-file", confidential ? "FILE" : undefined],
  ] as const;
  return flags.flatMap(([flag, value]) => value === undefined ? [] : [flag, value]);
}

/** `login --auth-param`, `--token-param`, `--resource` and `--trust-audience`: what they take, and what they do not. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { TokenParameters } from "../oauth/request-parameters.ts";
import type { SignInChoices } from "../sessions/session.ts";
import type { LoginInput } from "../providers/flags.ts";

/** What of a person's own goes along with the requests, as it is remembered. */
export type ChosenParameters = Pick<
  SignInChoices,
  "authParams" | "tokenParams" | "resources" | "trustedAudiences"
>;

const SECRET = "Secrets are not for these flags: they are remembered in the session's file as they are.";

/** What is set for every request anyway, or would change what an answer means; and what says it instead. */
const RESERVED: ReadonlyMap<string, string> = new Map([
  ["client_id", "Name the client with --client-id."],
  ["client_secret", "Give the client's secret with --client-secret-file."],
  ["redirect_uri", "Name the address to return to with --redirect-uri."],
  ["scope", "Name the scopes with --scopes."],
  ["prompt", "Choose it with --prompt."],
  ["resource", "Name it with --resource, as often as there are several."],
  ["login_hint", "It is taken from the session that is renewed: --profile NAME"],
  ...[
    ...["response_type", "response_mode", "state", "nonce", "code_challenge", "code_challenge_method"],
    ...["request", "request_uri", "registration", "dpop_jkt"],
    ...["grant_type", "code", "code_verifier", "refresh_token", "device_code", "assertion"],
    ...["client_assertion", "client_assertion_type"],
    ...["subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"],
    ...["token", "token_type_hint"],
  ].map((name) => [name, "Leave it out: every sign-in has its own."] as const),
  ...["username", "password", "id_token_hint"].map((name) => [name, SECRET] as const),
]);

/**
 * The flags' values, checked; what no flag names stays as it was. An empty value takes back what was remembered.
 *
 * @throws {AppError} `USAGE`
 */
export function chosenParameters(
  { authParam, tokenParam, resource, trustAudience }: Pick<
    LoginInput,
    "authParam" | "tokenParam" | "resource" | "trustAudience"
  >,
): ChosenParameters {
  return {
    authParams: authParam && pairsOf(authParam, "--auth-param"),
    tokenParams: tokenParam && pairsOf(tokenParam, "--token-param"),
    resources: resource && given(resource).map(resourceOf),
    trustedAudiences: trustAudience && given(trustAudience).map(audienceOf),
  };
}

/**
 * What goes along with the token requests of a machine, which has no others.
 *
 * @throws {AppError} `USAGE`
 */
export function tokenParametersOf(
  { tokenParam, resource }: Pick<LoginInput, "tokenParam" | "resource">,
): TokenParameters {
  const { tokenParams, resources } = chosenParameters({ tokenParam, resource });
  return { tokenParams, resources };
}

/** What a flag was given, without the empty value that stands for none. */
function given(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== "");
}

function pairsOf(texts: readonly string[], flag: string): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const text of given(texts)) {
    const [, name = "", value = ""] = /^([^=]*)=([^]*)$/.exec(text) ?? [];
    // RFC 6749, 4.1.1 lets extensions choose; a blank or a control character is in none.
    if (!/^[\x21-\x3c\x3e-\x7e]+$/.test(name) || value !== printable(value, Infinity)) {
      throw new AppError("USAGE", `${flag} "${printable(text, 80)}" is no parameter.`, {
        hint: `Write its name, an equals sign and its value: ${flag} access_type=offline`,
      });
    }
    // Some issuers read names in any case.
    const reserved = RESERVED.get(name.toLowerCase());
    if (reserved !== undefined) {
      throw new AppError("USAGE", `${flag} cannot set ${printable(name, 60)}.`, { hint: reserved });
    }
    // RFC 6749, 3.1 and 3.2.
    if (pairs.has(name)) {
      throw new AppError("USAGE", `${flag} sets ${printable(name, 60)} twice.`, { hint: "Give it once." });
    }
    pairs.set(name, value);
  }
  return Object.fromEntries(pairs);
}

/** RFC 8707, 2: an absolute URI without a fragment. */
function resourceOf(text: string): string {
  if (text === printable(text, Infinity) && URL.canParse(text) && !text.includes("#")) return text;
  throw new AppError("USAGE", `--resource "${printable(text, 100)}" is no absolute URI without a fragment.`, {
    hint: "Name the API as its issuer does: --resource https://api.example.com",
  });
}

function audienceOf(text: string): string {
  if (text === printable(text, Infinity)) return text;
  throw new AppError("USAGE", `--trust-audience "${printable(text, 100)}" holds an invalid character.`);
}

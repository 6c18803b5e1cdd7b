/** The errors of refusals outside any session: the code, the sentence, and what to check. */

import { AppError } from "../errors.ts";
import { hostOf } from "../http/address.ts";
import { isFulfilled } from "../http/redact.ts";
import { type Answer, badAnswer, type FailedAnswer } from "./issuer-request.ts";
import type { OAuthClient } from "./client.ts";
import {
  type Meaning,
  meaningOf,
  namesError,
  type Occasion,
  otherScopes,
  type Refusal,
  refusalOf,
  refusalText,
  speaksOfSecret,
} from "./refusals.ts";

/** What was requested, as far as it matters for what to check. */
export interface RefusalContext {
  readonly occasion: Occasion;
  readonly client?: OAuthClient | undefined;
  readonly scopes?: readonly string[] | undefined;
}

/** True for an answer that refuses, by its status or because it names an error. */
export function isRefusal({ status, json }: Answer): boolean {
  return !isFulfilled(status) || namesError(json);
}

/** The issuer's own words in a refusal, safe to print. */
export function issuerText({ status, json }: Answer): string {
  return refusalText(refusalOf(json, status));
}

/** The meaning of a refusal, given what was requested. */
export function meaningOfAnswer(occasion: Occasion, { status, json }: Answer): Meaning {
  return meaningOf(occasion, refusalOf(json, status));
}

/** The cause of an error about a refusal. */
export function refusedCause(refusal: Refusal, meaning: Meaning): FailedAnswer {
  return { kind: "refused", status: refusal.status, refusal: { ...refusal, meaning } };
}

/**
 * The error of a refusal: `NETWORK` when it passes by itself, else `ISSUER_ERROR` with the issuer's words. RFC
 * 6749, 4.1.2.1 and 5.2.
 */
export function issuerRefusal(
  step: string,
  url: string | URL,
  answer: Answer,
  asked: RefusalContext,
): AppError {
  return refusalError(step, hostOf(url), refusalOf(answer.json, answer.status), asked);
}

/** Like {@link issuerRefusal}, for a refusal that was already read. */
export function refusalError(step: string, host: string, refusal: Refusal, asked: RefusalContext): AppError {
  const { status } = refusal;
  const meaning = meaningOf(asked.occasion, refusal);
  const said = refusalText(refusal);
  if (meaning === "passing") {
    const kind = asked.occasion === "way-back" ? "refused" : "status";
    return badAnswer(`${step}: ${host} is unavailable (${said}).`, { kind, status });
  }
  const withStatus = status === undefined ? said : `status ${status}, ${said}`;
  return new AppError("ISSUER_ERROR", `${step}: ${host} refused (${withStatus}).`, {
    cause: refusedCause(refusal, meaning),
    hint: whatToCheck(refusal, meaning, asked),
  });
}

/** What to check after a refusal, with the flags of a sign-in that help. */
function whatToCheck(
  refusal: Refusal,
  meaning: Meaning,
  { occasion, client, scopes }: RefusalContext,
): string {
  switch (meaning) {
    case "client":
      return client?.secret !== undefined || speaksOfSecret(refusal)
        ? "The client's secret may be missing or wrong, or the client disabled: --client-secret-file FILE"
        : "The client may be unknown there, or disabled: check --client-id, or ask whoever runs the issuer.";
    case "disabled":
      return "The client or its realm may be disabled there: ask whoever runs the issuer.";
    case "scope": {
      const others = otherScopes(scopes ?? [], refusal);
      return others === undefined
        ? "Ask for other scopes with --scopes, as whoever runs the issuer allows this client."
        : `Ask without it: --scopes ${others.join(",")}`;
    }
    default:
      return occasion === "way-back"
        ? "Check the client id, scopes and redirect URI with whoever runs the issuer."
        : "Check the client id and scopes with whoever runs the issuer.";
  }
}

/** The asking of a server that trades a machine's credential: what is asked again, and what a refusal is called. */

import type * as oauth from "oauth4webapi";
import { AppError } from "../../errors.ts";
import { clockSkew } from "../clock.ts";
import { endpointUrl, hostOf } from "../../http/address.ts";
import { failedRequest, type HttpContext } from "../../http/bounded.ts";
import { pauseAfter, type Retry } from "../../http/retry.ts";
import { type Answer, endpointGone, readJson, serverDateOf } from "../issuer-request.ts";
import { meaningOf, type Occasion, refusalOf, wordsOf } from "../refusals.ts";
import { isRefusal, issuerRefusal, refusedCause } from "../refused.ts";

/** A credential that is traded, and where. */
export interface GrantRequest<T> extends Retry {
  /** What is being done, as a sentence's begin: "Cannot get a token for the client 1". */
  readonly step: string;
  readonly endpoint: string;
  /** The credential holds times of its own, so that a wrong clock can be why it is refused. */
  readonly timeBound?: boolean | undefined;
  /** What kind of credential it is, which says what a refusal means. */
  readonly occasion: Extract<Occasion, "credential" | "assertion" | "bare-credential">;
  /** What a refusal says of the credential; "refused the credential" unless told. */
  readonly refusing?: string | undefined;
  /** One request, to be sent through the context that it is given. */
  readonly send: (http: HttpContext) => Promise<Response>;
  /** Reads an answer that is no refusal. */
  readonly read: (answer: Answer, receivedAt: number) => T;
}

/** An endpoint as `oauth4webapi` wants it, which knows no server without an issuer. */
export function authorizationServerAt(tokenEndpoint: string): oauth.AuthorizationServer {
  return { issuer: tokenEndpoint, token_endpoint: tokenEndpoint };
}

/**
 * Sends a credential and reads what it is traded for. Only failures that pass by themselves are asked again: nothing
 * is used up by asking twice.
 *
 * @throws {AppError} `SESSION_REJECTED` when the server refuses the credential, `CLOCK_SKEW` when a credential with
 * times is refused and the server's `Date` is not ours, `NETWORK`, `ISSUER_ERROR`, and what `read` throws.
 */
export async function requestGrant<T>(http: HttpContext, request: GrantRequest<T>): Promise<T> {
  const { step, endpoint } = request;
  const url = endpointUrl(endpoint);
  if (typeof url === "string") {
    throw new AppError("ISSUER_ERROR", `${step}: the address of the server ${url}.`, {
      hint: "It must be https (http on loopback only).",
    });
  }
  // The Date of an answer that is an error already is wanted too.
  let serverDate: number | undefined;
  const dated: HttpContext = {
    ...http,
    fetch: async (input, init) => {
      serverDate = undefined;
      const response = await http.fetch(input, init);
      serverDate = serverDateOf(response);
      return response;
    },
  };
  for (let attempt = 1;; attempt++) {
    try {
      const answer = await readAnswer(step, url, await request.send(dated));
      if (isRefusal(answer)) throw credentialRefusal(url, answer, request);
      return request.read(answer, http.now());
    } catch (error) {
      if (request.timeBound === true && maybeUntimely(error)) {
        const what = error.message.slice(`${step}: `.length).replace(/\.$/, "");
        const skew = clockSkew(http.now(), serverDate, hostOf(url), what);
        if (skew !== undefined) throw skew;
      }
      // What is gone there comes back by no repetition; whoever asks may know where else.
      if (endpointGone(error)) throw error;
      await pauseAfter(http, error, attempt, request);
    }
  }
}

/** Some servers call an assertion from the future a fault of their own. */
function maybeUntimely(error: unknown): error is AppError {
  const failed = failedRequest(error);
  return failed?.kind === "refused" || (failed?.kind === "status" && failed.status === 500);
}

/**
 * A plain 401 or 403 is the server's refusal, in no words of its own: plain text can hold anything. A page for people
 * is a proxy's, or a captive portal's.
 */
async function readAnswer(step: string, url: URL, response: Response): Promise<Answer> {
  const type = response.headers.get("content-type") ?? "";
  const plain = [401, 403].includes(response.status) && !/json|html/i.test(type);
  return plain ? { status: response.status, json: {} } : await readJson(step, url, response);
}

/**
 * What an error answer to a credential means: what {@link issuerRefusal} says, but `SESSION_REJECTED` where the
 * credential itself is refused. RFC 6749, 5.2.
 */
function credentialRefusal(
  url: URL,
  answer: Answer,
  { step, occasion, refusing = "refused the credential" }: Pick<
    GrantRequest<unknown>,
    "step" | "occasion" | "refusing"
  >,
): AppError {
  const refusal = refusalOf(answer.json, answer.status);
  const meaning = meaningOf(occasion, refusal);
  const words = `(status ${answer.status}, ${wordsOf(refusal)})`;
  const cause = refusedCause(refusal, meaning);
  if (meaning === "passing") return issuerRefusal(step, url, answer, { occasion });
  return meaning === "credential"
    ? new AppError("SESSION_REJECTED", `${step}: ${hostOf(url)} ${refusing} ${words}.`, {
      hint: "It may have been revoked, deleted or replaced; use the current one.",
      cause,
    })
    : new AppError("ISSUER_ERROR", `${step}: ${hostOf(url)} refused the request ${words}.`, {
      hint: "Check the address, scope and audience with whoever runs the server.",
      cause,
    });
}

/** The request of a grant with a machine's credential: what is retried, and the error of a refusal. */

import type * as oauth from "oauth4webapi";
import { AppError } from "../../errors.ts";
import { clockSkew } from "../clock-skew.ts";
import { endpointUrl, hostOf } from "../../http/address.ts";
import { failedRequest, type HttpContext } from "../../http/bounded.ts";
import { pauseAfter, type Retry } from "../../http/retry.ts";
import { type Answer, endpointGone, readJson, serverDateOf } from "../issuer-request.ts";
import { meaningOf, type Occasion, refusalOf, refusalText } from "../refusals.ts";
import { isRefusal, issuerRefusal, refusedCause } from "../refused.ts";

/** A credential and where it is exchanged. */
export interface GrantRequest<T> extends Retry {
  /** What is being done, as the start of a sentence: "Cannot get a token for the client 1". */
  readonly step: string;
  readonly endpoint: string;
  /** True when the credential contains times, so that a wrong clock can be why it is refused. */
  readonly hasTimes?: boolean | undefined;
  /** The kind of credential, which decides what a refusal means. */
  readonly occasion: Extract<Occasion, "credential" | "assertion" | "bare-credential">;
  /** How a refusal is told; "refused the credential" by default. */
  readonly refusing?: string | undefined;
  /** Sends one request through the given context. */
  readonly send: (http: HttpContext) => Promise<Response>;
  /** Reads an answer that is not a refusal. */
  readonly read: (answer: Answer, receivedAt: number) => T;
}

/** An endpoint for `oauth4webapi`, which knows no server without an issuer. */
export function authorizationServerAt(tokenEndpoint: string): oauth.AuthorizationServer {
  return { issuer: tokenEndpoint, token_endpoint: tokenEndpoint };
}

/**
 * Sends a credential and reads the token in the answer. Failures that pass by themselves are retried, because
 * asking twice uses nothing up.
 *
 * @throws {AppError} `SESSION_REJECTED` when the server refuses the credential, `CLOCK_SKEW` when it refuses a
 * credential with times and its `Date` differs from ours, `NETWORK`, `ISSUER_ERROR`, and what `read` throws.
 */
export async function requestGrant<T>(http: HttpContext, request: GrantRequest<T>): Promise<T> {
  const { step, endpoint } = request;
  const url = endpointUrl(endpoint);
  if (typeof url === "string") {
    throw new AppError("ISSUER_ERROR", `${step}: the address of the server ${url}.`, {
      hint: "It must be https (http on loopback only).",
    });
  }
  // Set even when the answer becomes an error.
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
      if (request.hasTimes === true && maybeUntimely(error)) {
        const what = error.message.slice(`${step}: `.length).replace(/\.$/, "");
        const skew = clockSkew(http.now(), serverDate, hostOf(url), what);
        if (skew !== undefined) throw skew;
      }
      // A missing endpoint does not come back by asking again; the caller may know another.
      if (endpointGone(error)) throw error;
      await pauseAfter(http, error, attempt, request);
    }
  }
}

/** Some servers report an assertion from the future as a fault of their own. */
function maybeUntimely(error: unknown): error is AppError {
  const failed = failedRequest(error);
  return failed?.kind === "refused" || (failed?.kind === "status" && failed.status === 500);
}

/**
 * A plain 401 or 403 is the server's refusal without a code; its text is not shown, because it can contain
 * anything. An HTML page comes from a proxy or a captive portal.
 */
async function readAnswer(step: string, url: URL, response: Response): Promise<Answer> {
  const type = response.headers.get("content-type") ?? "";
  const plain = [401, 403].includes(response.status) && !/json|html/i.test(type);
  return plain ? { status: response.status, json: {} } : await readJson(step, url, response);
}

/**
 * The error of a refused credential: like {@link issuerRefusal}, but `SESSION_REJECTED` when the credential itself
 * is refused. RFC 6749, 5.2.
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
  const said = `(status ${answer.status}, ${refusalText(refusal)})`;
  const cause = refusedCause(refusal, meaning);
  if (meaning === "passing") return issuerRefusal(step, url, answer, { occasion });
  return meaning === "credential"
    ? new AppError("SESSION_REJECTED", `${step}: ${hostOf(url)} ${refusing} ${said}.`, {
      hint: "It may have been revoked, deleted or replaced; use the current one.",
      cause,
    })
    : new AppError("ISSUER_ERROR", `${step}: ${hostOf(url)} refused the request ${said}.`, {
      hint: "Check the address, scope and audience with whoever runs the server.",
      cause,
    });
}

/** One attempt to sign in by browser, seen from its callback: stray requests are ignored, and the right one ends it. */

import { AppError, toAppError } from "../errors.ts";
import { type Authorization, readCallback } from "./authorization-code.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { failurePage, type SignedInLabels, strayPage, successPage } from "./result-page.ts";

/** The input of a sign-in attempt. */
export interface CallbackInput {
  readonly authorization: Authorization;
  readonly metadata: IssuerMetadata;
  /**
   * Exchanges and verifies the code, and stores the result if that is part of success. The browser gets its page
   * only when this resolves, with the resolved labels.
   */
  readonly redeem: (params: URLSearchParams) => Promise<SignedInLabels>;
}

/** The meaning of a pasted address; only `taken` is the issuer's answer to this attempt. */
export type Pasted = "taken" | "no-address" | "other-address" | "other-attempt";

/** An attempt that waits for its callback. */
export interface CallbackHandler {
  /**
   * Answers a request; never rejects. The outcome can settle before the answer is sent: close the listener
   * gracefully.
   */
  handle(request: Request): Promise<Response>;
  /** Like {@link handle}, for the address where a browser ended that could not reach the listener. */
  paste(text: string): Promise<Pasted>;
  /** Settles once: with what `redeem` resolved to, or with the AppError that ended the attempt. */
  readonly outcome: Promise<SignedInLabels>;
}

/**
 * The handler of one attempt. Concurrent requests are safe: the first right one decides, before anything is
 * awaited, and every later one is told that the attempt is over.
 */
export function callbackHandler(input: CallbackInput): CallbackHandler {
  const { authorization, metadata, redeem } = input;
  const { promise: outcome, resolve, reject } = Promise.withResolvers<SignedInLabels>();
  outcome.catch(() => {}); // its waiter gets the rejection; an abandoned attempt must not end the process
  let decided = false;

  async function handle(request: Request): Promise<Response> {
    const callback = readCallback(authorization, metadata, request);
    if (callback.kind === "ignored") return strayPage(callback.status);
    if (decided) return strayPage(409);
    decided = true;
    try {
      if (callback.kind === "refused") throw callback.error;
      const signedIn = await redeem(callback.params);
      const page = await successPage(signedIn);
      resolve(signedIn);
      return page;
    } catch (thrown) {
      const error: AppError = toAppError(thrown);
      reject(error);
      return await failurePage(error);
    }
  }

  async function paste(text: string): Promise<Pasted> {
    const url = URL.parse(text.trim());
    if (url === null || url.protocol !== "http:" || url.username !== "" || url.password !== "") {
      return "no-address";
    }
    const request = new Request(url);
    const callback = readCallback(authorization, metadata, request);
    if (callback.kind === "ignored") return callback.status === 400 ? "other-attempt" : "other-address";
    await handle(request);
    return "taken";
  }
  return { handle, paste, outcome };
}

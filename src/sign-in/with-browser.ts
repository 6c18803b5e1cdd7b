/** Owns the sign-in through a browser on this machine: listener, address, wait, result page. */

import { beginAuthorization, redeemCode } from "../oauth/authorization-code.ts";
import type { Exchange } from "../oauth/http.ts";
import { callbackHandler } from "../oauth/loopback.ts";
import type { SignedInWords } from "../oauth/result-page.ts";
import { listenOnLoopback } from "../system/loopback-listener.ts";
import { prepareSignIn, type SignedIn, type SignInRequest, whoSignedIn } from "./sign-in.ts";

/** What a sign-in through the browser needs of its surroundings. */
export interface BrowserSurroundings {
  /** Bounds the whole attempt, the person's part included. */
  readonly exchange: Exchange;
  /** 0 takes a free port. */
  readonly port: number;
  /** Shows the address and opens it. */
  readonly open: (url: string) => Promise<void>;
  /** Stores the sign-in; only then is the browser told that it worked. */
  readonly complete: (signedIn: SignedIn) => Promise<SignedInWords>;
}

/** Signs in through a browser. Throws what ended the attempt; nothing is stored then. */
export async function signInWithBrowser(request: SignInRequest, around: BrowserSurroundings): Promise<void> {
  const { exchange, open, complete } = around;
  const { target, loginHint } = request;
  const { metadata, scopes } = await prepareSignIn(exchange, request);
  let handle: (request: Request) => Promise<Response> = () =>
    Promise.resolve(new Response(null, { status: 503 }));
  const listener = listenOnLoopback(
    { hostnames: ["127.0.0.1", "::1"], port: around.port },
    (hit) => handle(hit),
  );
  try {
    const host = listener.hostname.includes(":") ? `[${listener.hostname}]` : listener.hostname;
    const authorization = await beginAuthorization({
      metadata,
      clientId: target.clientId,
      redirectUri: `http://${host}:${listener.port}${target.redirectPath}`,
      scopes,
      prompt: target.prompt,
      loginHint,
    });
    const attempt = callbackHandler<SignedInWords>({
      authorization,
      metadata,
      describe: (words) => words,
      async redeem(params) {
        const signedIn = await redeemCode(exchange, {
          metadata,
          clientId: target.clientId,
          authorization,
          params,
        });
        const user = await whoSignedIn(exchange, metadata, signedIn);
        return await complete({ ...signedIn, target, metadata, scopes, user });
      },
    });
    handle = attempt.handle;
    const ended = Promise.withResolvers<never>();
    const stop = () => ended.reject(exchange.signal.reason);
    if (exchange.signal.aborted) stop();
    exchange.signal.addEventListener("abort", stop, { once: true });
    try {
      // A browser can come back before it is known whether it started well.
      const opened = open(authorization.url).then(() => attempt.outcome);
      await Promise.race([attempt.outcome, opened, ended.promise]);
    } finally {
      exchange.signal.removeEventListener("abort", stop);
    }
  } finally {
    await listener.close();
  }
}

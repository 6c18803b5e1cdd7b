/** The sign-in through a browser: listener, address, wait, result page. */

import { beginAuthorization, redeemCode } from "../oauth/authorization-code.ts";
import type { Exchange } from "../oauth/http.ts";
import { callbackHandler, type Pasted } from "../oauth/callback-handler.ts";
import { loopbackRedirect } from "../oauth/redirect-uri.ts";
import type { SignedInWords } from "../oauth/result-page.ts";
import { listenOnLoopback, type LoopbackAddress } from "../system/loopback-listener.ts";
import { completeSignIn, type PreparedSignIn, type SignedIn } from "./sign-in.ts";

/** What a sign-in through the browser needs of its surroundings. */
export interface BrowserSurroundings {
  /** Bounds the whole attempt, the person's part included. */
  readonly exchange: Exchange;
  /** 0 takes a free port. */
  readonly port: number;
  /** Puts the address before the person; rejecting ends the attempt. */
  readonly open: (waiting: WaitingForBrowser) => Promise<void>;
  /** Stores the sign-in; only then is the browser told that it worked. */
  readonly complete: (signedIn: SignedIn) => Promise<SignedInWords>;
}

/** An attempt that waits for the browser to come back. */
export interface WaitingForBrowser {
  /** The address to open. */
  readonly url: string;
  /** The redirect URI in force: what the address begins with at which the browser ends. */
  readonly redirectUri: string;
  /** Takes the address at which a browser on another machine ended, under the same checks as a request. */
  readonly paste: (text: string) => Promise<Pasted>;
  /** Fires when the attempt is over, whatever came of it. */
  readonly over: AbortSignal;
}

/** Signs in through a browser. Throws what ended the attempt; nothing is stored then. */
export async function signInWithBrowser(
  prepared: PreparedSignIn,
  around: BrowserSurroundings,
): Promise<void> {
  const { exchange, open, complete } = around;
  const { target: { client, redirectPath }, choices, metadata, scopes, prompt, loginHint } = prepared;
  let handle: (request: Request) => Promise<Response> = () =>
    Promise.resolve(new Response(null, { status: 503 }));
  const listener = listenOnLoopback(addressOf(choices.redirectUri, around.port), (hit) => handle(hit));
  const over = new AbortController();
  // What is being stored is stored, or undone, before anything ends the attempt.
  let keeping = false;
  try {
    const host = listener.hostname.includes(":") ? `[${listener.hostname}]` : listener.hostname;
    const redirectUri = choices.redirectUri === undefined
      ? `http://${host}:${listener.port}${redirectPath}`
      : loopbackRedirect(choices.redirectUri).withPort(listener.port);
    const authorization = await beginAuthorization({
      metadata,
      client,
      redirectUri,
      scopes,
      prompt,
      loginHint,
      parameters: choices,
    });
    const attempt = callbackHandler({
      authorization,
      metadata,
      async redeem(params) {
        const signedIn = await redeemCode(exchange, {
          metadata,
          client,
          authorization,
          params,
          parameters: choices,
          trustedAudiences: choices.trustedAudiences,
        });
        const known = await completeSignIn(exchange, prepared, signedIn);
        exchange.signal.throwIfAborted();
        keeping = true;
        return await complete(known);
      },
    });
    handle = attempt.handle;
    const ended = Promise.withResolvers<never>();
    const stop = () => keeping ? undefined : ended.reject(exchange.signal.reason);
    if (exchange.signal.aborted) stop();
    exchange.signal.addEventListener("abort", stop, { once: true });
    try {
      const waiting = { url: authorization.url, redirectUri, paste: attempt.paste, over: over.signal };
      // A browser can come back before it is known whether it started well.
      const opened = open(waiting).then(() => attempt.outcome);
      await Promise.race([attempt.outcome, opened, ended.promise]);
    } finally {
      exchange.signal.removeEventListener("abort", stop);
    }
  } finally {
    over.abort();
    await listener.close();
  }
}

/** Where to listen: where the redirect URI says, else on 127.0.0.1, or [::1] when only that exists. */
function addressOf(redirectUri: string | undefined, port: number): LoopbackAddress {
  if (redirectUri === undefined) return { hostnames: ["127.0.0.1", "::1"], port };
  const redirect = loopbackRedirect(redirectUri);
  // A browser asks either family for this name.
  const every = redirect.hostname === "localhost";
  const hostnames = every ? ["127.0.0.1", "::1"] : [redirect.hostname.replace(/^\[|\]$/g, "")];
  return { hostnames, every, port: redirect.port ?? port };
}

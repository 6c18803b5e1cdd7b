/** The sign-in through a browser: listener, address, wait, result page. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { beginAuthorization, redeemCode } from "../oauth/authorization-code.ts";
import type { HttpContext } from "../http/bounded.ts";
import { callbackHandler, type Pasted } from "../oauth/callback-handler.ts";
import { oneTimeAddress } from "../oauth/one-time-address.ts";
import { loopbackRedirect } from "../oauth/redirect-uri.ts";
import type { SignedInLabels } from "../oauth/result-page.ts";
import { listenOnLoopback, type LoopbackAddress } from "../system/loopback-listener.ts";
import { completeSignIn, type PreparedSignIn, type SignedIn } from "./sign-in.ts";

/** What a sign-in through the browser is handed. */
export interface BrowserSignIn {
  /** Bounds the whole attempt, the person's part included. */
  readonly http: HttpContext;
  /** 0 takes a free port. */
  readonly port: number;
  /** Puts the address before the person; rejecting ends the attempt. */
  readonly open: (waiting: WaitingForBrowser) => Promise<void>;
  /** Told when the address that the browser was started with is asked for again. */
  readonly askedAgain: () => void;
  /** Stores the sign-in; only then is the browser told that it worked. */
  readonly complete: (signedIn: SignedIn) => Promise<SignedInLabels>;
}

/** An attempt that waits for the browser to come back. */
export interface WaitingForBrowser {
  /** The issuer's address, to be shown. */
  readonly url: string;
  /** Leads there once: what a browser is started with, which others on this machine can see. */
  readonly oneTimeUrl: string;
  /** The redirect URI in force: what the address begins with at which the browser ends. */
  readonly redirectUri: string;
  /** Takes the address at which a browser on another machine ended, under the same checks as a request. */
  readonly paste: (text: string) => Promise<Pasted>;
  /** Fires when the attempt is over, whatever came of it. */
  readonly over: AbortSignal;
}

/**
 * Signs in through a browser.
 *
 * @throws {AppError} what ended the attempt; nothing is stored then
 */
export async function signInWithBrowser(
  prepared: PreparedSignIn,
  context: BrowserSignIn,
): Promise<void> {
  const { http, open, complete, askedAgain } = context;
  const { target: { client, redirectPath }, choices, metadata, scopes, prompt, loginHint } = prepared;
  let handle: (request: Request) => Promise<Response> = () =>
    Promise.resolve(new Response(null, { status: 503 }));
  const listener = listenOnLoopback(addressOf(choices.redirectUri, context.port), (hit) => handle(hit));
  const over = new AbortController();
  // The issuer's answer is there: how its requests end is how the attempt ends. What is being stored is stored, or undone.
  let answered = false;
  try {
    const host = listener.hostname.includes(":") ? `[${listener.hostname}]` : listener.hostname;
    const origin = `http://${host}:${listener.port}`;
    const redirectUri = choices.redirectUri === undefined
      ? `${origin}${redirectPath}`
      : loopbackRedirect(choices.redirectUri).withPort(listener.port);
    http.log?.(`The browser is to come back to ${redirectUri}`);
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
        answered = true;
        const signedIn = await redeemCode(http, {
          metadata,
          client,
          authorization,
          params,
          parameters: choices,
          trustedAudiences: choices.trustedAudiences,
        });
        const known = await completeSignIn(http, prepared, signedIn);
        http.signal.throwIfAborted();
        return await complete(known);
      },
    });
    const oneTime = oneTimeAddress(origin, authorization.url, askedAgain);
    handle = (request) => oneTime.handle(request) ?? attempt.handle(request);
    const ended = Promise.withResolvers<never>();
    const stop = () =>
      answered ? undefined : ended.reject(nobodyCame(http.signal.reason, client.id, redirectUri));
    if (http.signal.aborted) stop();
    http.signal.addEventListener("abort", stop, { once: true });
    try {
      const waiting = {
        url: authorization.url,
        oneTimeUrl: oneTime.url,
        redirectUri,
        paste: attempt.paste,
        over: over.signal,
      };
      // A browser can come back before it is known whether it started well.
      const opened = open(waiting).then(() => attempt.outcome);
      await Promise.race([attempt.outcome, opened, ended.promise]);
    } finally {
      http.signal.removeEventListener("abort", stop);
    }
  } finally {
    over.abort();
    await listener.close();
  }
}

/** Time that ran out while nobody came back: an issuer that does not know the client tells only the browser so. */
function nobodyCame(reason: unknown, clientId: string, redirectUri: string): unknown {
  if (!(reason instanceof AppError) || reason.code !== "TIMEOUT") return reason;
  const { code, message, hint = "" } = reason;
  return new AppError(code, message, {
    hint: `If the browser showed an error, check that the issuer knows the client id "${
      printable(clientId, 200)
    }", and that ${redirectUri} is registered there as its redirect URI. ${hint}`.trimEnd(),
    cause: reason,
  });
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

/** Owns how requests leave this machine: trust, proxies, and the one sentence each for what can go wrong. */

import { AppError, printable } from "../errors.ts";
import { type Environment, environment } from "./environment.ts";
import { proxyOf } from "./proxy.ts";

/** A `fetch` whose every failure is an {@link AppError}. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** A fetch and the connections that it keeps. */
export interface Network extends Disposable {
  readonly fetch: Fetch;
}

const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

/**
 * Makes the system's trust store count beside Mozilla's, and keeps loopback requests from going to a proxy.
 * Deno reads these variables at the first request, so this comes before it. It looks at `no_proxy` only where there
 * is no `NO_PROXY`: what stands in the one must not be lost by making the other.
 */
function prepareNetwork(env: Environment): void {
  if (env("DENO_TLS_CA_STORE") === undefined) Deno.env.set("DENO_TLS_CA_STORE", "system,mozilla");
  const listed = (env("NO_PROXY") ?? env("no_proxy"))?.split(",").map((part) => part.trim()) ?? [];
  Deno.env.set("NO_PROXY", [...new Set([...listed, ...LOOPBACK])].join(","));
}

/** What a request's failure was, told apart by the runtime's words. */
export type NetworkFailure =
  | { readonly kind: "unknown-issuer" | "expired" | "not-yet-valid" | "wrong-name" | "bad-certificate" }
  | { readonly kind: "refused" | "unresolved" | "unreachable" | "closed" | "timed-out" | "proxy" | "other" };

const PATTERNS: readonly (readonly [RegExp, NetworkFailure["kind"]])[] = [
  [/UnknownIssuer|unknown issuer|self.?signed/i, "unknown-issuer"],
  [/certificate.*NotValidYet|certificate not valid yet/i, "not-yet-valid"],
  [/certificate.*Expired|certificate expired/i, "expired"],
  [/NotValidForName|not valid for name/i, "wrong-name"],
  [/invalid peer certificate|certificate/i, "bad-certificate"],
  [/proxy|tunnel/i, "proxy"],
  [/connection refused|os error 111|os error 61\b|os error 10061/i, "refused"],
  [/dns error|failed to lookup|name or service not known|nodename|no such host/i, "unresolved"],
  [/unreachable|os error 101|os error 113/i, "unreachable"],
  [/timed out|timeout/i, "timed-out"],
  [/closed|reset|broken pipe|eof|incomplete|error reading a body|os error 104|os error 32\b/i, "closed"],
];

/**
 * Tells failures of `fetch` apart by the words of the error and its causes, which are read here and nowhere else.
 */
export function networkFailure(thrown: unknown): NetworkFailure {
  const words: string[] = [];
  let at = thrown;
  while (at instanceof Error && words.length < 5) {
    // The address that was asked could itself hold one of the words.
    words.push(at.message.replace(/ for url \([^)]*\)/, ""));
    at = at.cause;
  }
  const text = words.join(" | ");
  return { kind: PATTERNS.find(([pattern]) => pattern.test(text))?.[1] ?? "other" };
}

const SENTENCES: Record<NetworkFailure["kind"], string> = {
  "unknown-issuer": "its certificate was issued by an authority that this machine does not trust",
  "expired": "its certificate has expired (or this machine's clock is wrong)",
  "not-yet-valid": "its certificate is not valid yet (or this machine's clock is wrong)",
  "wrong-name": "its certificate was made for another host name",
  "bad-certificate": "its certificate cannot be accepted",
  "refused": "the connection was refused",
  "unresolved": "the host name cannot be resolved",
  "unreachable": "the network is unreachable",
  "closed": "the connection was closed before the answer was complete",
  "timed-out": "it did not answer in time",
  "proxy": "the proxy did not let the request through",
  "other": "the connection failed",
};

/** The cause of an `UNTRUSTED_CERTIFICATE` whose authority nobody here knows. */
class UnknownIssuer extends Error {
  override readonly name = "UnknownIssuer";
  readonly host: string;

  constructor(host: string, cause: unknown) {
    super("unknown issuer", { cause });
    this.host = host;
  }
}

/** The host, with its port, whose certificate comes from an unknown authority; undefined for any other error. */
export function hostOfUnknownIssuer(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof UnknownIssuer) return at.host;
  return undefined;
}

/** The failure of a request to a host, maybe through a proxy, as our error: `UNTRUSTED_CERTIFICATE` or `NETWORK`. */
export function networkError(host: string, thrown: unknown, proxy?: string): AppError {
  if (thrown instanceof AppError) return thrown;
  const { kind } = networkFailure(thrown);
  const through = proxy === undefined ? "" : ` through the proxy ${proxy}`;
  const message = `Cannot reach ${printable(host)}${through}: ${SENTENCES[kind]}.`;
  if (kind === "unknown-issuer" || kind === "wrong-name" || kind === "bad-certificate") {
    const hint = kind === "unknown-issuer"
      ? "If the host uses a private authority, sign in with --certificate-authority FILE (its CA certificate, PEM)."
      : "Check the host name, and whether a proxy stands in between.";
    const cause = kind === "unknown-issuer" ? new UnknownIssuer(host, thrown) : thrown;
    return new AppError("UNTRUSTED_CERTIFICATE", message, { hint, cause });
  }
  return new AppError("NETWORK", message, {
    hint: "Check the network, VPN or proxy and run the same command again.",
    cause: thrown,
  });
}

/**
 * A fetch that trusts the given authorities (PEM) beside the system's and Mozilla's. An abort by the caller's
 * signal is rethrown as the signal's own reason; every other failure is a {@link networkError}.
 */
export function openNetwork(certificateAuthority?: string): Network {
  prepareNetwork(environment);
  const client = certificateAuthority === undefined
    ? undefined
    : clientTrusting(certificatesOf(certificateAuthority));
  return {
    async fetch(input, init) {
      try {
        return await fetch(input, client === undefined ? init : { ...init, client } as RequestInit);
      } catch (thrown) {
        if (init?.signal?.aborted) throw init.signal.reason;
        const url = new URL(input);
        throw networkError(url.host, thrown, proxyOf(url, environment));
      }
    },
    [Symbol.dispose]() {
      client?.close();
    },
  };
}

function clientTrusting(caCerts: string[]): Deno.HttpClient {
  try {
    return Deno.createHttpClient({ caCerts });
  } catch (cause) {
    throw new AppError("USAGE", "The certificate authority's file holds a certificate that cannot be read.", {
      hint: "Give --certificate-authority the authority's certificate as PEM.",
      cause,
    });
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, one string each; throws `USAGE` when it holds none or a private key. */
export function certificatesOf(pem: string): string[] {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new AppError("USAGE", "The certificate authority's file holds a private key.", {
      hint: "Give --certificate-authority a file that holds certificates only.",
    });
  }
  const found = pem.match(CERTIFICATE);
  if (found === null) {
    throw new AppError("USAGE", "The certificate authority's file holds no PEM certificate.", {
      hint: "It should contain -----BEGIN CERTIFICATE-----.",
    });
  }
  return [...found];
}

/** The way of requests out of this machine: trust, proxies, and one sentence for each failure. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { type Environment, environment } from "./environment.ts";
import { noProxy, type Proxy, PROXY_VARIABLE_NAMES, proxyOf } from "./proxy.ts";

/** A `fetch` whose every failure is an {@link AppError}. */
export interface Fetch {
  (input: string | URL, init?: RequestInit): Promise<Response>;
  /** The host and port of the proxy through which an address is asked, for messages; undefined for none. */
  readonly proxyOf?: ((url: URL) => string | undefined) | undefined;
}

/** A fetch and its open connections. */
export interface Network extends Disposable {
  readonly fetch: Fetch;
}

/** Adds the system's trust store to Mozilla's. Deno reads the variable at the first request. */
function prepareNetwork(env: Environment): void {
  if (env("DENO_TLS_CA_STORE") === undefined) Deno.env.set("DENO_TLS_CA_STORE", "system,mozilla");
}

/** The kinds of failures of a request. */
export type NetworkFailure =
  | { readonly kind: "unknown-issuer" | "expired" | "not-yet-valid" | "wrong-name" | "bad-certificate" }
  | { readonly kind: "refused" | "unresolved" | "unreachable" | "closed" | "timed-out" | "other" }
  | { readonly kind: "proxy" | "proxy-user" };

const PATTERNS: readonly (readonly [RegExp, NetworkFailure["kind"]])[] = [
  [/UnknownIssuer|unknown issuer|self.?signed/i, "unknown-issuer"],
  [/certificate.*NotValidYet|certificate not valid yet/i, "not-yet-valid"],
  [/certificate.*Expired|certificate expired/i, "expired"],
  [/NotValidForName|not valid for name/i, "wrong-name"],
  [/invalid peer certificate|certificate/i, "bad-certificate"],
  [/proxy authentication required|password auth failure|authorization required/i, "proxy-user"],
  [/proxy|tunnel/i, "proxy"],
  [/connection refused|os error 111|os error 61\b|os error 10061/i, "refused"],
  [/dns error|failed to lookup|name or service not known|nodename|no such host/i, "unresolved"],
  [/unreachable|os error 101|os error 113/i, "unreachable"],
  [/timed out|timeout/i, "timed-out"],
  [/closed|reset|broken pipe|eof|incomplete|error reading a body|os error 104|os error 32\b/i, "closed"],
];

/** Tells the failures of `fetch` apart by the messages of the error and its causes. Nothing else reads those. */
export function networkFailure(thrown: unknown): NetworkFailure {
  const words: string[] = [];
  let at = thrown;
  while (at instanceof Error && words.length < 5) {
    // The requested address itself could contain one of the words.
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
  "proxy-user": "the proxy asks for a user name and password",
  "other": "the connection failed",
};

/** The cause of an `UNTRUSTED_CERTIFICATE` with an unknown authority. */
class UnknownIssuer extends Error {
  override readonly name = "UnknownIssuer";
  readonly unknown: UnknownAuthority;

  constructor(unknown: UnknownAuthority, cause: unknown) {
    super("unknown issuer", { cause });
    this.unknown = unknown;
  }
}

/** A host whose certificate comes from an unknown authority. */
export interface UnknownAuthority {
  /** With its port. */
  readonly host: string;
  /**
   * What makes the failed call trust an authority: a command line, or a variable; undefined when the caller did not
   * say.
   */
  readonly trust: string | undefined;
}

/** The unknown authority that an error is about; undefined for any other error. */
export function unknownAuthorityOf(error: unknown): UnknownAuthority | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof UnknownIssuer) return at.unknown;
  return undefined;
}

/** The hint for commands that take an authority with a flag. */
export const SAME_COMMAND = "the same command with --certificate-authority FILE";

/** What makes a call trust an authority, a command line or a variable; or how that is found when it is needed. */
export type Trust = string | (() => Promise<string>);

/** What is known about a request beside its host. */
export interface RequestEnvironment {
  /** The proxy that it went through. */
  readonly proxy?: Proxy | undefined;
  /** See {@link UnknownAuthority}. */
  readonly trust?: string | undefined;
}

/** The failure of a request to a host as our error: `UNTRUSTED_CERTIFICATE` or `NETWORK`. */
export function networkError(
  host: string,
  thrown: unknown,
  { proxy, trust }: RequestEnvironment = {},
): AppError {
  if (thrown instanceof AppError) return thrown;
  const { kind } = networkFailure(thrown);
  const through = proxy === undefined ? "" : ` through the proxy ${proxy.host}`;
  const message = `Cannot reach ${printable(host)}${through}: ${SENTENCES[kind]}.`;
  switch (kind) {
    case "unknown-issuer":
      return new AppError("UNTRUSTED_CERTIFICATE", message, {
        hint: "If the host uses a private authority, name its CA certificate (PEM): " +
          (trust ?? SAME_COMMAND),
        cause: new UnknownIssuer({ host, trust }, thrown),
      });
    case "wrong-name":
    case "bad-certificate":
      return new AppError("UNTRUSTED_CERTIFICATE", message, {
        hint: "Check the host name, and whether a proxy stands in between.",
        cause: thrown,
      });
    case "proxy-user": {
      const { variable = "HTTPS_PROXY", url = "" } = proxy ?? {};
      const [scheme = "http"] = url.split(":", 1);
      return new AppError("NETWORK", message, {
        hint: `Put them into the variable, percent-encoded: ${variable}=${scheme}://USER:PASSWORD@${
          proxy?.host ?? "HOST:PORT"
        }`,
        cause: thrown,
      });
    }
    default:
      return new AppError("NETWORK", message, {
        hint: "Check the network, VPN or proxy and run the same command again.",
        cause: thrown,
      });
  }
}

/** How a network differs from the plain one. */
export interface NetworkOptions {
  /** Each request has a connection of its own: over one of HTTP/2, a hundred watches starve everything else. */
  readonly http1?: boolean | undefined;
}

/**
 * A fetch that trusts the given authorities (PEM) beside the system's and Mozilla's, and uses the proxy of
 * {@link proxyOf}. An abort by the caller's signal is thrown as the signal's own reason; every other failure is a
 * {@link networkError}.
 *
 * @param trust what makes this call trust an authority, for the hint
 */
export function openNetwork(
  certificateAuthority?: string,
  trust?: Trust,
  { http1 = false }: NetworkOptions = {},
): Network {
  prepareNetwork(environment);
  const caCerts = certificateAuthority === undefined ? undefined : certificatesOf(certificateAuthority);
  const settings: Deno.CreateHttpClientOptions = { http2: !http1 };
  if (caCerts !== undefined) settings.caCerts = caCerts;
  // One for each proxy, and one for direct requests.
  const clients = new Map<string | undefined, Deno.HttpClient>();
  const clientFor = (proxy: Proxy | undefined) => {
    const known = clients.get(proxy?.url);
    if (known !== undefined) return known;
    const made = makeClient(settings, proxy);
    clients.set(proxy?.url, made);
    return made;
  };
  // An unreadable authority is reported now, not at the first request.
  if (caCerts !== undefined) clientFor(undefined);
  const ask = async (input: string | URL, init?: RequestInit) => {
    const url = new URL(input);
    const proxy = proxyOf(url, environment);
    try {
      // No redirect is followed here, because another host may need another proxy.
      const response = await fetch(
        input,
        { redirect: "manual", ...init, client: clientFor(proxy) } as RequestInit,
      );
      if (proxy === undefined || response.status !== 407) return response;
      await response.body?.cancel();
      throw new Error("proxy authentication required");
    } catch (thrown) {
      if (init?.signal?.aborted) throw init.signal.reason;
      const line = typeof trust === "function" ? await trust() : trust;
      throw networkError(url.host, thrown, { proxy, trust: line });
    }
  };
  return {
    fetch: Object.assign(ask, { proxyOf: (url: URL) => proxyOf(url, environment)?.host }),
    [Symbol.dispose]() {
      for (const client of clients.values()) client.close();
    },
  };
}

/**
 * A client for one proxy, or for none. The runtime would use the proxy variables it finds while the client is made,
 * and it reads `NO_PROXY` differently from kubectl and curl; so they are removed meanwhile.
 */
function makeClient(settings: Deno.CreateHttpClientOptions, proxy: Proxy | undefined): Deno.HttpClient {
  return withoutVariables(PROXY_VARIABLE_NAMES, () => {
    if (proxy === undefined) return directClient(settings);
    try {
      return Deno.createHttpClient({ ...settings, proxy: { url: proxy.url } });
    } catch (cause) {
      throw noProxy(proxy.variable, cause);
    }
  });
}

/** Runs a function while some variables of this process are removed. */
function withoutVariables<T>(names: readonly string[], make: () => T): T {
  const taken = names.flatMap((name) => {
    const value = Deno.env.get(name);
    if (value === undefined) return [];
    // On Windows both spellings are one variable.
    Deno.env.delete(name);
    return [[name, value] as const];
  });
  try {
    return make();
  } finally {
    for (const [name, value] of taken) Deno.env.set(name, value);
  }
}

function directClient(settings: Deno.CreateHttpClientOptions): Deno.HttpClient {
  try {
    return Deno.createHttpClient(settings);
  } catch (cause) {
    throw new AppError("USAGE", "The certificate authority's file holds a certificate that cannot be read.", {
      hint: "Give --certificate-authority the authority's certificate as PEM.",
      cause,
    });
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM text, one string each.
 *
 * @throws {AppError} `USAGE` when it holds no certificate, or a private key.
 */
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

/** The proxy of a request: the one that a variable names, unless `NO_PROXY` excludes the host. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { Environment } from "./environment.ts";
import { isExcepted, isOwnHost } from "./no-proxy.ts";

/** A proxy that a variable names. */
export interface Proxy {
  /** Its URL, perhaps with a user name and password: not for messages. */
  readonly url: string;
  /** Its host and port, for messages. */
  readonly host: string;
  /** The variable that names it, in its actual spelling. */
  readonly variable: string;
}

/** The variables that name proxies, in capitals; lower case counts, too. */
const PROXY_VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] as const;

/** Those variables in both spellings. */
export const PROXY_VARIABLE_NAMES: readonly string[] = PROXY_VARIABLES.flatMap((name) => [
  name,
  name.toLowerCase(),
]);

const SCHEMES = ["http:", "https:", "socks5:", "socks5h:"];

/**
 * The proxy for an address; undefined when it is asked directly. The variable of the address's scheme counts, else
 * `ALL_PROXY`. This machine's own addresses never go to a proxy.
 *
 * @throws {AppError} `USAGE` when a variable holds no proxy URL.
 */
export function proxyOf(url: URL, env: Environment): Proxy | undefined {
  if (isOwnHost(url.hostname)) return undefined;
  const named = variableOf(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY", env) ??
    variableOf("ALL_PROXY", env);
  if (named === undefined) return undefined;
  // Versions of kubectl differ in which spelling counts: a host in either list may be out of the proxy's reach.
  if ([env("NO_PROXY"), env("no_proxy")].some((list) => list !== undefined && isExcepted(url, list))) {
    return undefined;
  }
  const [variable, value] = named;
  const text = value.trim();
  const proxy = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (proxy === null || proxy.hostname === "" || !SCHEMES.includes(proxy.protocol)) throw noProxy(variable);
  const { protocol, username, password, host } = proxy;
  // The runtime accepts a user name only with a colon behind it.
  const user = username === "" && password === "" ? "" : `${username}:${password}@`;
  return { url: `${protocol}//${user}${host}`, host: printable(host, 253), variable };
}

function variableOf(name: string, env: Environment): readonly [name: string, value: string] | undefined {
  for (const spelling of [name, name.toLowerCase()]) {
    const value = env(spelling);
    if (value !== undefined) return [spelling, value];
  }
  return undefined;
}

/** The error does not show the value, which may contain a password. */
export function noProxy(variable: string, cause?: unknown): AppError {
  return new AppError("USAGE", `The variable ${variable} holds no URL of a proxy.`, {
    hint:
      `Set it to one (http, https or socks5), such as ${variable}=http://proxy.example.com:3128, or unset it.`,
    cause,
  });
}

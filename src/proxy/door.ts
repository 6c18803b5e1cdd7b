/** The proxy's door: who may ask at all. The key of this run, the host that was meant, and no web page. */

import { toBase64Url } from "../encoding.ts";
import type { ListenerAddress } from "../system/http-listener.ts";
import type { Refusal } from "./judge.ts";

/** A new key: 32 random bytes in letters that stand in a path as they are. */
export function newKey(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * The target of a request, as it was sent, without the key.
 *
 * `Request.url` is the scheme, the text of the header `Host` and the target, each as it came. It could be read in two
 * ways where the host holds a slash, or where the target is a whole URL of its own: then nothing is taken out of it.
 */
export function admit(
  request: Pick<Request, "url" | "headers">,
  { scheme, hosts }: ListenerAddress,
  key: string,
): string | Refusal {
  const host = request.headers.get("host") ?? "";
  if (!hosts.includes(host)) return { status: 403, message: "the Host header names another server" };
  const before = `${scheme}${host}`;
  if (!request.url.startsWith(`${before}/`)) {
    return { status: 400, message: "the request's target is for another server" };
  }
  if (request.headers.has("origin")) return { status: 403, message: "web pages may not ask" };
  const target = request.url.slice(before.length);
  const [, first = "", rest = ""] = /^\/([^/?]*)(.*)$/s.exec(target) ?? [];
  if (isSame(first, key)) return rest.startsWith("/") ? rest : `/${rest}`;
  const [, bearer = ""] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (isSame(bearer, key)) return target;
  return {
    status: 401,
    message: "the key of this proxy is missing: the first segment of the path, or a Bearer",
  };
}

/** Compares in a time that does not depend on where two texts of one length differ. */
function isSame(given: string, key: string): boolean {
  if (given.length !== key.length) return false;
  let difference = 0;
  for (let at = 0; at < key.length; at++) difference |= given.charCodeAt(at) ^ key.charCodeAt(at);
  return difference === 0;
}

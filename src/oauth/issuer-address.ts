/** The issuer that a person meant by an address that is not quite one. */

import { printable } from "../text.ts";

/**
 * The paths of discovery documents: OpenID Connect Discovery 1.0, 4.1, and RFC 8414, 3.1, which puts the issuer's
 * path after it.
 */
const DOCUMENT = /\/\.well-known\/(?:openid-configuration|oauth-authorization-server)\/?/;

/**
 * The issuer meant by an address: without surrounding blanks, without the path of the discovery document, with a
 * missing `https://`. Undefined when none of these is the fault.
 */
export function intendedIssuer(text: string): string | undefined {
  const bare = printable(text, Infinity);
  const whole = bare.includes("://") ? bare : `https://${bare}`;
  const url = URL.parse(whole);
  if (url === null || /\s/.test(bare) || !/^[^/?#@]+\.[^/?#@]|^localhost|^\[/.test(url.host)) {
    return undefined;
  }
  const document = DOCUMENT.exec(url.pathname);
  const path = document === null ? undefined : url.pathname.slice(0, document.index) +
    prefixed(url.pathname.slice(document.index + document[0].length));
  const meant = path === undefined ? whole : `${url.origin}${path}`;
  return meant === text ? undefined : meant;
}

function prefixed(path: string): string {
  return path === "" ? "" : `/${path}`;
}

/** What somebody meant who gave an issuer's address with something around it. */

import { printable } from "../text.ts";

/** Where discovery documents lie: OpenID Connect Discovery 1.0, 4.1, and RFC 8414, 3.1, which puts the path behind it. */
const DOCUMENT = /\/\.well-known\/(?:openid-configuration|oauth-authorization-server)\/?/;

/**
 * The issuer that was meant by an address that is none: without blanks around it, without the path of its discovery
 * document, with the `https://` that is missing. Undefined where nothing of that is the fault.
 */
export function issuerMeant(text: string): string | undefined {
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

/** Owns which proxy a request goes through: as Deno chooses it from the variables, told for messages. */

import { printable } from "../errors.ts";
import type { Environment } from "./environment.ts";

/** The host and port of the proxy for an address, without the user and password that it may have; undefined for none. */
export function proxyOf({ protocol, hostname }: URL, env: Environment): string | undefined {
  const of = (name: string) => env(name) ?? env(name.toLowerCase());
  // Deno looks at the one for all first.
  const proxy = of("ALL_PROXY") ?? of(protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === undefined || isExcepted(hostname.replace(/^\[|\]$/g, ""), of("NO_PROXY") ?? "")) {
    return undefined;
  }
  const [, address = ""] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:.*@)?([^/?#]*)/i.exec(proxy) ?? [];
  return address === "" ? undefined : printable(address, 253);
}

/** True for a host that `NO_PROXY` names, by itself, its domain or everything; and for addresses where it names blocks. */
function isExcepted(host: string, list: string): boolean {
  const isAddress = /^[\d.]+$|:/.test(host);
  return list.split(",").map((part) => part.trim().toLowerCase()).some((part) => {
    if (part === "") return false;
    if (part === "*" || part === host) return true;
    if (isAddress) return part.includes("/");
    return host.endsWith(part.startsWith(".") ? part : `.${part}`) || `.${host}` === part;
  });
}

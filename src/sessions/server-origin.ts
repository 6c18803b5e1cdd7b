/** The origin of a server's address, as all programs that read it understand it. */

/** An address up to its path, where kubectl and we read it alike: no user, blank or `\`. */
const AUTHORITY =
  /^(?:(https?):\/\/)?((?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?)(?:[/?#]|$)/i;

/**
 * The origin of a server's address; undefined for an address that two programs could read as two hosts. Without a scheme it
 * is https: kubectl asks no plugin for a token otherwise.
 *
 * @example
 * ```ts
 * import { originOf } from "./server-origin.ts";
 * console.assert(originOf("https://K8S.example.com:443/base") === "https://k8s.example.com");
 * console.assert(originOf("https://k8s.example.com\\@other.example") === undefined);
 * ```
 */
export function originOf(address: string): string | undefined {
  const [, scheme = "https", authority] = AUTHORITY.exec(address) ?? [];
  const url = authority === undefined ? null : URL.parse(`${scheme}://${authority}`);
  if (url === null || authority === undefined) return undefined;
  // A URL parser reads some numbers as an IP address that other programs read as a name.
  const same = authority.startsWith("[") || url.hostname === authority.toLowerCase().replace(/:[0-9]*$/, "");
  return same ? url.origin : undefined;
}

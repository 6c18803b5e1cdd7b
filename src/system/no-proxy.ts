/** The addresses that `NO_PROXY` keeps from a proxy: all that kubectl or curl would ask directly. */

/** True for this machine's own addresses and name, which never go to a proxy, as in kubectl. */
export function isOwnHost(hostname: string): boolean {
  if (hostname === "localhost") return true;
  const address = addressOf(hostname.replace(/^\[|\]$/g, ""));
  return address !== undefined && (address.bits === LOOPBACK_6 || contains(LOOPBACK_4, address));
}

/**
 * True for an address that the list names as kubectl reads it, or as curl does: the proxy may be unable to reach an
 * address that either of them asks directly.
 */
export function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return isExceptedByKubectl(host, port, list) || isExceptedByCurl(host, list);
}

/** Go's golang.org/x/net/http/httpproxy, which kubectl and all of client-go use. */
function isExceptedByKubectl(host: string, port: string, list: string): boolean {
  const entries = list.split(",").map((entry) => entry.trim().toLowerCase()).filter((entry) => entry !== "");
  if (entries.includes("*")) return true;
  const address = addressOf(host);
  return entries.some((entry) => {
    const block = blockOf(entry);
    if (block !== undefined) return address !== undefined && contains(block, address);
    const [name, ofPort] = splitPort(entry);
    if (name === "" || (ofPort !== "" && ofPort !== port)) return false;
    const named = addressOf(name);
    if (named !== undefined || address !== undefined) return named?.bits === address?.bits;
    const domain = asciiDomain(name.replace(/^\*\./, "."));
    return domain.startsWith(".") ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
  });
}

/** curl's lib/noproxy.c, as it was when blanks also separated entries. */
function isExceptedByCurl(host: string, list: string): boolean {
  if (list === "*") return true;
  const address = addressOf(host);
  const name = host.replace(/\.$/, "");
  return list.split(/[ \t,]+/).filter((entry) => entry !== "").some((entry) => {
    if (address !== undefined) return isAddressForCurl(address, entry);
    const domain = entry.replace(/\.$/, "").replace(/^\./, "").toLowerCase();
    return domain !== "" && (name === domain || name.endsWith(`.${domain}`));
  });
}

/** curl reads a block's length with C's `atoi`; 0 and non-numbers mean a single address. */
function isAddressForCurl(address: Address, entry: string): boolean {
  const [text = "", length = ""] = entry.split("/", 2);
  const named = addressOf(text);
  if (named === undefined || named.family !== address.family) return false;
  const prefix = Number(/^\s*([+-]?\d+)/.exec(length)?.[1] ?? 0);
  if (prefix < 0 || prefix > widthOf(named)) return false;
  return contains({ address: named, prefix: prefix === 0 ? widthOf(named) : prefix }, address);
}

/** An IP address as a number of 128 bits. IPv4 addresses are IPv6-mapped, and of one family with mapped ones. */
interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** A block of addresses. Its prefix is counted within its family's address length. */
interface Block {
  readonly address: Address;
  readonly prefix: number;
}

const MAPPED = 0xffffn << 32n;
const LOOPBACK_4: Block = { address: { family: 4, bits: MAPPED | (127n << 24n) }, prefix: 8 };
const LOOPBACK_6 = 1n;

function widthOf({ family }: Address): 32 | 128 {
  return family === 4 ? 32 : 128;
}

function contains({ address: { family, bits }, prefix }: Block, other: Address): boolean {
  const rest = BigInt(family === 4 ? 32 - prefix : 128 - prefix);
  return family === other.family && bits >> rest === other.bits >> rest;
}

/** An address without brackets, port or zone; undefined for any other text. */
function addressOf(text: string): Address | undefined {
  if (/^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text)) {
    const parts = text.split(".").map(Number);
    if (parts.some((part) => part > 255)) return undefined;
    return { family: 4, bits: MAPPED | parts.reduce((bits, part) => bits << 8n | BigInt(part), 0n) };
  }
  if (!text.includes(":") || !/^[\da-f:.]+$/i.test(text)) return undefined;
  const written = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
  if (written === undefined) return undefined;
  const [left = [], right] = written.split("::").map((half) => half === "" ? [] : half.split(":"));
  const zeros = right === undefined ? [] : Array<string>(8 - left.length - right.length).fill("0");
  const groups = [...left, ...zeros, ...right ?? []];
  const bits = groups.reduce((bits, group) => bits << 16n | BigInt(`0x${group}`), 0n);
  return { family: bits >> 32n === 0xffffn ? 4 : 6, bits };
}

/** `address/prefix`; undefined for any other text. */
function blockOf(entry: string): Block | undefined {
  const [, text = "", length = ""] = /^([^/]*)\/(\d+)$/.exec(entry) ?? [];
  const address = addressOf(text);
  if (address === undefined) return undefined;
  // The prefix of a mapped address in IPv6 notation counts from the IPv6 beginning.
  const prefix = address.family === 4 && text.includes(":") ? Number(length) - 96 : Number(length);
  return prefix < 0 || prefix > widthOf(address) ? undefined : { address, prefix };
}

/** `host:port` and `[address]:port`, split as Go's net.SplitHostPort does; otherwise all of it is the host. */
function splitPort(entry: string): readonly [host: string, port: string] {
  const [, bracketed, plain, port = ""] = /^(?:\[([^[\]]*)\]|([^[\]:]*)):([^[\]:]*)$/.exec(entry) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? [entry, ""] : [host, port];
}

/** A name beyond ASCII, as hosts are written in URLs. What no host's name holds, such as a tab, makes it another name to Go. */
function asciiDomain(name: string): string {
  if (!/[^\0-\x7f]/.test(name) || /[\0-,/:-`{-\x7f]/.test(name)) return name;
  const [, dot = "", rest = ""] = /^(\.?)(.*)$/.exec(name) ?? [];
  return dot + (URL.parse(`http://${rest}/`)?.hostname ?? rest);
}

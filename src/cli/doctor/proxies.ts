/**
 * Checks the variables that steer the network: proxies, their exceptions, and what would write secrets down.
 */

import { failureOrThrow } from "../../errors.ts";
import { proxyOf } from "../../system/proxy.ts";
import { canConnect } from "../../system/reach.ts";
import { printable, shellLine, shellQuote } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { checkNamed, type Finding } from "./finding.ts";

const VARIABLE = checkNamed("network.proxy-variable");
const SPELLINGS = checkNamed("network.proxy-spellings");
const EXCEPTIONS = checkNamed("network.no-proxy");
const REACHABLE = checkNamed("network.proxy-reachable");
const KEY_LOG = checkNamed("network.key-log");

/** A proxy is near. In milliseconds. */
const PATIENCE = 5_000;

const NAMES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] as const;

/** The default ports of proxies, by their schemes. */
const PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "socks5:": 1080,
  "socks5h:": 1080,
};

/** Checks the variables; with `offline`, no proxy is connected to. */
export async function checkProxies(cli: CommandContext, offline: boolean): Promise<Finding[]> {
  const { env } = cli;
  const found = [...spellings(cli), ...exceptions(cli), ...keyLog(cli)];
  const set = NAMES.slice(0, 3).flatMap((name) => [name, name.toLowerCase()]).filter((name) =>
    env(name) !== undefined
  );
  const byValue = Map.groupBy(set, (name) => env(name));
  found.push(...await Promise.all([...byValue.values()].map((names) => checkProxy(cli, names, offline))));
  return found.length > 0 ? found : [VARIABLE.ok({ found: "no proxy is set" })];
}

/** Checks the proxy that variables name, all of them the same one. */
async function checkProxy(
  { env, interrupted }: CommandContext,
  names: readonly string[],
  offline: boolean,
): Promise<Finding> {
  const about = names.join(", ");
  const line = shellLine(["unset", ...names]);
  // Any https address that is not this machine's own.
  const address = new URL("https://datumctl.invalid");
  let url: URL;
  let host: string;
  try {
    const proxy = proxyOf(address, (asked) => asked === "HTTPS_PROXY" ? env(names[0] ?? "") : undefined);
    if (proxy === undefined) return VARIABLE.ok({ about, found: "it names no proxy" });
    url = new URL(proxy.url);
    host = proxy.host;
  } catch (thrown) {
    failureOrThrow(thrown);
    return VARIABLE.fault({
      about,
      found: "it holds no URL of a proxy",
      meaning:
        "Every request fails, kubectl's too. Set it to one, such as http://proxy.example.com:3128, or unset it.",
      line,
    });
  }
  if (offline) return REACHABLE.skipped({ about, found: "--offline" });
  const port = Number(url.port || PORTS[url.protocol]);
  if (await canConnect(url.hostname, port, PATIENCE, interrupted)) {
    return REACHABLE.ok({ about, found: `the proxy ${host} accepts connections` });
  }
  return REACHABLE.fault({
    about,
    found: `nobody answers at the proxy ${host}`,
    meaning:
      "Requests to servers that NO_PROXY does not name fail. Without the VPN or network of that proxy, unset it.",
    line,
  });
}

function spellings({ env }: CommandContext): Finding[] {
  return NAMES.flatMap((name) => {
    const [upper, lower] = [env(name), env(name.toLowerCase())];
    if (upper === undefined || lower === undefined || upper === lower) return [];
    const small = name.toLowerCase();
    return [SPELLINGS.warning({
      about: `${name} and ${small}`,
      found: "the two spellings say different things",
      meaning:
        "Programs differ in which one they follow, so that one can reach a server where another cannot.",
      line: `export ${small}="$${name}"`,
    })];
  });
}

/** Entries of `NO_PROXY` that no host can match: addresses with a scheme or a path. */
function exceptions({ env }: CommandContext): Finding[] {
  return ["NO_PROXY", "no_proxy"].flatMap((name) => {
    const entries = (env(name) ?? "").split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
    const wrong = entries.filter(matchesNothing);
    const [first] = wrong;
    if (first === undefined) return [];
    const mended = entries.map((entry) => matchesNothing(entry) ? hostIn(entry) : entry).join(",");
    return [EXCEPTIONS.warning({
      about: name,
      found: `"${printable(first, 80)}" is no host, so it excepts nothing`,
      meaning:
        "Entries are hosts, domains, addresses or blocks, such as .example.com,10.0.0.0/8, without a scheme.",
      line: `export ${name}=${shellQuote(printable(mended, Infinity))}`,
    })];
  });
}

function matchesNothing(entry: string): boolean {
  return entry.includes("://") || /^[^/]*[a-z][^/]*\//i.test(entry) && !/^[\da-f:.]+\/\d+$/i.test(entry);
}

function hostIn(entry: string): string {
  const text = entry.includes("://") ? entry : `https://${entry}`;
  return URL.parse(text)?.host || entry.replace(/^[a-z+.-]*:\/\//i, "").split("/", 1)[0] || "";
}

function keyLog({ env }: CommandContext): Finding[] {
  if (env("SSLKEYLOGFILE") === undefined) return [];
  return [KEY_LOG.warning({
    about: "SSLKEYLOGFILE",
    found: "the secrets of TLS connections are written into a file",
    meaning: "Whoever reads that file, and has the traffic, can read your tokens.",
    line: "unset SSLKEYLOGFILE",
  })];
}

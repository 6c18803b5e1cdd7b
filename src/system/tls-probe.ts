/** Asks a host for its certificates. Loads `node:tls`, so it is only ever imported lazily. */

import { connect, type DetailedPeerCertificate } from "node:tls";
import { printable } from "../text.ts";
import type { Environment } from "./environment.ts";
import { proxyOf } from "./proxy.ts";

const LONGEST_HANDSHAKE_MS = 5_000;
const LONGEST_CHAIN = 10;

/** The subject and SHA-256 of a certificate, and whose signature it bears. */
export interface CertificateNames {
  readonly subject: string;
  readonly issuer: string;
  /** Colon-separated hexadecimal bytes, as `openssl x509 -fingerprint -sha256` prints them. */
  readonly sha256: string;
}

/**
 * Asks a host (`name[:port]`) for its certificates, trusting none of them, and returns the last one: the authority's
 * own when the server sends it. Nothing is sent but the handshake. Undefined when the host does not answer within five
 * seconds, or is behind a proxy, because another server might answer there.
 */
export function askForCertificate(
  host: string,
  env: Environment,
  interrupted: AbortSignal,
): Promise<CertificateNames | undefined> {
  const url = URL.parse(`https://${host}`);
  if (url === null || proxyOf(url, env) !== undefined) return Promise.resolve(undefined);
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const isAddress = name !== url.hostname || /^[\d.]+$/.test(name);
  const { promise, resolve } = Promise.withResolvers<CertificateNames | undefined>();
  const socket = connect({
    host: name,
    port: Number(url.port || 443),
    // The certificate is only shown to the user: nothing else is read from this connection.
    rejectUnauthorized: false,
    servername: isAddress ? undefined : name,
  }, () => resolve(lastOf(socket.getPeerCertificate(true))));
  const giveUp = () => resolve(undefined);
  const timer = setTimeout(giveUp, LONGEST_HANDSHAKE_MS);
  interrupted.addEventListener("abort", giveUp, { once: true });
  socket.on("error", giveUp);
  socket.on("close", giveUp);
  return promise.finally(() => {
    clearTimeout(timer);
    interrupted.removeEventListener("abort", giveUp);
    socket.destroy();
  });
}

function lastOf(first: DetailedPeerCertificate): CertificateNames | undefined {
  let last = first;
  // A self-signed certificate is its own issuer.
  for (let count = 1; count < LONGEST_CHAIN; count++) {
    const next: DetailedPeerCertificate | undefined = last.issuerCertificate;
    if (next === undefined || next === last || next.fingerprint256 === last.fingerprint256) break;
    last = next;
  }
  const sha256 = last.fingerprint256;
  return /^[0-9A-F:]{95}$/.test(sha256 ?? "")
    ? { subject: nameOf(last.subject), issuer: nameOf(last.issuer), sha256 }
    : undefined;
}

/** A distinguished name on one line: `CN=…, O=…`. */
function nameOf(name: object): string {
  const parts = Object.entries(name).flatMap(([key, value]) =>
    [value].flat().map((part) => `${key}=${String(part)}`)
  );
  return printable(parts.join(", "), 200);
}

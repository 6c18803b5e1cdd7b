/** How long certificates last. A module of its own because it loads `node:crypto`. */

import { X509Certificate } from "node:crypto";
import { certificatesOf } from "../../system/network.ts";

/** In milliseconds since 1970. */
export interface CertificateLife {
  readonly begins: number;
  readonly ends: number;
}

/**
 * The life of the certificates of a PEM text: of several authorities, that of the one that lasts longest,
 * since one is enough. Undefined where none can be read.
 */
export function lifeOf(pem: string): CertificateLife | undefined {
  const lives = certificatesOf(pem).flatMap((text) => {
    try {
      const { validFrom, validTo } = new X509Certificate(text);
      const life = { begins: Date.parse(validFrom), ends: Date.parse(validTo) };
      return Number.isNaN(life.begins) || Number.isNaN(life.ends) ? [] : [life];
    } catch {
      return [];
    }
  });
  return lives.sort((one, other) => other.ends - one.ends)[0];
}

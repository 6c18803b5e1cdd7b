/** The parts of a JWT, read without verifying anything. */

import { fromBase64Url, isObject } from "../encoding.ts";

/** The JSON object that a part of a JWT holds; undefined when it holds none. RFC 7515, 3.1. */
export function decodeObject(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = fromBase64Url(part);
  if (bytes === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** The claims of a signed JWT, unverified; undefined when the text is none. RFC 7519, 3. */
export function unverifiedClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const [header, claims, signature, ...more] = token.split(".");
  if (header === undefined || claims === undefined || signature === undefined || more.length > 0) {
    return undefined;
  }
  return decodeObject(header) === undefined ? undefined : decodeObject(claims);
}

/** A claim as a time in milliseconds since 1970; undefined when it is none. RFC 7519, 2 (NumericDate). */
export function timeOf(claim: unknown): number | undefined {
  // A Date has no larger times.
  return typeof claim === "number" && Math.abs(claim) <= 8.64e12 ? claim * 1000 : undefined;
}

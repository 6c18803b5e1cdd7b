/** Owns the tally of requests, by endpoint. */

/** Requests since the start or the last reset. */
export interface Counts {
  add(name: string): void;
  read(): Record<string, number>;
  reset(): void;
}

/** Names that are always there, so that a test can compare with 0. */
const ALWAYS = [
  "total",
  "discovery",
  "jwks",
  "authorization",
  "token",
  "token:authorization_code",
  "token:refresh_token",
  "token:device_code",
  "revocation",
  "userinfo",
  "device_authorization",
  "page",
  "api",
];

/** A tally of zeros. `total` counts the issuer's requests, `api` those of the control planes. */
export function makeCounts(): Counts {
  const tally = new Map<string, number>();
  return {
    add: (name) => {
      tally.set(name, (tally.get(name) ?? 0) + 1);
    },
    read: () => ({ ...Object.fromEntries(ALWAYS.map((name) => [name, 0])), ...Object.fromEntries(tally) }),
    reset: () => tally.clear(),
  };
}

/** The tally of requests, by endpoint. */

/** Requests since the start or the last reset. */
export interface Counts {
  /** One more, or as many as said. */
  add(name: string, many?: number): void;
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
  "token:jwt-bearer",
  "token:token-exchange",
  "revocation",
  "userinfo",
  "device_authorization",
  "page",
  "api",
  "pat_exchange",
  "ci_token",
  "sent",
];

/**
 * A tally of zeros. `total` counts the issuer's requests, `api` the control planes', `sent` long answers' bytes;
 * `pat_exchange` counts the API host's exchanges, `ci_token` requests to GitHub's token service;
 * `more` are further names that are always there.
 */
export function makeCounts(more: readonly string[] = []): Counts {
  const tally = new Map<string, number>();
  return {
    add: (name, many = 1) => {
      tally.set(name, (tally.get(name) ?? 0) + many);
    },
    read: () => ({
      ...Object.fromEntries([...ALWAYS, ...more].map((name) => [name, 0])),
      ...Object.fromEntries(tally),
    }),
    reset: () => tally.clear(),
  };
}

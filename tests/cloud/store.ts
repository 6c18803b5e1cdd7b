/** The issuer's memory: what `oidc-provider` keeps, and how tests take it away. */

import type { Adapter, AdapterPayload } from "oidc-provider/types";

interface Row {
  readonly model: string;
  readonly payload: AdapterPayload;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The rows of one issuer. */
export interface Store {
  /** What `oidc-provider` asks for, one per model. */
  adapter(model: string): Adapter;
  /** Drops rows of these models that belong to the account (to any, when none is named). */
  drop(models: readonly string[], accountId: string | undefined): void;
}

const BY_GRANT = new Set(["AccessToken", "AuthorizationCode", "RefreshToken", "DeviceCode"]);

/** An empty store. Unlike the adapter in `oidc-provider` it forgets nothing before its time. */
export function makeStore(now: () => number): Store {
  const rows = new Map<string, Row>();

  const live = (key: string): AdapterPayload | undefined => {
    const row = rows.get(key);
    if (row !== undefined && row.expiresAt > now()) return row.payload;
    rows.delete(key);
    return undefined;
  };
  const find = (model: string, matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
    [...rows.values()].find((row) => row.model === model && row.expiresAt > now() && matches(row.payload))
      ?.payload;

  return {
    adapter: (model) => ({
      upsert: async (id, payload, expiresIn) => {
        const expiresAt = expiresIn === undefined ? Infinity : now() + expiresIn * 1000;
        rows.set(`${model}:${id}`, { model, payload, expiresAt });
      },
      find: async (id) => live(`${model}:${id}`),
      findByUid: async (uid) => find(model, (payload) => payload.uid === uid),
      findByUserCode: async (userCode) => find(model, (payload) => payload.userCode === userCode),
      consume: async (id) => {
        const payload = live(`${model}:${id}`);
        if (payload !== undefined) payload.consumed = Math.floor(now() / 1000);
      },
      destroy: async (id) => {
        rows.delete(`${model}:${id}`);
      },
      revokeByGrantId: async (grantId) => {
        for (const [key, row] of rows) {
          if (BY_GRANT.has(row.model) && row.payload.grantId === grantId) rows.delete(key);
        }
      },
    }),
    drop(models, accountId) {
      for (const [key, row] of rows) {
        const theirs = accountId === undefined || row.payload.accountId === accountId;
        if (theirs && models.includes(row.model)) rows.delete(key);
      }
    },
  };
}

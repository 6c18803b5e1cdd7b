/** Proves how a flow's network is opened, and how its time ends. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { limitHttp, openHttp } from "../../src/http/open.ts";
import type { Trust } from "../../src/system/network.ts";

function aborted({ signal }: { readonly signal: AbortSignal }): Promise<AppError> {
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(signal.reason as AppError), { once: true })
  );
}

/** A host that tells what was opened and closed. */
function host() {
  const events: unknown[] = [];
  return {
    events,
    now: () => 1000,
    openNetwork(authority?: string, trust?: Trust) {
      events.push([authority, trust]);
      return {
        fetch: () => Promise.reject(new Error("asked")),
        [Symbol.dispose]: () => void events.push("closed"),
      };
    },
  };
}

Deno.test("a flow's network trusts what it is told to, and is closed with the flow", () => {
  const outside = host();
  {
    using http = openHttp(outside, {
      certificateAuthority: "PEM",
      trust: "a flag",
      timeout: 5000,
      onTimeout: "issuer.example",
      requestTimeout: 70,
    });
    assert.deepEqual([http.now(), http.deadline, http.requestTimeout], [1000, 6000, 70]);
  }
  assert.deepEqual(outside.events, [["PEM", "a flag"], "closed"]);
});

Deno.test("a flow whose time is over ends with who did not answer, or with its own error", async () => {
  const limits = { certificateAuthority: undefined, timeout: 20 };
  using late = openHttp(host(), { ...limits, onTimeout: "issuer.example" });
  const { code, message } = await aborted(late);
  assert.deepEqual([code, message], ["NETWORK", "issuer.example did not answer in time."]);
  using alone = openHttp(host(), { ...limits, onTimeout: () => new AppError("TIMEOUT", "Nobody came.") });
  assert.equal((await aborted(alone)).message, "Nobody came.");
});

Deno.test("an interruption ends a flow with its own reason", async () => {
  const stop = new AbortController();
  const limits = { timeout: 60_000, onTimeout: "issuer.example", interrupted: stop.signal };
  using http = openHttp(host(), { certificateAuthority: undefined, ...limits });
  const ended = aborted(http);
  stop.abort(new AppError("INTERRUPTED", "Stopped."));
  assert.equal((await ended).message, "Stopped.");
});

Deno.test("a second flow over the same connections has limits of its own, and leaves them open", async () => {
  const outside = host();
  using first = openHttp(outside, { certificateAuthority: undefined, timeout: 20, onTimeout: "one" });
  await aborted(first);
  {
    using second = limitHttp(first, { timeout: 20, onTimeout: "two" });
    assert.equal(second.signal.aborted, false);
    assert.equal((await aborted(second)).message, "two did not answer in time.");
  }
  assert.deepEqual(outside.events, [[undefined, undefined]]);
});

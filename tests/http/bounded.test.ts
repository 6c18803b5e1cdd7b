/** Proves what every request has in common: its line in the log, and its end. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { failedRequest, type HttpContext, type RequestRules, sendBounded } from "../../src/http/bounded.ts";
import { expectRejection } from "../expect-error.ts";

const RULES: RequestRules = {
  largest: () => 10,
  errors: {
    address: (address, why) => new AppError("USAGE", `${address} ${why}`),
    late: (proxy, seconds) => new AppError("NETWORK", `late after ${seconds} s, ${proxy}`),
    tooLarge: (mebibytes) => new AppError("NETWORK", `over ${mebibytes} MiB`, { cause: { kind: "answer" } }),
    broken: (cause) => new AppError("NETWORK", "broken", { cause }),
  },
};

/** A context whose server answers as told, through a proxy; its clock moves with every look at it. */
function context(answer: () => Response | Promise<Response>): HttpContext & { readonly lines: string[] } {
  const lines: string[] = [];
  let time = 0;
  return {
    fetch: Object.assign(() => Promise.resolve().then(answer), { proxyOf: () => "proxy.example:3128" }),
    now: () => time += 10,
    signal: new AbortController().signal,
    log: (line) => lines.push(line),
    lines,
  };
}

const ADDRESS = "https://api.example/a?code=SECRET";

Deno.test("a request is one line of the log, with its proxy, however it ends", async () => {
  for (
    const [answer, end] of [
      [() => new Response("ok"), "200 in 10 ms"],
      [() => new Response("down", { status: 503 }), "503 in 10 ms"],
      [() => new Response("x".repeat(11)), "failed after 10 ms"],
      [() => Promise.reject(new TypeError("boom")), "failed after 10 ms"],
    ] as const
  ) {
    const http = context(answer);
    await sendBounded(http, ADDRESS, {}, RULES).catch(() => {});
    assert.deepEqual(http.lines, [`GET api.example/a through the proxy proxy.example:3128 ${end}`]);
  }
});

Deno.test("an address that may not be asked is refused before any request, without a secret in it", async () => {
  const http = context(() => assert.fail("asked"));
  const init = { headers: { authorization: "Bearer token-1234" } };
  const error = await expectRejection(sendBounded(http, "http://api.example/token-1234", init, RULES), {
    code: "USAGE",
  });
  assert.equal(error.message, "http://api.example/… is not an https URL");
  assert.deepEqual(http.lines, []);
});

Deno.test("an allowance that is used up refuses the request itself", async () => {
  const budget = { bytes: 1024 * 1024, left: -1 };
  const sent = sendBounded(context(() => assert.fail("asked")), ADDRESS, {}, { ...RULES, budget });
  const error = await expectRejection(sent, { code: "NETWORK", message: "over 1 MiB" });
  assert.equal(failedRequest(error)?.kind, "answer");
});

Deno.test("a flow that is over ends its request with its own reason, unless the rules word another", async () => {
  for (const ended of [undefined, () => new AppError("NETWORK", "theirs")]) {
    const stop = new AbortController();
    const http = context(() => {
      stop.abort(new AppError("INTERRUPTED", "ours"));
      return new Promise<Response>(() => {});
    });
    const rules = ended === undefined ? RULES : { ...RULES, errors: { ...RULES.errors, ended } };
    await expectRejection(sendBounded({ ...http, signal: stop.signal }, ADDRESS, {}, rules), {
      message: ended === undefined ? "ours" : "theirs",
    });
  }
});

Deno.test("what is asked of a late server's error is the proxy, and the time in seconds", async () => {
  const http = { ...context(() => new Promise<Response>(() => {})), requestTimeout: 20 };
  await expectRejection(sendBounded(http, ADDRESS, {}, RULES), {
    message: "late after 0.02 s, proxy.example:3128",
  });
});

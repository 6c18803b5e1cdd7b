/** Proves durations as people write and read them, and waits that end when they should. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { AppError } from "../../src/errors.ts";
import { alarm, boundedSignal, formatSpan, parseDuration, pause } from "../../src/system/clock.ts";
import { allowError, expectError } from "../expect-error.ts";

const TOO_LONG = 999_999 * 3600_000;

Deno.test("durations are hours, minutes and seconds in that order", () => {
  const good: readonly (readonly [string, number])[] = [
    ["30s", 30],
    ["5m", 300],
    ["1h30m", 5400],
    ["1h0m5s", 3605],
    ["90m", 5400],
    ["0s", 0],
    ["999999h", 999_999 * 3600],
  ];
  for (const [text, seconds] of good) assert.equal(parseDuration(text, "--timeout"), seconds * 1000, text);
  for (
    const text of [
      "",
      "5",
      "m",
      "5 m",
      "1.5h",
      "-5s",
      "+5s",
      "5S",
      "1m1h",
      "1s1s",
      "1e3s",
      "5m\n",
      "٥m",
      "9999999s",
    ]
  ) {
    expectError(() => parseDuration(text, "--timeout"), { code: "USAGE", message: /^--timeout / });
  }
});

Deno.test("any text is a duration or wrong usage", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const duration = allowError(() => parseDuration(text, "--x"), "USAGE");
    assert.ok(duration === undefined || duration >= 0);
  }));
});

Deno.test("spans in words are whole numbers of a fitting unit", () => {
  const spans: readonly (readonly [number, string])[] = [
    [-5, "0 s"],
    [1499, "1 s"],
    [119_000, "119 s"],
    [120_000, "2 min"],
    [7_199_000, "2 h"],
    [2 * 3600_000 + 5 * 60_000, "2 h 5 min"],
    [47 * 3600_000, "47 h"],
    [72 * 3600_000, "3 days"],
  ];
  for (const [milliseconds, words] of spans) assert.equal(formatSpan(milliseconds), words);
});

Deno.test("a pause ends at once, with the signal's reason, when it is aborted", async () => {
  const controller = new AbortController();
  const waiting = pause(60_000, controller.signal);
  const reason = new Error("enough");
  controller.abort(reason);
  assert.equal(await waiting.catch((thrown) => thrown), reason);
  assert.equal(await pause(60_000, controller.signal).catch((thrown) => thrown), reason);
  await pause(0);
});

Deno.test("a bound or a pause of weeks does not ring at once", async () => {
  using bounded = boundedSignal(TOO_LONG, () => new AppError("TIMEOUT", "x"));
  const controller = new AbortController();
  const waiting = pause(TOO_LONG, controller.signal).then(() => "rang", () => "waited");
  await pause(20);
  controller.abort();
  assert.equal(await waiting, "waited");
  assert.equal(bounded.signal.aborted, false);
});

Deno.test("a bound fires with its own reason, or with its parent's when that comes first", async () => {
  const reason = new AppError("TIMEOUT", "late");
  using bounded = boundedSignal(1, () => reason);
  await new Promise((resolve) => bounded.signal.addEventListener("abort", resolve));
  assert.equal(bounded.signal.reason, reason);

  const parent = new AbortController();
  using child = boundedSignal(60_000, () => reason, parent.signal);
  parent.abort("parent");
  assert.equal(child.signal.reason, "parent");
  using late = boundedSignal(60_000, () => reason, parent.signal);
  assert.equal(late.signal.reason, "parent");
});

async function waitingProcess(milliseconds: number) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      new URL("./take-answer.ts", import.meta.url).pathname,
      String(milliseconds),
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "waiting\n");
  return {
    child,
    async said() {
      let text = "";
      for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value;
      await child.status;
      return text.trim();
    },
  };
}

Deno.test("a process that was stopped still takes the answer that came meanwhile", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const { child, said } = await waitingProcess(500);
  child.kill("SIGSTOP");
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("the answer\n"));
  await pause(1500);
  child.kill("SIGCONT");
  assert.equal(await said(), "the answer");
  await writer.close();
});

Deno.test("a process that was stopped gets one second more, and no longer", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const { child, said } = await waitingProcess(500);
  child.kill("SIGSTOP");
  await pause(1500);
  child.kill("SIGCONT");
  const resumed = performance.now();
  assert.equal(await said(), "too late");
  assert.ok(performance.now() - resumed >= 900);
  await child.stdin.close();
});

Deno.test("an alarm rings once, not before its time, and never when it was disarmed", async () => {
  let rung = 0;
  const began = performance.now();
  const ringing = Promise.withResolvers<void>();
  const first = alarm(40, () => {
    rung++;
    ringing.resolve();
  });
  const disarmed = alarm(1, () => assert.fail("it was disarmed"));
  disarmed.disarm();
  const restarted = alarm(40, () => assert.fail("it was begun anew, and then disarmed"));
  await pause(25);
  restarted.restart();
  await ringing.promise;
  assert.ok(performance.now() - began >= 39);
  restarted.disarm();
  await pause(30);
  first.disarm();
  assert.equal(rung, 1);
});

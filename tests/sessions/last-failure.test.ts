/** Proves what is remembered of a failure, for how long, for whom, and that nothing here ever fails. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { AppError, CODES, type ErrorCode } from "../../src/errors.ts";
import { openFailureMemory } from "../../src/sessions/last-failure.ts";

const FAILURE = new AppError("SESSION_EXPIRED", "The session is over.", { hint: "Sign in again." });

async function openMemory() {
  const folder = await Deno.makeTempDir({ prefix: "datumctl-failure-" });
  const path = `${folder}/x.failure`;
  const clock = { now: Date.UTC(2026, 0, 1) };
  return {
    path,
    clock,
    memory: openFailureMemory(path, () => clock.now),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("a failure comes back for ten seconds as it was, and not a millisecond longer", async () => {
  await using it = await openMemory();
  assert.equal(await it.memory.recent(), undefined);
  await it.memory.remember(FAILURE);
  it.clock.now += 9_999;
  const recent = await it.memory.recent();
  assert.deepEqual([recent?.code, recent?.message, recent?.hint], [
    "SESSION_EXPIRED",
    FAILURE.message,
    FAILURE.hint,
  ]);
  it.clock.now += 1;
  assert.equal(await it.memory.recent(), undefined);
});

Deno.test("the same failure again does not make the ten seconds longer", async () => {
  await using it = await openMemory();
  await it.memory.remember(FAILURE);
  it.clock.now += 6_000;
  await it.memory.remember(FAILURE);
  it.clock.now += 4_000;
  assert.equal(await it.memory.recent(), undefined);
});

Deno.test("a clock that went backwards forgets, instead of remembering for ever", async () => {
  await using it = await openMemory();
  await it.memory.remember(FAILURE);
  it.clock.now -= 1;
  assert.equal(await it.memory.recent(), undefined);
  await it.memory.remember(FAILURE);
  assert.equal((await it.memory.recent())?.code, "SESSION_EXPIRED");
});

Deno.test("each parent is the first once; another failure of the moment does not tell them again", async () => {
  await using it = await openMemory();
  await it.memory.remember(FAILURE);
  assert.deepEqual([
    await it.memory.firstFor("7"),
    await it.memory.firstFor("7"),
    await it.memory.firstFor("8"),
  ], [
    true,
    false,
    true,
  ]);
  await it.memory.remember(new AppError("NETWORK", "down"));
  assert.equal(await it.memory.firstFor("7"), false);
  it.clock.now += 10_000;
  await it.memory.remember(FAILURE);
  assert.equal(await it.memory.firstFor("7"), true);
});

Deno.test("an outage is told to a parent once in a minute, by whatever name", async () => {
  await using it = await openMemory();
  await it.memory.remember(new AppError("NETWORK", "down"));
  assert.equal(await it.memory.firstFor("7"), true);
  // The next run of the same kubectl waited for a process that waits for the network.
  it.clock.now += 19_000;
  assert.equal(await it.memory.recent(), undefined);
  await it.memory.remember(new AppError("BUSY", "still waiting"));
  assert.deepEqual([await it.memory.firstFor("7"), await it.memory.firstFor("8")], [false, true]);
  assert.equal((await it.memory.recent())?.code, "BUSY");
  it.clock.now += 19_000;
  await it.memory.remember(new AppError("BUSY", "still waiting"));
  assert.equal(await it.memory.firstFor("8"), false);
  it.clock.now += 60_000;
  await it.memory.remember(new AppError("BUSY", "still waiting"));
  assert.equal(await it.memory.firstFor("7"), true);
});

Deno.test("what an outage was told to hides no failure of another kind later on", async () => {
  await using it = await openMemory();
  await it.memory.remember(new AppError("NETWORK", "down"));
  await it.memory.firstFor("7");
  it.clock.now += 10_000;
  await it.memory.remember(FAILURE);
  assert.equal(await it.memory.firstFor("7"), true);
});

Deno.test("more parents than are kept crowd out the oldest only", async () => {
  await using it = await openMemory();
  await it.memory.remember(FAILURE);
  for (let parent = 1; parent <= 65; parent++) assert.equal(await it.memory.firstFor(String(parent)), true);
  assert.equal(await it.memory.firstFor("65"), false);
  assert.equal(await it.memory.firstFor("2"), false);
  assert.equal(await it.memory.firstFor("1"), true);
});

Deno.test("of eight processes of one parent exactly one is the first", async () => {
  await using it = await openMemory();
  it.clock.now = Date.now();
  await it.memory.remember(FAILURE);
  const answers = await Promise.all(Array.from({ length: 8 }, async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("./ask-first.ts", import.meta.url).pathname, it.path, "4711"],
      stdout: "piped",
    }).output();
    return new TextDecoder().decode(stdout).trim();
  }));
  assert.deepEqual(answers.toSorted(), [
    "false",
    "false",
    "false",
    "false",
    "false",
    "false",
    "false",
    "true",
  ]);
});

Deno.test("what is found again at once is never replayed, and no word of it is kept", async () => {
  for (const code of ["NOT_SIGNED_IN", "WRONG_HOST", "NO_ID_TOKEN"] as const) {
    await using it = await openMemory();
    await it.memory.remember(new AppError(code, "names ada@example.com", { hint: "ada@example.com" }));
    assert.equal(await it.memory.recent(), undefined, code);
    assert.doesNotMatch(await Deno.readTextFile(it.path), /ada/);
    assert.deepEqual([await it.memory.firstFor("1"), await it.memory.firstFor("1")], [true, false]);
  }
});

Deno.test("a damaged, foreign, hand-edited or future file is as none, and is replaced", async () => {
  await using it = await openMemory();
  const good = { at: it.clock.now, code: "NETWORK", message: "m", hint: "h", told: [] };
  const bad: unknown[] = [
    "",
    "{",
    null,
    [],
    { ...good, code: "NO_SUCH" },
    { ...good, code: "toString" },
    { ...good, at: "now" },
    { ...good, at: it.clock.now + 60_000 },
    { ...good, message: 1 },
    { ...good, told: [7] },
    { ...good, told: undefined },
  ];
  for (const value of bad) {
    await Deno.writeTextFile(it.path, typeof value === "string" ? value : JSON.stringify(value));
    assert.equal(await it.memory.recent(), undefined, JSON.stringify(value));
    assert.equal(await it.memory.firstFor("7"), true);
  }
  await it.memory.remember(FAILURE);
  assert.equal((await it.memory.recent())?.code, "SESSION_EXPIRED");
  await Deno.writeTextFile(it.path, JSON.stringify({ ...good, message: "a\u001b[2Jb\u202e" }));
  assert.equal((await it.memory.recent())?.message, "a [2Jb");
});

Deno.test("any failure of any words comes back or is forgotten, and never throws", async () => {
  await using it = await openMemory();
  const codes = fc.constantFrom(...Object.keys(CODES) as ErrorCode[]);
  await fc.assert(
    fc.asyncProperty(codes, fc.string({ unit: "grapheme" }), async (code, message) => {
      it.clock.now += 20_000;
      await it.memory.remember(new AppError(code, message));
      const recent = await it.memory.recent();
      assert.ok(recent === undefined || recent.code === code);
    }),
    { numRuns: 30 },
  );
});

Deno.test("where nothing can be written, everybody is the first and nothing fails", async () => {
  const memory = openFailureMemory("/nonexistent/folder/x.failure", Date.now);
  await memory.remember(FAILURE);
  assert.equal(await memory.recent(), undefined);
  assert.deepEqual([await memory.firstFor("7"), await memory.firstFor("7")], [true, true]);
});

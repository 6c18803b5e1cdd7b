/** Proves that nothing that is typed before a question answers it, and that Ctrl-C is heard meanwhile. */

import assert from "node:assert/strict";
import { ignoringKeys } from "../../../src/cli/prompt/ignore-keys.ts";
import { expectRejection } from "../../expect-error.ts";

/** A terminal on which keys are typed while somebody reads them. */
function typing() {
  const typed: string[] = [];
  let wake = () => {};
  let readers = 0;
  return {
    get readers() {
      return readers;
    },
    get left() {
      return typed.length;
    },
    type(...keys: string[]) {
      typed.push(...keys);
      wake();
    },
    async *keys(signal: AbortSignal) {
      readers++;
      signal.addEventListener("abort", () => wake());
      try {
        while (!signal.aborted) {
          const key = typed.shift();
          if (key !== undefined) yield key;
          else await new Promise<void>((resolve) => wake = resolve);
        }
      } finally {
        readers--;
      }
    },
  };
}

const never = new AbortController().signal;

Deno.test("keys that were typed before, and those of meanwhile, are dropped; the terminal is given back", async () => {
  const terminal = typing();
  terminal.type("\r", "a");
  const result = await ignoringKeys(terminal, never, async (signal) => {
    terminal.type("\r", "\u001b");
    while (terminal.left > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(signal.aborted, false);
    return 7;
  });
  assert.equal(result, 7);
  assert.deepEqual([terminal.left, terminal.readers], [0, 0]);
});

Deno.test("Ctrl-C fires the signal of the work; work that ended all the same is interrupted", async () => {
  for (const heeds of [true, false]) {
    const terminal = typing();
    const work = ignoringKeys(terminal, never, async (signal) => {
      terminal.type("\u0003");
      while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1));
      if (heeds) throw signal.reason;
    });
    await expectRejection(work, { code: "INTERRUPTED" });
    assert.equal(terminal.readers, 0);
  }
});

Deno.test("what the work throws is thrown, and a terminal that cannot be read disturbs nothing", async () => {
  const failure = new Error("failed");
  await assert.rejects(ignoringKeys(typing(), never, () => Promise.reject(failure)), failure);
  const broken = {
    // deno-lint-ignore require-yield
    async *keys(): AsyncGenerator<string, void, void> {
      throw new Error("no terminal");
    },
  };
  assert.equal(await ignoringKeys(broken, never, () => Promise.resolve(1)), 1);
});

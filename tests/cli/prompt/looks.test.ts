/** Proves that prompts have a look on a terminal with colours, and say the same without. */

import assert from "node:assert/strict";
import { agrees } from "../../../src/cli/prompt/confirm.ts";
import { pick } from "../../../src/cli/prompt/picker.ts";
import { openSandbox } from "../../sessions/sandbox.ts";
import { withoutColours } from "../../without-colours.ts";
import { recordingHost } from "../run-line.ts";

const LABELS = Array.from({ length: 12 }, (_, at) => `user-${at}`);

/** What is written to stderr while a prompt is answered by those keys. */
async function shown(
  keys: readonly string[],
  colour: boolean,
  prompt: (host: ReturnType<typeof recordingHost>) => Promise<unknown>,
): Promise<string> {
  await using sandbox = await openSandbox();
  const host = recordingHost([], { store: sandbox.store, keys, colour });
  await prompt(host);
  return host.written.err;
}

Deno.test("a picker's question is bold, the row with the cursor has a colour beside its sign, the rest stands back", async () => {
  const prompt = ({ terminal, interrupted }: ReturnType<typeof recordingHost>) =>
    pick(terminal, interrupted, "Who?", LABELS, "");
  const coloured = await shown(["\u001b[B", "\r"], true, prompt);
  for (
    const part of [
      "\u001b[1mWho? \u001b[0m\r\n\u001b[36m> user-0\u001b[0m\r\n  user-1",
      "  user-0\r\n\u001b[36m> user-1\u001b[0m",
      "\u001b[2m  … 4 more; type to narrow\u001b[0m",
    ]
  ) assert.ok(coloured.includes(part), JSON.stringify(coloured));
  const plain = await shown(["\u001b[B", "\r"], false, prompt);
  assert.equal(withoutColours(coloured), plain);
  assert.ok(plain.includes("> user-1"));
});

Deno.test("a question is bold, and its answer is as it was typed", async () => {
  const coloured = await shown(["y", "\r"], true, (host) => agrees(host, "Delete it?"));
  assert.equal(coloured, "\u001b[1mDelete it?\u001b[0m [y/N] y\n");
  assert.equal(
    await shown(["y", "\r"], false, (host) => agrees(host, "Delete it?")),
    withoutColours(coloured),
  );
});

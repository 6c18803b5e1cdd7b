/** Proves that what is typed becomes lines, and that a pasted address passes the very checks of a request. */

import assert from "node:assert/strict";
import { readPasted, typedLines } from "../../src/sign-in/paste.ts";
import { expectRejection } from "../expect-error.ts";
import { openAttempt, REDIRECT } from "../oauth/attempt.ts";
import { ISSUER } from "../oauth/issuer.ts";

async function* keysOf(...texts: string[]): AsyncGenerator<string> {
  for (const text of texts) {
    if (text.startsWith("\u001b")) yield text;
    else yield* text;
  }
}

const linesOf = (...texts: string[]) => Array.fromAsync(typedLines(keysOf(...texts)));

Deno.test("Enter ends a line; empty ones, arrow keys and the marks of a paste count for nothing", async () => {
  assert.deepEqual(
    await linesOf("ab\r", "\n\r ", "\r", "\u001b[200~", "cd", "\u001b[201~", "\u001b[A", "\n"),
    ["ab", "cd"],
  );
  assert.deepEqual(await linesOf("abc\u007f\u007fd\r", "no\u0015yes\n", "unfinished"), ["ad", "yes"]);
});

Deno.test("Ctrl-C while keys are read is INTERRUPTED", async () => {
  await expectRejection(linesOf("ab\r", "x\u0003"), "INTERRUPTED");
});

Deno.test("a line is longer than a terminal's own would be, and not endless", async () => {
  const [line = ""] = await linesOf("x".repeat(70_000), "\r");
  assert.equal(line.length, 64 * 1024);
});

async function attempt() {
  const { authorization, ...parts } = await openAttempt(
    Promise.resolve({ who: "ada", where: "api.example" }),
  );
  const query = new URLSearchParams({ state: authorization.state, iss: ISSUER, code: "code-1" });
  return { ...parts, address: `${REDIRECT}?${query}` };
}

Deno.test("pasted strays are named and waited out, the right address is taken once", async () => {
  const { handler, redeemed, address } = await attempt();
  const strange = address.replace("51000", "51001");
  const told: (readonly [string, string])[] = [
    ["", "no-address"],
    ["code-1", "no-address"],
    ["javascript:alert(1)", "no-address"],
    [address.replace("http://", "http://user:pass@"), "no-address"],
    [address.replace("http:", "https:"), "no-address"],
    [strange, "other-address"],
    [address.replace("callback", "other"), "other-address"],
    [address.replace("state=", "state=x"), "other-attempt"],
    [REDIRECT, "other-attempt"],
  ];
  for (const [text, kind] of told) assert.equal(await handler.paste(text), kind, text);
  assert.deepEqual(redeemed, []);
  assert.equal(await handler.paste(`  ${address}\t`), "taken");
  assert.equal((await handler.outcome).who, "ada");
  // A browser that gets through after all finds the attempt over.
  const late = await handler.handle(new Request(address));
  assert.equal(late.status, 409);
  assert.deepEqual(redeemed, ["code-1"]);
});

Deno.test("a pasted answer of another issuer ends the attempt, as a request would", async () => {
  const { handler, address, redeemed } = await attempt();
  assert.equal(await handler.paste(address.replace("iss=", "iss=x")), "taken");
  await expectRejection(handler.outcome, "INVALID_TOKEN");
  assert.deepEqual(redeemed, []);
});

Deno.test("readPasted() says what was wrong, goes on, and ends with the right address", async () => {
  const { handler, address } = await attempt();
  const said: string[] = [];
  const waiting = {
    url: "https://issuer.example",
    redirectUri: REDIRECT,
    paste: handler.paste,
    over: new AbortController().signal,
  };
  await readPasted(
    waiting,
    () => keysOf("what?\r", `${REDIRECT}?state=1\r`, `${address}\r`, "never read\r"),
    (text) => said.push(text),
  );
  assert.equal(said.length, 2);
  assert.match(said[0] ?? "", /not an address.*http:\/\/127\.0\.0\.1:51000\/callback$/);
  assert.match(said[1] ?? "", /another sign-in/);
  assert.equal((await handler.outcome).who, "ada");
});

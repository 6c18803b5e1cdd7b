/** Proves with a real process and real signals what is held back, what is heard, and what happens afterwards. */

import assert from "node:assert/strict";

const ignore = Deno.build.os === "windows";

function start(...mode: readonly ["hold", ...Deno.Signal[]] | readonly ["hear" | "pass"]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("./hold-signals.ts", import.meta.url).pathname, ...mode],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const stdin = child.stdin.getWriter();
  let text = "";
  return {
    child,
    go: () => stdin.write(new Uint8Array([10])),
    async line(): Promise<string> {
      while (!text.includes("\n")) {
        const { done, value } = await lines.read();
        if (done) return text;
        text += value;
      }
      const [first = "", ...rest] = text.split("\n");
      text = rest.join("\n");
      return first;
    },
    async end() {
      const { signal, code } = await child.status;
      await stdin.close().catch(() => {});
      while (!(await lines.read()).done);
      return signal ?? code;
    },
  };
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(
    `${signal} while signals are held ends nothing, and is INTERRUPTED afterwards`,
    { ignore },
    async () => {
      const process = start("hold", signal);
      assert.equal(await process.line(), "ready");
      process.child.kill(signal);
      assert.equal(await process.line(), "came");
      process.child.kill(signal);
      assert.equal(await process.line(), "came");
      await process.go();
      assert.equal(await process.line(), "INTERRUPTED 130");
      assert.equal(await process.line(), "released");
      process.child.kill(signal);
      assert.equal(await process.end(), signal, "the next one does what it always does");
    },
  );

  Deno.test(`${signal} ends a wait with INTERRUPTED, once it is listened for`, { ignore }, async () => {
    const process = start("hear");
    assert.equal(await process.line(), "ready");
    process.child.kill(signal);
    assert.equal(await process.line(), "INTERRUPTED");
    process.child.kill("SIGKILL");
    assert.equal(await process.end(), "SIGKILL");
  });
}

Deno.test("without a signal nothing is thrown when they are let through again", { ignore }, async () => {
  const process = start("hold");
  assert.equal(await process.line(), "ready");
  await process.go();
  assert.equal(await process.line(), "nothing came");
  assert.equal(await process.line(), "released");
  await process.go();
  assert.equal(await process.line(), "lived on");
  assert.equal(await process.end(), 0);
});

Deno.test("a Ctrl-C that is for another program is not heard, the next one is", { ignore }, async () => {
  const process = start("pass");
  assert.equal(await process.line(), "held");
  process.child.kill("SIGINT");
  assert.equal(await process.line(), "passed");
  assert.equal(await process.line(), "ready");
  process.child.kill("SIGINT");
  assert.equal(await process.line(), "INTERRUPTED");
  process.child.kill("SIGKILL");
  assert.equal(await process.end(), "SIGKILL");
});

/** Proves what `get --raw` prints where: every byte into a pipe, nothing that steers on a terminal. */

import assert from "node:assert/strict";
import { runGetRaw } from "../../src/cli/get.ts";
import type { Output } from "../../src/cli/context.ts";
import type { Terminal } from "../../src/system/terminal.ts";
import { openTestClient } from "../api/test-client.ts";

const BODY = '\ufeff{\n  "a": "\u001b]0;x\u0007b",\n\t"c": "d  "  \n}\r\n';

async function printed(
  outIsTerminal: boolean,
  path = "/x",
): Promise<{ readonly text: string; readonly url: string }> {
  let text = "";
  let url = "";
  const client = openTestClient({
    baseUrl: "https://api.example.com/apis/g/v1/projects/web/control-plane",
    fetch: (input) => {
      url = String(input);
      return Promise.resolve(new Response(BODY));
    },
  });
  const out = { text: (part: string) => void (text += part) } as Output;
  await runGetRaw({ out, terminal: { outIsTerminal } as Terminal }, client, path);
  return { text, url };
}

Deno.test("get --raw into a pipe is the answer byte for byte", async () => {
  assert.equal((await printed(false)).text, BODY);
});

Deno.test("get --raw on a terminal keeps lines, tabs and indentation, and takes away what would steer it", async () => {
  assert.equal((await printed(true)).text, '{\n  "a": " ]0;x b",\n\t"c": "d  "  \n}\n');
});

Deno.test("get --raw asks below the control plane, its prefix written or not", async () => {
  const whole = "https://api.example.com/apis/g/v1/projects/web/control-plane/x?a=b";
  assert.equal((await printed(false, "/x?a=b")).url, whole);
  assert.equal((await printed(false, "/apis/g/v1/projects/web/control-plane/x?a=b")).url, whole);
});

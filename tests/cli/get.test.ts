/** Proves what `get --raw` prints where: every byte into a pipe, nothing that steers on a terminal. */

import assert from "node:assert/strict";
import { runGetRaw } from "../../src/cli/get-raw.ts";
import type { Output } from "../../src/cli/context.ts";
import type { Terminal } from "../../src/system/terminal.ts";
import { openTestClient } from "../http/test-client.ts";
import { openSandbox } from "../sessions/sandbox.ts";
import { runLine } from "./run-line.ts";

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

Deno.test("get knows organizations and projects by their commands' own words", async () => {
  await using sandbox = await openSandbox();
  for (const word of ["organizations", "organization", "orgs", "projects", "project"]) {
    const { code, stderr } = await runLine(["get", word], { store: sandbox.store });
    assert.equal(code, 4, `${word}: ${stderr}`);
  }
});

Deno.test("get of a path names the line for it; what cannot stand beside --raw is told", async () => {
  await using sandbox = await openSandbox();
  const wrong = async (words: readonly string[], message: RegExp) => {
    const { code, stderr } = await runLine(["get", ...words], { store: sandbox.store });
    assert.equal(code, 2, words.join(" "));
    assert.match(stderr, message);
  };
  await wrong(["/version"], /For a path: datumctl get --raw \/version\n$/);
  await wrong(["/api/v1/x?a=b&c"], /For a path: datumctl get --raw '\/api\/v1\/x\?a=b&c'\n$/);
  await wrong(["--raw", "/version", "-o", "yaml"], /--raw and -o cannot be combined/);
  await wrong(["--raw", "/version", "-w"], /--raw and -w cannot be combined/);
  await wrong(["--raw", "/version", "--watch-only"], /--raw and --watch-only cannot be combined/);
  await wrong(["--raw", "/version", "-l", "a=b"], /--raw and -l cannot be combined/);
  await wrong(["--raw", "/version", "pods"], /takes a path and no other words/);
  await wrong(["--raw", "version"], /a path that begins with a slash/);
});

Deno.test("get says which flags and words cannot stand together", async () => {
  await using sandbox = await openSandbox();
  for (
    const [words, message] of [
      ["", /You must say which type of resource to get/],
      ["cm -f x.yaml", /either named or read with -f/],
      ["cm --show-labels -o json", /--show-labels is for tables/],
      ["cm --output-watch-events", /can only be used with -w or --watch-only/],
      ["cm --chunk-size=many", /--chunk-size takes a number/],
      ["cm -o go-template={{.kind}}", /Use -o jsonpath=…, or -o json/],
      ["cm --template={{.kind}}", /Use -o jsonpath=…, or -o json/],
      ["cm -A=maybe", /-A takes true or false/],
    ] as const
  ) {
    const line = ["get", ...words.split(" ").filter((word) => word !== "")];
    const { code, stderr } = await runLine(line, { store: sandbox.store });
    assert.equal(code, 2, words);
    assert.match(stderr, message);
  }
});

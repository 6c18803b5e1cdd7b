/** Proves what `get --raw` prints where: every byte into a pipe, nothing that steers on a terminal. */

import assert from "node:assert/strict";
import { runGetRaw } from "../../src/cli/get.ts";
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

Deno.test("get of what only kubectl knows names its whole way there; --raw takes no -o", async () => {
  await using sandbox = await openSandbox();
  const pods = await runLine(["get", "pods"], { store: sandbox.store });
  assert.equal(pods.code, 2);
  assert.match(
    pods.stderr,
    /auth update-kubeconfig, with --project ID or --server URL, then kubectl get pods\n$/,
  );
  for (const [path, line] of [["/version", "/version"], ["/api/v1/x?a=b&c", "'/api/v1/x?a=b&c'"]] as const) {
    const { code, stderr } = await runLine(["get", path], { store: sandbox.store });
    assert.equal(code, 2);
    assert.ok(stderr.endsWith(`For a path: datumctl get --raw ${line}\n`), stderr);
  }
  const raw = await runLine(["get", "--raw", "/version", "-o", "yaml"], { store: sandbox.store });
  assert.equal(raw.code, 2);
  assert.match(raw.stderr, /--raw and -o cannot be combined/);
});

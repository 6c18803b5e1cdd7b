/** Proves what `-f` reads: files, folders, addresses and standard input, and what it says of what it cannot read. */

import assert from "node:assert/strict";
import { commandContext } from "../../../src/cli/context.ts";
import { type FilenameFlags, readManifests } from "../../../src/cli/resources/manifests.ts";
import { expectRejection } from "../../expect-error.ts";
import { openSandbox } from "../../sessions/sandbox.ts";
import { recordingHost } from "../run-line.ts";

const map = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

/** Reads in a folder with files of those texts; gives the names of the objects, each with its source. */
async function read(
  files: Readonly<Record<string, string>>,
  flags: (folder: string) => FilenameFlags,
  stdin = "",
): Promise<string[]> {
  await using sandbox = await openSandbox();
  const { folder, store } = sandbox;
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  const cli = commandContext(recordingHost([], { store, stdin }), {});
  const found = await readManifests(cli, flags(folder));
  return found.map(({ document, source }) => {
    const { name } = document.metadata as { readonly name: string };
    return `${name} ${source.replace(`${folder}/`, "")}`;
  });
}

Deno.test("files are read in their order, with every document in them and the items of lists", async () => {
  const files = {
    "b.yaml": `${map("b1")}---\n${map("b2")}`,
    a: JSON.stringify({
      kind: "List",
      apiVersion: "v1",
      items: [
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a1" } },
      ],
    }),
  };
  assert.deepEqual(
    await read(files, (folder) => ({ filename: [`${folder}/b.yaml`, `${folder}/a`] })),
    ["b1 b.yaml", "b2 b.yaml", "a1 a"],
  );
});

Deno.test("a folder's manifests are read by name, those in its folders with -R", async () => {
  const files = {
    "m/z.json": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "z" } }),
    "m/a.yml": map("a"),
    "m/notes.txt": "no: manifest",
    "m/deeper/x.yaml": map("x"),
  };
  const folder = (recursive: boolean) => (at: string) => ({ filename: [`${at}/m/`], recursive });
  assert.deepEqual(await read(files, folder(false)), ["a m/a.yml", "z m/z.json"]);
  assert.deepEqual(await read(files, folder(true)), ["a m/a.yml", "x m/deeper/x.yaml", "z m/z.json"]);
});

Deno.test("a circle of folders and links ends", async () => {
  await using sandbox = await openSandbox();
  const at = `${sandbox.folder}/m`;
  await Deno.mkdir(at);
  await Deno.writeTextFile(`${at}/a.yaml`, map("a"));
  await Deno.symlink(at, `${at}/again`);
  await Deno.symlink(`${at}/a.yaml`, `${at}/linked.yaml`);
  const cli = commandContext(recordingHost([], { store: sandbox.store }), {});
  assert.equal((await readManifests(cli, { filename: [at], recursive: true })).length, 2);
});

Deno.test("standard input is read once, and its objects say so", async () => {
  assert.deepEqual(await read({}, () => ({ filename: ["-"] }), map("s")), ["s standard input"]);
  await expectRejection(read({}, () => ({ filename: ["-", "-"] }), map("s")), {
    code: "USAGE",
    message: /once/,
  });
});

Deno.test("an address is read without a credential, through redirects", async () => {
  const seen: (string | null)[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(request.headers.get("authorization"));
    const { pathname } = new URL(request.url);
    if (pathname === "/moved") return new Response(null, { status: 302, headers: { location: "/web.yaml" } });
    if (pathname === "/circle") return new Response(null, { status: 302, headers: { location: "/circle" } });
    return pathname === "/web.yaml" ? new Response(map("web")) : new Response("no", { status: 404 });
  });
  const at = (path: string) => () => ({ filename: [`http://127.0.0.1:${server.addr.port}${path}`] });
  const [found] = await read({}, at("/moved"));
  assert.match(found ?? "", /^web http:.*\/moved$/);
  assert.ok(seen.every((header) => header === null));
  await expectRejection(read({}, at("/none")), { code: "INVALID", message: /HTTP 404/ });
  await expectRejection(read({}, at("/circle")), { code: "INVALID", message: /redirects more than 5 times/ });
  await expectRejection(read({}, () => ({ filename: ["http://example.com/x.yaml"] })), {
    code: "USAGE",
    message: /is not an https URL/,
  });
});

Deno.test("what cannot be read is named", async () => {
  for (
    const [files, flags, code, message] of [
      [{}, { filename: ["/nowhere/x.yaml"] }, "USAGE", /"\/nowhere\/x\.yaml" does not exist/],
      [{}, {}, "USAGE", /with -f/],
      [{ "x.yaml": "" }, { filename: ["x.yaml"] }, "USAGE", /There is no object in .*x\.yaml/],
      [{ "x.yaml": "a: [1" }, { filename: ["x.yaml"] }, "INVALID", /x\.yaml/],
      [{ "x.yaml": "a: 1" }, { filename: ["x.yaml"] }, "INVALID", /x\.yaml.*no kind/],
      [{ "m/x.txt": "" }, { filename: ["m"] }, "USAGE", /There is no object/],
    ] as const
  ) {
    const { filename } = { filename: undefined, ...flags };
    await expectRejection(
      read(files, (folder) => ({
        filename: filename?.map((name) => name.startsWith("/") ? name : `${folder}/${name}`),
      })),
      { code, message },
    );
  }
});

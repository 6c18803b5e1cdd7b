/** Proves which `.datumctl.json` counts: trusted content at its own place, the nearest, and nothing else. */

import assert from "node:assert/strict";
import {
  digestOf,
  findFolderFile,
  folderFileText,
  namesIn,
  nearestFile,
} from "../../src/sessions/folder-file.ts";
import { FOLDER_FILE } from "../../src/sessions/folders-above.ts";
import type { SessionStore } from "../../src/sessions/store.ts";
import { lockTrusted } from "../../src/sessions/trust.ts";
import { expectRejection } from "../expect-error.ts";
import { openSandbox } from "./sandbox.ts";

const posix = Deno.build.os !== "windows";

const WEB = folderFileText({ session: "work", organization: "acme", project: "web" });

/** A home with folders, and the store as it is seen from any of them. */
async function openHome() {
  const sandbox = await openSandbox();
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "datumctl-home-" }));
  const from = (folder: string, HOME: string | undefined = home): SessionStore =>
    sandbox.store.with({
      host: {
        ...sandbox.store.host,
        env: (name) => name === "HOME" ? HOME : undefined,
        workingFolder: () => folder,
      },
    });
  return {
    sandbox,
    home,
    from,
    async folder(path: string) {
      await Deno.mkdir(`${home}/${path}`, { recursive: true });
      return `${home}/${path}`;
    },
    write: (folder: string, text: string) => Deno.writeTextFile(`${folder}/${FOLDER_FILE}`, text),
    async trust(folder: string, text: string) {
      using trusted = await lockTrusted(sandbox.store);
      await trusted.add(`${folder}/${FOLDER_FILE}`, await digestOf(text));
    },
    /** What is followed from a folder: its path below the home, and what was told. */
    async seen(folder: string, store = from(folder)) {
      const told: string[] = [];
      const file = await findFolderFile(store, ({ path, ignored, names }) => {
        told.push(`${path} ${names !== undefined ? "could be followed" : "cannot be followed"}: ${ignored}`);
      });
      return [file?.path.slice(home.length + 1), ...told.map((line) => line.replaceAll(`${home}/`, ""))];
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      await Deno.remove(home, { recursive: true });
    },
  };
}

Deno.test("a file counts once its content is trusted, in its folder and below, until it changes", async () => {
  await using it = await openHome();
  const web = await it.folder("web");
  const below = await it.folder("web/a/b");
  await it.write(web, WEB);
  const untrusted = `web/${FOLDER_FILE} could be followed: it is not trusted`;
  assert.deepEqual(await it.seen(below), [undefined, untrusted]);
  await it.trust(web, WEB);
  assert.deepEqual(await it.seen(below), [`web/${FOLDER_FILE}`]);
  assert.deepEqual(await findFolderFile(it.from(below)), {
    session: "work",
    organization: "acme",
    project: "web",
    context: undefined,
    path: `${web}/${FOLDER_FILE}`,
    folder: web,
  });
  assert.deepEqual(await it.seen(it.home), [undefined]);
  await it.write(web, `${WEB} `);
  const changed = `web/${FOLDER_FILE} could be followed: it has changed since it was trusted`;
  assert.deepEqual(await it.seen(web), [undefined, changed]);
  // Another branch, and back: each content was trusted once.
  await it.trust(web, `${WEB} `);
  for (const text of [`${WEB} `, WEB, `${WEB} `]) {
    await it.write(web, text);
    assert.deepEqual(await it.seen(web), [`web/${FOLDER_FILE}`]);
  }
  await Deno.remove(`${web}/${FOLDER_FILE}`);
  assert.deepEqual(await it.seen(web), [undefined]);
});

Deno.test("trusted content is not trusted at another place: moved, copied, behind a link", {
  ignore: !posix,
}, async () => {
  await using it = await openHome();
  const web = await it.folder("web");
  await it.write(web, WEB);
  await it.trust(web, WEB);
  const copy = await it.folder("copy");
  await it.write(copy, WEB);
  assert.deepEqual((await it.seen(copy))[0], undefined);
  // The file itself a link to one that is trusted.
  const clone = await it.folder("clone");
  await Deno.symlink(`${web}/${FOLDER_FILE}`, `${clone}/${FOLDER_FILE}`);
  assert.deepEqual(await it.seen(clone), [
    undefined,
    `clone/${FOLDER_FILE} cannot be followed: it is not a plain file`,
  ]);
  // A folder that is reached by a link is the folder itself.
  await Deno.symlink(web, `${it.home}/link`);
  assert.deepEqual(await it.seen(`${it.home}/link`), [`web/${FOLDER_FILE}`]);
  await Deno.rename(web, `${it.home}/moved`);
  assert.deepEqual((await it.seen(`${it.home}/moved`))[0], undefined);
});

Deno.test("the nearest trusted file counts whatever lies between, a repository's too", async () => {
  await using it = await openHome();
  const outer = await it.folder("customer");
  const inner = await it.folder("customer/repository/nested");
  await Deno.mkdir(`${outer}/.git`);
  await Deno.mkdir(`${outer}/repository/.git`);
  await it.write(outer, WEB);
  await it.trust(outer, WEB);
  assert.deepEqual(await it.seen(inner), [`customer/${FOLDER_FILE}`]);
  // A clone that brings one of its own decides nothing, and is told of.
  await it.write(`${outer}/repository`, folderFileText({ project: "evil" }));
  assert.deepEqual(await it.seen(inner), [
    `customer/${FOLDER_FILE}`,
    `customer/repository/${FOLDER_FILE} could be followed: it is not trusted`,
  ]);
  await it.write(inner, WEB);
  await it.trust(inner, WEB);
  assert.deepEqual(await it.seen(inner), [`customer/repository/nested/${FOLDER_FILE}`]);
});

Deno.test("files are looked for up to the home, and without one up to the root", async () => {
  await using it = await openHome();
  const project = await it.folder("home/project");
  const home = `${it.home}/home`;
  await it.write(it.home, WEB);
  await it.trust(it.home, WEB);
  const seen = (HOME: string | undefined) => it.seen(project, it.from(project, HOME));
  assert.deepEqual(await seen(home), [undefined]);
  assert.deepEqual(await seen(undefined), [FOLDER_FILE]);
  assert.deepEqual(await seen("/nowhere"), [FOLDER_FILE]);
  await it.write(home, WEB);
  await it.trust(home, WEB);
  assert.deepEqual(await seen(home), [`home/${FOLDER_FILE}`]);
});

Deno.test("where no folder of ours is or the working folder is gone, no file counts and none is told of", async () => {
  await using it = await openHome();
  await it.write(it.home, WEB);
  const told: string[] = [];
  const { store } = it.sandbox;
  const gone = store.with({ host: { ...store.host, workingFolder: () => undefined } });
  assert.equal(await findFolderFile(gone, ({ path }) => told.push(path)), undefined);
  const { foldersOf } = await import("../../src/system/environment.ts");
  const homeless = it.from(it.home).with({ folders: foldersOf(() => undefined) });
  assert.equal(await findFolderFile(homeless, ({ path }) => told.push(path)), undefined);
  assert.deepEqual(told, []);
});

Deno.test("what cannot be followed is passed by, and the reason is told", async () => {
  await using it = await openHome();
  const names = (value: unknown) => JSON.stringify(value);
  const rows: [string | Uint8Array, string][] = [
    ["", "it is not JSON"],
    ["{", "it is not JSON"],
    ["[]", "it is not a JSON object"],
    ["null", "it is not a JSON object"],
    [names({ porject: "web" }), 'it has the member "porject", which is not known'],
    ['{"__proto__":"x"}', 'it has the member "__proto__", which is not known'],
    [names({ "a\u001b[31m\u202e": "x" }), 'it has the member "a [31m", which is not known'],
    [names({ project: 7 }), "its project is no name"],
    [names({ project: "" }), "its project is no name"],
    [names({ project: "we\u001b[2Jb" }), "its project is no name"],
    [names({ organization: "a\u202eb" }), "its organization is no name"],
    [names({ context: "x".repeat(513) }), "its context is no name"],
    [names({ session: "env:DATUMCTL_TOKEN" }), "its session is no name"],
    [names({ session: "../x" }), "its session is no name"],
    [names({ context: "a", project: "b" }), "it names a context and an organization or a project"],
    [`{"project":"web"}${" ".repeat(16 * 1024)}`, "it is too large"],
    [new Uint8Array([0x22, 0xff, 0x22]), "it is not text in UTF-8"],
  ];
  for (const [content, reason] of rows) {
    const path = `${it.home}/${FOLDER_FILE}`;
    await (typeof content === "string" ? Deno.writeTextFile(path, content) : Deno.writeFile(path, content));
    assert.deepEqual(
      await it.seen(it.home),
      [undefined, `${FOLDER_FILE} cannot be followed: ${reason}`],
      reason,
    );
  }
});

Deno.test("a byte order mark, Windows' ends of lines and a $schema are all right", async () => {
  const expected = {
    names: { session: undefined, organization: undefined, project: "web", context: undefined },
  };
  for (const text of ['\ufeff{"project":"web"}', '{\r\n  "project": "web"\r\n}\r\n']) {
    assert.deepEqual(namesIn(text), expected);
  }
  assert.deepEqual(namesIn('{"$schema":"https://example.com/x.json","project":"web"}'), expected);
  assert.deepEqual(namesIn("{}"), { names: { ...expected.names, project: undefined } });
  // The digest is the one that `sha256sum` prints, of the mark too.
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  assert.equal(await digestOf("\ufeff{}"), digest.toHex());
});

Deno.test("of files that decide nothing only the nearest is opened, however deep they are nested", async () => {
  await using it = await openHome();
  const { home } = it;
  await it.write(home, WEB);
  await it.trust(home, WEB);
  const deepest = await it.folder("a/".repeat(60).slice(0, -1));
  for (let folder = deepest; folder !== home; folder = folder.replace(/\/a$/, "")) {
    await it.write(folder, WEB);
  }
  const opened: string[] = [];
  const open = Deno.openSync;
  Deno.openSync = (path, options) => {
    opened.push(String(path).slice(home.length));
    return open(path, options);
  };
  using restored = new DisposableStack();
  restored.defer(() => Deno.openSync = open);
  const nearest = `/${"a/".repeat(60)}${FOLDER_FILE}`;
  assert.equal((await it.seen(deepest))[0], FOLDER_FILE);
  assert.deepEqual(opened.splice(0), [nearest, `/${FOLDER_FILE}`]);
  assert.equal((await findFolderFile(it.from(deepest)))?.path, `${home}/${FOLDER_FILE}`);
  assert.deepEqual(opened, [`/${FOLDER_FILE}`]);
});

Deno.test("a folder whose name cannot be shown decides nothing", { ignore: !posix }, async () => {
  await using it = await openHome();
  const odd = await it.folder("a\u001b[2Jb");
  await it.write(odd, WEB);
  await it.trust(odd, WEB);
  const file = await nearestFile(it.from(odd));
  assert.equal(file?.ignored, "the name of its folder cannot be shown");
  assert.equal(await findFolderFile(it.from(odd)), undefined);
});

Deno.test("another user's file is not told of, and counts once its content is trusted", {
  ignore: !posix || Deno.uid() !== 0,
}, async () => {
  await using it = await openHome();
  const shared = await it.folder("shared");
  await it.write(shared, WEB);
  await Deno.chown(`${shared}/${FOLDER_FILE}`, 65534, 65534);
  assert.deepEqual(await it.seen(shared), [undefined]);
  await it.trust(shared, WEB);
  assert.deepEqual(await it.seen(shared), [`shared/${FOLDER_FILE}`]);
});

Deno.test("a trusted file of names that this program does not know stops the command", async () => {
  await using it = await openHome();
  const newer = JSON.stringify({ project: "web", region: "x" });
  await it.write(it.home, newer);
  await it.trust(it.home, newer);
  await expectRejection(findFolderFile(it.from(it.home)), {
    code: "STORAGE",
    message: /\.datumctl\.json cannot be followed: it has the member "region", which is not known\.$/,
  });
});

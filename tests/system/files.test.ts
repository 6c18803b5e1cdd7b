/** Proves the handling of our own files: atomic, private, bounded, and each failure in one sentence. */

import assert from "node:assert/strict";
import {
  ensurePrivateFolder,
  exists,
  fileFailure,
  haveNone,
  isOurs,
  isPrivateFolder,
  isTrusted,
  kindOf,
  listFolder,
  readPrivateFile,
  readTextFile,
  removeFile,
  replaceQuickly,
  tighten,
} from "../../src/system/files.ts";
import {
  changeFile,
  createFile,
  prepareReplacement,
  writeFileAtomically,
} from "../../src/system/replacement.ts";
import { machineId } from "../../src/system/environment.ts";
import { expectRejection } from "../expect-error.ts";
import { modeOf, scratchFolder } from "../scratch.ts";
import { refuseSuccessors } from "./refuse-successors.ts";

const posix = Deno.build.os !== "windows";

/** Waits for work that must fail with `STORAGE` and name that part. */
async function expectStorage(work: Promise<unknown>, part: string): Promise<void> {
  const { message } = await expectRejection(work, "STORAGE");
  assert.ok(message.includes(part), message);
}

async function successorsIn(folder: string): Promise<string[]> {
  return (await listFolder(folder)).filter((name) => name.includes(".new-"));
}

async function canMount(): Promise<boolean> {
  const probe = ["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"];
  const able = await new Deno.Command("unshare", { args: probe, stderr: "null" }).output()
    .then(({ success }) => success, () => false);
  // deno-lint-ignore no-console -- a skipped test says so
  if (!able) console.log("skipped: no small disk can be mounted here (unshare -m)");
  return able;
}

Deno.test("a file is replaced whole, with mode 0600, and nothing is left beside it", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/a.json`;
  await writeFileAtomically(path, "first");
  await writeFileAtomically(path, "sécond");
  assert.equal(await readTextFile(path), "sécond");
  assert.deepEqual(await listFolder(it.path), ["a.json"]);
  if (posix) assert.equal(await modeOf(path), 0o600);
});

Deno.test("a note is replaced by a private file, and one that cannot be made is nobody's trouble", async () => {
  await using it = await scratchFolder();
  const note = `${it.path}/note`;
  assert.equal(await replaceQuickly(note, "one"), true);
  if (posix) await Deno.chmod(note, 0o666);
  assert.equal(await replaceQuickly(note, "two"), true);
  assert.equal(await Deno.readTextFile(note), "two");
  if (posix) assert.equal(await modeOf(note), 0o600);
  {
    await using _full = await refuseSuccessors(note);
    assert.equal(await replaceQuickly(note, "three"), false);
  }
  assert.deepEqual(await listFolder(it.path), ["note"]);
});

Deno.test("a link at the file's place is replaced, never written through", { ignore: !posix }, async () => {
  await using it = await scratchFolder();
  await Deno.writeTextFile(`${it.path}/target`, "untouched");
  await Deno.symlink(`${it.path}/target`, `${it.path}/link`);
  await writeFileAtomically(`${it.path}/link`, "new");
  assert.equal(await Deno.readTextFile(`${it.path}/target`), "untouched");
  assert.equal(await kindOf(`${it.path}/link`), "file");
});

Deno.test("a replacement takes its room at once, and its text may be shorter or longer than that", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/a`;
  await writeFileAtomically(path, "old");
  for (const text of ["", "x", "y".repeat(200_000)]) {
    const replacement = await prepareReplacement(path, 100_000);
    const [successor = ""] = await successorsIn(it.path);
    assert.equal((await Deno.stat(`${it.path}/${successor}`)).size, 100_000);
    await replacement.commit(text);
    assert.equal(await readTextFile(path), text);
  }
  const discarded = await prepareReplacement(path, 10);
  await discarded.discard();
  await discarded.discard();
  assert.deepEqual(await listFolder(it.path), ["a"]);
});

Deno.test("of half-written files only what a killed process left is cleared away by the next write", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/a`;
  const left = async (name: string, seconds: number) => {
    const then = new Date(Date.now() - seconds * 1000);
    await Deno.writeTextFile(`${it.path}/${name}`, "half");
    await Deno.utime(`${it.path}/${name}`, then, then);
    return name;
  };
  const successor = (mark: string) => `a.new-${mark}-${crypto.randomUUID()}`;
  const dead = await left(successor(machineId()), 0);
  const deadElsewhere = await left(successor("00000000"), 90);
  const elsewhere = await left(successor("00000000"), 30);
  const theirs = [`a.new-1`, `a.new`, `a.new-${crypto.randomUUID()}`, `b${successor(machineId()).slice(1)}`];
  for (const name of theirs) await left(name, 90);
  // A process that was stopped for so long still has its lock.
  const stopped = await left(successor(machineId()), 90);
  using held = await Deno.open(`${it.path}/${stopped}`, { write: true });
  assert.equal(await held.tryLock(true), true);
  await writeFileAtomically(path, "whole");
  const found = await listFolder(it.path);
  assert.deepEqual(found, ["a", elsewhere, stopped, ...theirs].sort());
  assert.ok(!found.includes(dead) && !found.includes(deadElsewhere));
});

Deno.test("a successor that another machine cleared away is written again", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/a`;
  await writeFileAtomically(path, "old");
  const replacement = await prepareReplacement(path, 10);
  for (const name of await successorsIn(it.path)) await Deno.remove(`${it.path}/${name}`);
  assert.equal(await replacement.commit("new"), true);
  assert.equal(await readTextFile(path), "new");
  assert.deepEqual(await listFolder(it.path), ["a"]);
});

Deno.test("two at once have a successor each, see one another, and neither writes into the other's", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/a`;
  const first = await prepareReplacement(path, 1000);
  assert.equal(await first.hasRivals(60_000), false);
  const second = await prepareReplacement(path, 1000);
  assert.equal(await first.hasRivals(60_000), true);
  assert.equal(await first.hasRivals(-1000), false, "none so young");
  assert.equal(await first.commit("one"), true);
  assert.equal(await second.hasRivals(60_000), false);
  assert.equal(await second.commit("two", { text: undefined }), false, "made from what is no longer there");
  assert.equal(await readTextFile(path), "one");
  assert.deepEqual(await listFolder(it.path), ["a"]);
});

Deno.test("a change is made again of what somebody wrote meanwhile, and given up after five of them", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/a`;
  let left = 4;
  const change = (text = "") => {
    if (left-- > 0) Deno.writeTextFileSync(path, `${text}!`);
    return Promise.resolve(`${text}+`);
  };
  await changeFile(path, change);
  assert.equal(await readTextFile(path), "!!!!+");
  left = 5;
  await expectRejection(changeFile(path, change), "BUSY");
  assert.equal(await readTextFile(path), "!!!!+!!!!!");
  for (const change of [(text?: string) => text, () => undefined]) {
    await Deno.writeTextFile(`${path}.new-${machineId()}-${crypto.randomUUID()}`, "half");
    await changeFile(path, (text) => Promise.resolve(change(text)));
    assert.deepEqual(await listFolder(it.path), ["a"], "what a killed process left goes all the same");
  }
});

Deno.test("a rename that fails keeps the old file, leaves nothing behind, and is STORAGE", async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/a`;
  await Deno.mkdir(`${path}/inside`, { recursive: true });
  await expectStorage(writeFileAtomically(path, "x"), path);
  assert.deepEqual(await listFolder(it.path), ["a"]);
});

Deno.test("a full disk fails when the room is taken, keeps the old file, and says so", {
  ignore: !await canMount(),
}, async () => {
  await using it = await scratchFolder();
  const script = new URL("./fill-disk.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command("unshare", {
    args: [
      "-m",
      "sh",
      "-c",
      `mount -t tmpfs -o size=64k none ${it.path} && exec ${Deno.execPath()} run -A --quiet ${script} ${it.path}`,
    ],
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.deepEqual(JSON.parse(text), {
    error: `STORAGE Cannot write ${it.path}/a: the disk is full.`,
    hint: "Free some space and run the same command again; nothing was lost.",
    kept: "old",
    names: ["a"],
  });
});

Deno.test("reading what is not there, or is empty, is no error", async () => {
  await using it = await scratchFolder();
  assert.equal(await readTextFile(`${it.path}/none`), undefined);
  await Deno.writeTextFile(`${it.path}/file`, "");
  assert.equal(await readTextFile(`${it.path}/file/below`), undefined);
  assert.equal(await readTextFile(`${it.path}/file`), "");
});

Deno.test("reading a folder, or too large a file, is STORAGE", async () => {
  await using it = await scratchFolder();
  await expectStorage(readTextFile(it.path), it.path);
  const huge = await Deno.open(`${it.path}/huge`, { create: true, write: true });
  await huge.truncate(17 * 1024 * 1024);
  huge.close();
  await expectStorage(readTextFile(`${it.path}/huge`), "too large");
});

Deno.test("reading bytes that are no UTF-8 is no error", async () => {
  await using it = await scratchFolder();
  await Deno.writeFile(`${it.path}/bytes`, new Uint8Array([0xff, 0xfe, 0x41]));
  assert.match(await readTextFile(`${it.path}/bytes`) ?? "", /A$/);
});

Deno.test("removing, listing and looking: what is not there is no error", async () => {
  await using it = await scratchFolder();
  assert.equal(await removeFile(`${it.path}/none`), false);
  assert.deepEqual(await listFolder(`${it.path}/none`), []);
  assert.equal(await exists(`${it.path}/none`), false);
  assert.equal(await kindOf(`${it.path}/none`), undefined);
  assert.equal(await kindOf(it.path), "folder");
  await createFile(`${it.path}/a`, "1");
  await createFile(`${it.path}/a`, "2");
  assert.equal(await readTextFile(`${it.path}/a`), "1", "a file that is there is left alone");
  assert.equal(await removeFile(`${it.path}/a`), true);
  await Deno.mkdir(`${it.path}/full/inside`, { recursive: true });
  await expectStorage(removeFile(`${it.path}/full`), "full");
});

Deno.test("twenty processes' worth of first writes at once are one file", async () => {
  await using it = await scratchFolder();
  await Promise.all(Array.from({ length: 20 }, () => createFile(`${it.path}/.gitignore`, "*\n")));
  assert.equal(await readTextFile(`${it.path}/.gitignore`), "*\n");
});

Deno.test(
  "permissions of others are taken away, links and private files left alone",
  { ignore: !posix },
  async () => {
    await using it = await scratchFolder();
    await ensurePrivateFolder(`${it.path}/a/b`);
    assert.equal(await modeOf(`${it.path}/a/b`), 0o700);
    assert.equal(await tighten(`${it.path}/a/b`), undefined);
    await Deno.writeTextFile(`${it.path}/f`, "", { mode: 0o644 });
    await Deno.chmod(`${it.path}/f`, 0o666);
    await Deno.symlink(`${it.path}/f`, `${it.path}/l`);
    assert.equal(await tighten(`${it.path}/l`), undefined);
    assert.match(await tighten(`${it.path}/f`) ?? "", /now only you have access/);
    assert.equal(await modeOf(`${it.path}/f`), 0o600);
    assert.equal(await tighten(`${it.path}/none`), undefined);
    await Deno.chmod(`${it.path}/a/b`, 0o711);
    assert.match(await tighten(`${it.path}/a/b`) ?? "", /now only you have access/);
    assert.equal(await modeOf(`${it.path}/a/b`), 0o700);
  },
);

Deno.test("files of another owner are told of, stay as they are, and are read all the same", {
  ignore: !posix || Deno.uid() !== 0,
}, async () => {
  await using it = await scratchFolder();
  // Another user can run only what lies where they can read it.
  await Deno.copyFile(Deno.execPath(), `${it.path}/deno`);
  await Deno.mkdir(`${it.path}/src/system`, { recursive: true });
  const sources = new URL("../../src/", import.meta.url);
  const names = [...Deno.readDirSync(new URL("system/", sources))].map(({ name }) => `system/${name}`);
  for (const name of ["errors.ts", "text.ts", "encoding.ts", ...names]) {
    await Deno.copyFile(new URL(name, sources), `${it.path}/src/${name}`);
  }
  await Deno.mkdir(`${it.path}/sessions`);
  await Deno.writeTextFile(`${it.path}/sessions/one.json`, "{}");
  const paths = ["sessions", "sessions/one.json"].map((name) => `${it.path}/${name}`);
  await Deno.writeTextFile(
    `${it.path}/main.ts`,
    `import { isOurs, isTrusted, listFolder, readTextFile, tighten } from "./src/system/files.ts";
     const told = [];
     for (const path of ${JSON.stringify(paths)}) told.push(await tighten(path));
     const [folder, file] = ${JSON.stringify(paths)};
     const whose = [isOurs(folder), isTrusted(folder)];
     console.log(JSON.stringify([...told, await listFolder(folder), await readTextFile(file), whose]));`,
  );
  await new Deno.Command("chmod", { args: ["-R", "a+rX", it.path] }).output();
  const { stdout, stderr } = await new Deno.Command(`${it.path}/deno`, {
    args: ["run", "-A", "--quiet", "--no-config", `${it.path}/main.ts`],
    env: { DENO_NO_UPDATE_CHECK: "1", DENO_DIR: `${it.path}/none`, HOME: it.path },
    uid: 65534,
    gid: 65534,
    cwd: it.path,
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  const [aboutFolder, aboutFile, ...found] = JSON.parse(text);
  for (const [path, told] of [[paths[0], aboutFolder], [paths[1], aboutFile]]) {
    assert.equal(
      told,
      `The permissions of ${path} are too wide, and only its owner, who is someone else, can change them.`,
    );
    assert.notEqual(((await Deno.stat(path)).mode ?? 0) & 0o044, 0);
  }
  assert.deepEqual(found, [["one.json"], "{}", [false, true]], "the administrator is trusted");
});

Deno.test("an administrator's call changes nothing of another owner's, and tells whose it is not", {
  ignore: !posix || Deno.uid() !== 0,
}, async () => {
  await using it = await scratchFolder();
  const file = `${it.path}/theirs`;
  await Deno.writeTextFile(file, "");
  await Deno.chmod(file, 0o666);
  await Deno.symlink(file, `${it.path}/link`);
  assert.deepEqual([isOurs(file), isOurs(`${it.path}/link`), isOurs(`${it.path}/none`)], [true, true, false]);
  await Deno.chown(file, 65534, 65534);
  assert.deepEqual([isOurs(file), isTrusted(file), isTrusted(`${it.path}/link`)], [false, false, false]);
  assert.match(await tighten(file) ?? "", /only its owner, who is someone else, can change them/);
  assert.equal(await modeOf(file), 0o666);
});

Deno.test("failures are told apart by the system's own numbers", () => {
  const errors: readonly (readonly [Error, string])[] = [
    [new Deno.errors.NotFound("x"), "absent"],
    [new Deno.errors.NotADirectory("x"), "absent"],
    [new Deno.errors.AlreadyExists("x"), "exists"],
    [new Deno.errors.PermissionDenied("x (os error 13)"), "denied"],
    [new Deno.errors.NotCapable("x"), "denied"],
    [new Error("x"), "other"],
    ...(posix
      ? [
        [new Error("No space left on device (os error 28)"), "full"],
        [new Error("Disk quota exceeded (os error 122)"), "full"],
        [new Error("Read-only file system (os error 30)"), "read-only"],
        [new Deno.errors.PermissionDenied("Read-only file system (os error 30)"), "read-only"],
        [new Error("Device or resource busy (os error 16)"), "busy"],
        [new Error("Is a directory (os error 21)"), "folder"],
      ] as const
      : []),
  ];
  for (const [error, kind] of errors) assert.equal(fileFailure(error), kind, error.message);
  assert.equal(fileFailure("text"), "other");
});

Deno.test("a private file is a plain one of ours that nobody else can open", { ignore: !posix }, async () => {
  await using it = await scratchFolder();
  const path = `${it.path}/file`;
  assert.equal(readPrivateFile(path), undefined);
  await Deno.writeTextFile(path, "text", { mode: 0o600 });
  assert.equal(readPrivateFile(path), "text");
  for (const mode of [0o640, 0o604, 0o620]) {
    await Deno.chmod(path, mode);
    assert.equal(readPrivateFile(path), undefined, mode.toString(8));
  }
  await Deno.chmod(path, 0o600);
  await Deno.symlink(path, `${it.path}/link`);
  assert.equal(readPrivateFile(`${it.path}/link`), undefined);
  assert.equal(readPrivateFile(it.path), undefined);
  await Deno.truncate(path, 16 * 1024 * 1024 + 1);
  assert.equal(readPrivateFile(path), undefined, "too large");

  await Deno.mkdir(`${it.path}/folder`, { mode: 0o700 });
  assert.equal(isPrivateFolder(`${it.path}/folder`), true);
  assert.equal(isPrivateFolder(path), false);
  await Deno.symlink("folder", `${it.path}/linked-folder`);
  assert.equal(isPrivateFolder(`${it.path}/linked-folder`), false);
  await Deno.chmod(`${it.path}/folder`, 0o750);
  assert.equal(isPrivateFolder(`${it.path}/folder`), false);
});

Deno.test(
  "none of the names is in short folders, in long ones, and in closed ones",
  { ignore: !posix },
  async () => {
    await using it = await scratchFolder();
    const [short, long] = [`${it.path}/short`, `${it.path}/long`];
    for (const folder of [short, long]) await Deno.mkdir(folder);
    for (let n = 0; n < 400; n++) await Deno.writeTextFile(`${long}/${"n".repeat(100)}${n}`, "");
    assert.ok((Deno.statSync(long).size ?? 0) > 4096 || Deno.build.os !== "linux");
    const names = [".datumctl", ".datumctl.json"];
    for (const folders of [[short], [long], [short, long], []]) {
      assert.equal(haveNone(folders, names), true);
      for (const folder of folders) {
        for (const name of names) {
          await Deno.writeTextFile(`${folder}/${name}`, "");
          assert.equal(haveNone(folders, names), false, `${folder}/${name}`);
          await Deno.remove(`${folder}/${name}`);
          await Deno.symlink("nowhere", `${folder}/${name}`);
          assert.equal(haveNone(folders, names), false, `a link: ${folder}/${name}`);
          await Deno.remove(`${folder}/${name}`);
        }
      }
    }
    assert.equal(haveNone([`${it.path}/gone`], names), true);
  },
);

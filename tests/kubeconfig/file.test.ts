/** Proves how kubeconfigs are found, locked, written and given back: whole, where they are, and to nobody else. */

import assert from "node:assert/strict";
import { entryEdit, execEntry } from "../../src/kubeconfig/entries.ts";
import {
  contextNamed,
  defaultKubeconfigs,
  kubeconfigPaths,
  loadKubeconfig,
  ownUsers,
  previewKubeconfig,
  removalOfSession,
  updateKubeconfig,
} from "../../src/kubeconfig/file.ts";
import { asJson } from "../as-json.ts";
import { expectError, expectRejection } from "../expect-error.ts";
import { kubectl, runKubectl } from "../kube/kubectl.ts";
import { inScratch, modeOf, namesIn, scratchFolder } from "../scratch.ts";

const WRITER = new URL("./writer.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

const HANDLE = "abcdefghijklmn27";

const read = (path: string) => Deno.readTextFile(path);
const write = (path: string, text: string, mode = 0o600) =>
  Deno.writeTextFile(path, text, { mode }).then(() => Deno.chmod(path, mode));

function entry(id: string, session = "ada") {
  return entryEdit({
    cluster: `datum-project-${id}`,
    context: `datum-project-${id}`,
    server: `https://api.example.com/${id}`,
    command: "/opt/datumctl",
    identity: { session },
    switchTo: true,
  });
}

const sessionOf = (name: string) => ({
  name,
  apiHost: "api.example.com",
  issuer: "https://auth.example.com/realms/a",
});

function writer(stdin: "piped" | "null", ...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--no-check", `--config=${CONFIG}`, WRITER, ...args],
    stdin,
    stdout: "piped",
    stderr: "inherit",
  });
}

async function until(stream: ReadableStream<Uint8Array>, text: string): Promise<string> {
  let seen = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream.values({ preventCancel: true })) {
    seen += decoder.decode(chunk, { stream: true });
    if (seen.includes(text)) break;
  }
  return seen;
}

Deno.test("kubeconfigPaths() takes the flag, else KUBECONFIG without its empty parts, else ~/.kube/config", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name] || undefined;
  const both = env({ KUBECONFIG: ":/a::/b:/a:", HOME: "/home/ada" });
  assert.deepEqual(kubeconfigPaths("mine", both, false), ["mine"]);
  assert.deepEqual(kubeconfigPaths(undefined, both, false), ["/a", "/b"]);
  assert.deepEqual(kubeconfigPaths(undefined, env({ KUBECONFIG: "::", HOME: "/home/ada" }), false), [
    "/home/ada/.kube/config",
  ]);
  assert.deepEqual(
    kubeconfigPaths(undefined, env({ KUBECONFIG: "C:\\a;;D:\\b", USERPROFILE: "C:\\u" }), true),
    ["C:\\a", "D:\\b"],
  );
  assert.deepEqual(kubeconfigPaths(undefined, env({ USERPROFILE: "C:\\u" }), true), ["C:\\u\\.kube\\config"]);
});

Deno.test("without a home a reader finds no kubeconfig, and a writer is told to name one", () => {
  for (const [windows, variable] of [[false, /HOME/], [true, /USERPROFILE/]] as const) {
    assert.deepEqual(defaultKubeconfigs(() => undefined, windows), []);
    assert.deepEqual(kubeconfigPaths("mine", () => undefined, windows), ["mine"]);
    expectError(() => kubeconfigPaths(undefined, () => undefined, windows), {
      code: "STORAGE",
      message: variable,
      hint: /--kubeconfig FILE/,
    });
  }
});

Deno.test("updateKubeconfig() makes a new file 0600 in a new folder 0700", () =>
  inScratch(async (folder) => {
    const path = `${folder}/deep/.kube/config`;
    await updateKubeconfig([path], entry("a"));
    assert.equal(await modeOf(path), 0o600);
    assert.equal(await modeOf(`${folder}/deep/.kube`), 0o700);
    assert.deepEqual(await namesIn(`${folder}/deep/.kube`), ["config"]);
  }));

Deno.test("updateKubeconfig() keeps mode, owner and links, and leaves nothing beside the file", () =>
  inScratch(async (folder) => {
    const root = Deno.uid() === 0;
    for (const mode of [0o600, 0o644, 0o640]) {
      const [real, link] = [`${folder}/real/file-${mode}`, `${folder}/link-${mode}`];
      await Deno.mkdir(`${folder}/real`, { recursive: true });
      await write(real, "kind: Config\n", mode);
      if (root) await Deno.chown(real, 1234, 4321);
      await Deno.symlink(`real/file-${mode}`, link);
      await updateKubeconfig([link], entry("a"));
      const after = await Deno.stat(real);
      assert.equal(await modeOf(real), mode);
      if (root) assert.deepEqual([after.uid, after.gid], [1234, 4321]);
      assert.ok((await Deno.lstat(link)).isSymlink);
      assert.match(await read(real), /datum-project-a/);
    }
    assert.equal((await namesIn(`${folder}/real`)).length, 3);
  }));

Deno.test("updateKubeconfig() follows a link to a file that is not there yet", () =>
  inScratch(async (folder) => {
    await Deno.mkdir(`${folder}/dotfiles`);
    await Deno.symlink("dotfiles/config", `${folder}/config`);
    await updateKubeconfig([`${folder}/config`], entry("a"));
    assert.ok((await Deno.lstat(`${folder}/config`)).isSymlink);
    assert.match(await read(`${folder}/dotfiles/config`), /datum-project-a/);
  }));

Deno.test("updateKubeconfig() rewrites a file with several names in place", () =>
  inScratch(async (folder) => {
    await write(`${folder}/one`, "kind: Config\n" + "#".repeat(3_000));
    await Deno.link(`${folder}/one`, `${folder}/two`);
    await updateKubeconfig([`${folder}/one`], entry("a"));
    assert.equal(await read(`${folder}/one`), await read(`${folder}/two`));
    await updateKubeconfig([`${folder}/two`], {
      remove: { users: ["datum-ada"], clusters: ["datum-project-a"], contexts: ["datum-project-a"] },
    });
    assert.equal(await read(`${folder}/one`), await read(`${folder}/two`));
    assert.deepEqual(await namesIn(folder), ["one", "two"]);
  }));

Deno.test("updateKubeconfig() refuses what is no plain file, and leaves it", () =>
  inScratch(async (folder) => {
    await expectRejection(updateKubeconfig(["/dev/null"], entry("a")), "STORAGE");
    assert.ok((await Deno.stat("/dev/null")).isCharDevice);
    await expectRejection(updateKubeconfig([folder], entry("a")), "STORAGE");
    assert.deepEqual(await namesIn(folder), []);
  }));

Deno.test("updateKubeconfig() refuses broken files and changes none of the list", () =>
  inScratch(async (folder) => {
    const [good, bad] = [`${folder}/good`, `${folder}/bad`];
    await write(good, "kind: Config\n");
    const twice = "users: [{name: a}, {name: a}]\n";
    for (const text of ["kind: Config\n---\nkind: Config\n", "users: [\n", twice, "\xff"]) {
      if (text === "\xff") await Deno.writeFile(bad, new Uint8Array([0x61, 0xff, 0x61]));
      else await write(bad, text);
      const before = await Deno.readFile(bad);
      const error = await expectRejection(updateKubeconfig([good, bad], entry("a")), "KUBECONFIG");
      assert.ok(error.message.includes(bad), error.message);
      assert.deepEqual(await Deno.readFile(bad), before);
      assert.equal(await read(good), "kind: Config\n");
    }
    assert.deepEqual(await namesIn(folder), ["bad", "good"]);
  }));

/** A text in UTF-16, as Windows writes it (its mark in front), without the mark, or with the bytes the other way round. */
function utf16(
  text: string,
  form: "marked" | "bare" | "swapped" | "swapped and marked",
): Uint8Array<ArrayBuffer> {
  const words = Uint16Array.from(
    form.endsWith("marked") ? `\ufeff${text}` : text,
    (letter) => letter.charCodeAt(0),
  );
  const view = new DataView(new ArrayBuffer(2 * words.length));
  words.forEach((word, at) => view.setUint16(2 * at, word, !form.startsWith("swapped")));
  return new Uint8Array(view.buffer);
}

Deno.test({
  name: "a kubeconfig in UTF-16 is left as it is, and the line named makes it one that can be written",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inScratch(async (folder) => {
      const path = `${folder}/it's mine`;
      const text = "kind: Config\r\nusers:\r\n- {name: über, user: {token: a}}\r\n";
      for (const form of ["marked", "bare", "swapped", "swapped and marked"] as const) {
        await Deno.writeFile(path, utf16(text, form), { mode: 0o640 });
        const error = await expectRejection(updateKubeconfig([path], entry("a")), {
          code: "KUBECONFIG",
          message: /: it is UTF-16 text\. It was left as it is\.$/,
        });
        assert.deepEqual(await Deno.readFile(path), utf16(text, form), form);
        const cure = (error.hint ?? "").replace("Make it UTF-8: ", "");
        assert.ok((await new Deno.Command("/bin/sh", { args: ["-c", cure] }).output()).success, cure);
        assert.equal(await read(path), text, form);
        assert.equal(await modeOf(path), 0o640);
        assert.deepEqual(await namesIn(folder), ["it's mine"]);
        assert.equal((await updateKubeconfig([path], entry("a"))).length, 1);
      }
    }),
});

Deno.test("updateKubeconfig() updates an entry where it is and puts new ones into the first file that exists", () =>
  inScratch(async (folder) => {
    const [absent, first, second] = [`${folder}/absent`, `${folder}/first`, `${folder}/second`];
    await write(first, "kind: Config\n");
    await write(
      second,
      "current-context: old\nusers:\n- name: datum-ada\n  user: {token: t}\ncontexts:\n- name: old\n",
    );
    const changes = await updateKubeconfig([absent, first, second], entry("a"));
    assert.deepEqual(changes.map((change) => change.path), [first, second]);
    assert.match(await read(second), /^current-context: old\n[^]*exec/);
    assert.doesNotMatch(await read(second), /datum-project-a|token: t/);
    assert.doesNotMatch(await read(first), /users/);
    const kubeconfig = await loadKubeconfig([absent, first, second]);
    assert.deepEqual(contextNamed(kubeconfig), {
      name: "datum-project-a",
      cluster: "datum-project-a",
      user: "datum-ada",
      namespace: undefined,
      server: "https://api.example.com/a",
      certificateAuthorityData: undefined,
      own: {
        name: "datum-ada",
        session: "ada",
        activeFor: undefined,
        launcher: undefined,
        handle: undefined,
      },
    });
    assert.deepEqual(await namesIn(folder), ["first", "second"]);
    if (kubectl === undefined) return;
    const seen = await runKubectl([
      "config",
      "view",
      "--minify",
      "-o",
      "jsonpath={.clusters[0].cluster.server} {.users[0].user.exec.command}",
    ], {
      KUBECONFIG: `${absent}:${first}:${second}`,
    });
    assert.equal(seen.stdout, "https://api.example.com/a /opt/datumctl");
  }));

Deno.test("updateKubeconfig() makes the last file of a list of which none exists", () =>
  inScratch(async (folder) => {
    await updateKubeconfig([`${folder}/a`, `${folder}/b`], entry("a"));
    assert.deepEqual(await namesIn(folder), ["b"]);
  }));

Deno.test("updateKubeconfig() writes nothing the second time", () =>
  inScratch(async (folder) => {
    await updateKubeconfig([`${folder}/a`], entry("a"));
    const before = await Deno.stat(`${folder}/a`);
    assert.deepEqual(await updateKubeconfig([`${folder}/a`], entry("a")), []);
    const after = await Deno.stat(`${folder}/a`);
    assert.deepEqual([after.ino, after.mtime], [before.ino, before.mtime]);
  }));

Deno.test("updateKubeconfig() names a lock that stays with its age, and never removes it", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    await write(path, "kind: Config\n");
    await write(`${path}.lock`, "");
    await Deno.utime(`${path}.lock`, Date.now() / 1000 - 7_200, Date.now() / 1000 - 7_200);
    const error = await expectRejection(updateKubeconfig([path], entry("a"), { lockWait: 30 }), "BUSY");
    assert.ok(error.message.includes(`${path}.lock, made 2 h ago`), error.message);
    assert.equal(await read(path), "kind: Config\n");
    assert.deepEqual(await namesIn(folder), ["config", "config.lock"]);
  }));

Deno.test("updateKubeconfig() keeps the locks of the other files out of the way when one cannot be had", () =>
  inScratch(async (folder) => {
    const [a, b] = [`${folder}/a`, `${folder}/b`];
    await write(a, "kind: Config\n");
    await write(b, "kind: Config\n");
    await write(`${b}.lock`, "");
    await expectRejection(updateKubeconfig([b, a], entry("a"), { lockWait: 30 }));
    assert.deepEqual(await namesIn(folder), ["a", "b", "b.lock"]);
  }));

Deno.test("updateKubeconfig() sees what was written without the lock while it worked", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    await write(path, "kind: Config\n");
    let runs = 0;
    await updateKubeconfig([path], () => {
      runs += 1;
      if (runs === 1) Deno.writeTextFileSync(path, "kind: Config\n# from elsewhere\n");
      return entry("a");
    });
    assert.equal(runs, 2);
    assert.match(await read(path), /# from elsewhere[^]*datum-project-a|datum-project-a[^]*# from elsewhere/);
    await expectRejection(
      updateKubeconfig([path], () => {
        Deno.writeTextFileSync(path, `kind: Config\n# ${++runs}\n`);
        return entry("b");
      }),
      "BUSY",
    );
    assert.equal(await read(path), `kind: Config\n# ${runs}\n`);
  }));

Deno.test("previewKubeconfig() shows the change, no neighbour's secret, and touches nothing", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    await write(
      path,
      'users:\n- name: other\n  user:\n    client-key-data: c2VjcmV0\n    password: sec ret, secret\n    auth-provider: {config: {id-token: secret}}\n    token: "secret"\n',
    );
    await write(`${path}.lock`, "");
    const before = await Deno.stat(path);
    const diff = await previewKubeconfig([path], entry("a"));
    assert.match(diff, new RegExp(`^--- ${path}\n\\+\\+\\+ ${path}\n@@ -\\d`));
    assert.match(diff, /^ {5}token: REDACTED$/m);
    assert.match(diff, /^\+current-context: datum-project-a$/m);
    assert.doesNotMatch(diff, /secret|c2VjcmV0|sec ret/);
    assert.equal((await Deno.stat(path)).mtime?.getTime(), before.mtime?.getTime());
    assert.match(
      await previewKubeconfig([`${folder}/new`], entry("a")),
      /^--- \/dev\/null\n\+\+\+ .*new\n@@ -0,0 /,
    );
    assert.deepEqual(await namesIn(folder), ["config", "config.lock"]);
  }));

Deno.test("removalOfSession() takes the session's users and contexts whatever they are named", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    await write(
      path,
      "contexts:\n- name: mine\n  context: {cluster: own, user: datum-ada}\n" +
        "- name: theirs\n  context: {cluster: datum-project-b, user: other}\n",
    );
    await updateKubeconfig([path], entry("a"));
    await updateKubeconfig([path], entry("b"));
    await updateKubeconfig([path], entry("c", "grace"));
    const kubeconfig = await loadKubeconfig([path]);
    assert.deepEqual(asJson(ownUsers(kubeconfig)), [{ name: "datum-ada", session: "ada" }, {
      name: "datum-grace",
      session: "grace",
    }]);
    assert.deepEqual(asJson(removalOfSession(kubeconfig, sessionOf("ada"))), {
      users: ["datum-ada"],
      contexts: ["mine", "datum-project-a", "datum-project-b"],
      clusters: ["datum-project-a"],
    });
    assert.equal(removalOfSession(kubeconfig, sessionOf("grace")).currentContext, "datum-project-c");
    await updateKubeconfig([path], (now) => ({ remove: removalOfSession(now, sessionOf("grace")) }));
    assert.equal((await loadKubeconfig([path])).currentContext, undefined);
  }));

Deno.test("an entry that runs the launcher is ours, is removed with its session, and keeps what a person put there", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    const launched = {
      ...execEntry({
        command: "/home/ada/bin/datumctl-credential",
        identity: { session: "ada" },
        handle: HANDLE,
      }),
      env: [{ name: "A", value: "b" }],
    };
    await updateKubeconfig([path], { users: [{ name: "datum-ada", exec: launched }] });
    const kubeconfig = await loadKubeconfig([path]);
    assert.deepEqual(asJson(ownUsers(kubeconfig)), [
      { name: "datum-ada", session: "ada", launcher: "/home/ada/bin/datumctl-credential", handle: HANDLE },
    ]);
    assert.deepEqual(removalOfSession(kubeconfig, sessionOf("ada")).users, ["datum-ada"]);
    await updateKubeconfig([path], { users: [{ name: "datum-ada", exec: { ...launched, env: null } }] });
    assert.match(await read(path), /value: b/);
    for (
      const args of [[HANDLE], [HANDLE, "auth"], ["ABCDEFGHIJKLMN27", ...launched.args.slice(1)], [
        HANDLE,
        ...launched.args,
      ]]
    ) {
      await updateKubeconfig([path], { users: [{ name: "datum-ada", exec: { ...launched, args } }] });
      assert.deepEqual(ownUsers(await loadKubeconfig([path])), [], args.join(" "));
    }
  }));

Deno.test("removalOfSession() takes no entry of a session that had the name elsewhere", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    const pins = [[], ["api.example.com"], ["https://auth.example.com/realms/a"], ["api.other.example"], [
      "https://auth.example.com/realms/b",
    ]];
    const users = pins.map(([pin], at) => ({
      name: `u${at}`,
      user: {
        exec: { args: ["auth", "get-token", "--session=work", ...(pin ? [`--active-for=${pin}`] : [])] },
      },
    }));
    const follows = {
      name: "f",
      user: { exec: { args: ["auth", "get-token", "--active-for=api.example.com"] } },
    };
    await write(path, JSON.stringify({ users: [...users, follows] }));
    const removal = removalOfSession(await loadKubeconfig([path]), sessionOf("work"));
    assert.deepEqual(removal.users, ["u0", "u1", "u2"]);
  }));

Deno.test("a lock is released on a signal, an exit and an error, and the file is whole", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    await write(path, "kind: Config\n");
    for (
      const [hold, signal] of [["signal", "SIGTERM"], ["signal", "SIGINT"], ["signal", "SIGHUP"], ["exit"], [
        "throw",
      ]] as const
    ) {
      const child = writer("piped", path, "x", "1", hold).spawn();
      await until(child.stdout, "held");
      assert.deepEqual(await namesIn(folder), ["config", "config.lock"]);
      if (signal !== undefined) child.kill(signal as Deno.Signal);
      const stdin = child.stdin.getWriter();
      await stdin.write(new Uint8Array([10]));
      await stdin.close();
      const said = await until(child.stdout, "nothing: to its end");
      const { code } = await child.status;
      assert.equal(code, signal !== undefined ? 130 : hold === "exit" ? 3 : 99);
      if (signal !== undefined) assert.match(said, /INTERRUPTED/);
      assert.deepEqual(await namesIn(folder), ["config"]);
      assert.equal(await read(path), "kind: Config\n");
    }
  }));

Deno.test("many writers at once, each in its own process, lose nothing of each other", () =>
  inScratch(async (folder) => {
    const path = `${folder}/config`;
    const all = await Promise.all(
      ["a", "b", "c", "d"].map((prefix) => writer("null", path, prefix, "15").output()),
    );
    for (const { code, stdout } of all) assert.equal(code, 0, new TextDecoder().decode(stdout));
    const { files } = await loadKubeconfig([path]);
    assert.equal((files[0]?.config.data["contexts"] as unknown[]).length, 60);
    assert.deepEqual(await namesIn(folder), ["config"]);
  }));

Deno.test({
  name: "a concurrent kubectl loses nothing to us, and we wait for its lock as it wants us to",
  ignore: kubectl === undefined,
  fn: () =>
    inScratch(async (folder) => {
      const path = `${folder}/config`;
      await write(path, "kind: Config\n");
      const ours = writer("null", path, "ours", "120").output();
      const written: string[] = [];
      let refusals = 0;
      let over = false;
      const done = ours.then((output) => {
        over = true;
        return output;
      });
      for (let index = 0; !over || written.length < 10; index += 1) {
        const { code, stderr } = await runKubectl([
          `--kubeconfig=${path}`,
          "config",
          "set-context",
          `theirs-${index}`,
        ]);
        if (code === 0) written.push(`theirs-${index}`);
        else {
          // kubectl does not wait for a lock; everything else would be our doing.
          assert.match(stderr, /config\.lock: file exists/);
          refusals += 1;
        }
      }
      const { code, stdout } = await done;
      assert.equal(code, 0, new TextDecoder().decode(stdout));
      const { files } = await loadKubeconfig([path]);
      const names = (files[0]?.config.data["contexts"] as { name: string }[]).map((one) => one.name);
      assert.deepEqual(written.filter((one) => !names.includes(one)), [], `${refusals} refusals`);
      assert.deepEqual(await namesIn(folder), ["config"]);
      // kubectl reads before it locks and then deletes what it had not read: what is missing of ours is that race's.
      const lost = Array.from({ length: 120 }, (_, index) => `ours-${index}`).filter((one) =>
        !names.includes(one)
      );
      assert.ok(lost.length <= written.length, `${lost.length} of ours lost in ${written.length} of theirs`);
    }),
});

// ---- mounts ----

const canMount = Deno.build.os === "linux" && Deno.uid() === 0 &&
  await new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
// deno-lint-ignore no-console
if (!canMount) console.log("skipped: the kubeconfig tests with mounts, for unshare is not permitted here");

const RUN = `${Deno.execPath()} run --quiet --allow-all --no-check --config=${CONFIG} ${WRITER}`;

/** Runs a script in a mount namespace of its own, in a folder with a 64 KiB tmpfs at `small`. */
async function mounted(script: string): Promise<string> {
  await using folder = await scratchFolder();
  const { stdout, stderr } = await new Deno.Command("unshare", {
    args: ["-m", "bash", "-euc", `mkdir small; mount -t tmpfs -o size=64k tmpfs small; ${script}`],
    cwd: folder.path,
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test({
  name: "a file that is a bind mount is rewritten in place",
  ignore: !canMount,
  fn: async () => {
    const out = await mounted(`
      printf 'kind: Config\\n# kept\\n' > real; touch config; mount --bind real config
      ${RUN} config x 2; ls -A; cat real`);
    assert.match(out, /^1 changed\n1 changed\nconfig\nreal\nsmall\nkind: Config\n/);
    assert.match(out, /x-0[^]*x-1/);
    assert.match(out, /# kept/);
    assert.doesNotMatch(out, /\.lock|datumctl-/);
  },
});

Deno.test({
  name: "a file in a read-only folder is rewritten in place, for nobody can lock it there",
  ignore: !canMount,
  fn: async () => {
    const out = await mounted(`
      mkdir dir; echo 'kind: Config' > real; touch dir/config
      mount --bind dir dir; mount --bind real dir/config; mount -o remount,ro,bind dir
      ! touch dir/other 2>/dev/null
      TMPDIR=$PWD/small ${RUN} $PWD/dir/config x 2; ls -A dir small; cat real`);
    assert.match(out, /x-0[^]*x-1/);
    assert.match(out, /dir:\nconfig\n\nsmall:\n(?!.*datumctl-)/);
  },
});

Deno.test({
  name: "a file on a read-only file system is named and left",
  ignore: !canMount,
  fn: async () => {
    const out = await mounted(`
      echo 'kind: Config' > small/config; mount -o remount,ro small
      ${RUN} small/config x 1 || echo exit $?; cat small/config; ls -A small`);
    assert.match(out, /"code":"STORAGE"[^]*exit 1\nkind: Config\nconfig\n$/);
  },
});

Deno.test({
  name: "a full disk leaves the old file whole, also where it must be rewritten in place",
  ignore: !canMount,
  fn: async () => {
    const fill =
      "head -c 56000 /dev/zero | tr '\\0' '#' >> small/config; printf '\\nkind: Config\\n' >> small/config";
    for (const place of ["", "mkdir -p one; touch one/config; mount --bind small/config one/config;"]) {
      const path = place === "" ? "small/config" : "one/config";
      const full = place === "" ? "" : "head -c 9000 /dev/zero > small/rest 2>/dev/null || true;";
      const long = "x".repeat(9_000);
      const out = await mounted(`
        ${fill}; ${place} ${full} cp small/config before
        ${RUN} ${path} ${long} 1 | cut -c1-200 || echo exit $?
        cmp small/config before && echo same; ls -A small`);
      assert.match(out, /"code":"STORAGE".*the disk is full/);
      assert.match(out, /\nsame\nconfig\n(?:rest\n)?$/);
    }
  },
});

/** Proves the Secret Service's store against a real gnome-keyring, and against a secret-tool that misbehaves. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { linuxStore } from "../../src/keyring/linux.ts";
import type { SecretStore } from "../../src/keyring/store.ts";
import { fileNameOf } from "../../src/sessions/name.ts";
import { findProgram, type Run, run } from "../../src/system/processes.ts";
import { type ExpectedError, expectRejection } from "../expect-error.ts";
import { inScratch, writeScript } from "../scratch.ts";
import { type Keyring, startKeyring } from "./gnome-keyring.ts";

const bound = { timeout: 15_000 };
const ACCOUNT = "ada@example.com@api.datum.net";
const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
const PATH = Deno.env.get("PATH") ?? "";

/** The store over a real keyring, and the subcommand of every child that it ran. */
async function withKeyring(
  test: (parts: { store: SecretStore; keyring: Keyring; calls: string[] }) => Promise<void>,
): Promise<void> {
  const keyring = await startKeyring();
  if (keyring === undefined) return;
  const calls: string[] = [];
  const counting: Run = (command, args, options) => {
    calls.push(`${command} ${args[0]}`);
    return run(command, args, options);
  };
  try {
    await test({ store: linuxStore(counting, keyring.env), keyring, calls });
  } finally {
    await keyring.stop();
  }
}

/** A `secret-tool` of our own, first on PATH. */
async function withTool(
  body: string,
  test: (store: SecretStore, folder: string) => Promise<void>,
): Promise<void> {
  await inScratch(async (folder) => {
    await writeScript(`${folder}/secret-tool`, body);
    await test(linuxStore(run, { PATH: `${folder}:${PATH}` }), folder);
  });
}

Deno.test("a locked keyring is KEYRING_LOCKED for the item it holds, in every call", async () => {
  await withKeyring(async ({ store, keyring }) => {
    await store.set(ACCOUNT, SECRET, bound);
    await keyring.lock();
    await expectRejection(store.get(ACCOUNT, bound), {
      code: "KEYRING_LOCKED",
      says: [/is locked/, /Unlock it/, /ada@/],
    });
    await expectRejection(store.set("other", SECRET, bound), { code: "KEYRING_LOCKED", says: /is locked/ });
    await expectRejection(store.delete(ACCOUNT, bound), { code: "KEYRING_LOCKED", says: /is locked/ });
  });
});

Deno.test("a quiet look reads an open keyring, and runs nothing that would ask to open a locked one", async () => {
  await withKeyring(async ({ store, keyring, calls }) => {
    await store.set(ACCOUNT, SECRET, bound);
    calls.length = 0;
    const quiet = { ...bound, quiet: true };
    assert.equal(await store.get(ACCOUNT, quiet), SECRET);
    assert.equal(await store.get("other", quiet), undefined);
    await keyring.lock();
    await expectRejection(store.get(ACCOUNT, quiet), { code: "KEYRING_LOCKED", says: /is locked/ });
    // A lookup is what has a person asked.
    assert.deepEqual(new Set(calls), new Set(["secret-tool search"]));
  });
});

Deno.test("an item that a locked keyring does not hold is missing, not locked", async () => {
  await withKeyring(async ({ store, keyring }) => {
    await store.set(ACCOUNT, SECRET, bound);
    await keyring.lock();
    assert.equal(await store.get("nobody@api.datum.net", bound), undefined);
    assert.equal(await store.delete("nobody@api.datum.net", bound), false);
  });
});

Deno.test("a missing item is undefined, and deleting it is false", async () => {
  await withKeyring(async ({ store }) => {
    assert.equal(await store.get(ACCOUNT, bound), undefined);
    assert.equal(await store.delete(ACCOUNT, bound), false);
    await store.set(ACCOUNT, SECRET, bound);
    assert.equal(
      await store.get("ada@example.com", bound),
      undefined,
      "a part of the attributes matches nothing",
    );
  });
});

Deno.test("a daemon that is gone: unavailable for a new session, KEYRING_LOCKED for one that is stored", async () => {
  await withKeyring(async ({ store, keyring }) => {
    await store.set(ACCOUNT, SECRET, bound);
    await keyring.stopDaemon();
    const gone = /no keyring service/;
    await expectRejection(store.get(ACCOUNT, bound), {
      code: "KEYRING_LOCKED",
      says: [gone, /gnome-keyring-daemon/],
    });
    await expectRejection(store.delete(ACCOUNT, bound), { code: "KEYRING_LOCKED", says: gone });
    await expectRejection(store.set(ACCOUNT, SECRET, bound), { code: "KEYRING_UNAVAILABLE", says: gone });
  });
});

const withoutTool = findProgram("secret-tool", PATH) === undefined;

for (
  const [what, env] of [
    ["no variable of one", {}],
    ["a socket that is gone", { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" }],
    ["a display but no dbus-launch", { DISPLAY: ":7", PATH: "/nonexistent" }],
  ] as const
) {
  Deno.test({
    name: `without a D-Bus session (${what}) the error says so`,
    ignore: withoutTool,
    async fn() {
      await inScratch(async (home) => {
        const tool = findProgram("secret-tool", PATH) ?? "";
        const found: Run = (_, args, options) => run(tool, args, options);
        const store = linuxStore(found, { PATH, HOME: home, XDG_RUNTIME_DIR: home, ...env });
        const says = /no D-Bus session/;
        await expectRejection(store.get(ACCOUNT, bound), {
          code: "KEYRING_LOCKED",
          says: [says, /dbus-run-session/],
        });
        await expectRejection(store.delete(ACCOUNT, bound), { code: "KEYRING_LOCKED", says });
        await expectRejection(store.set(ACCOUNT, SECRET, bound), { code: "KEYRING_UNAVAILABLE", says });
      });
    },
  });
}

Deno.test("without secret-tool the error names the package of each distribution", async () => {
  const store = linuxStore(run, { PATH: "/nonexistent" });
  const packages = [/libsecret-tools on Debian/, /libsecret on Fedora and Arch/];
  await expectRejection(store.get(ACCOUNT, bound), { code: "KEYRING_LOCKED", says: [...packages] });
  await expectRejection(store.set(ACCOUNT, SECRET, bound), {
    code: "KEYRING_UNAVAILABLE",
    says: [...packages],
  });
});

Deno.test("a secret-tool that hangs, with a child of its own, is KEYRING_TIMEOUT within the bound", async () => {
  await withTool(`sleep 20 & echo $! >>"$(dirname "$0")/children"; wait`, async (store, folder) => {
    const short = { timeout: 200 };
    const started = performance.now();
    const timeout: ExpectedError = { code: "KEYRING_TIMEOUT", says: /200 ms/ };
    await expectRejection(store.get(ACCOUNT, short), timeout);
    await expectRejection(store.set(ACCOUNT, SECRET, short), timeout);
    await expectRejection(store.delete(ACCOUNT, short), timeout);
    assert(performance.now() - started < 4000);
    for (const pid of (await Deno.readTextFile(`${folder}/children`)).trim().split("\n")) {
      Deno.kill(Number(pid), "SIGKILL");
    }
  });
});

Deno.test("one bound covers all children of a call", async () => {
  // The silent lookup uses up most of the bound; the search gets what is left, not a bound of its own.
  await withTool(`case $1 in lookup) sleep 0.4; exit 1;; *) exec sleep 20;; esac`, async (store) => {
    const started = performance.now();
    await expectRejection(store.get(ACCOUNT, { timeout: 700 }), "KEYRING_TIMEOUT");
    const took = performance.now() - started;
    assert(took >= 650 && took < 1050, `took ${took} ms`);
  });
});

Deno.test("the caller's signal gives a call up with its own reason", async () => {
  await withTool("exec sleep 20", async (store) => {
    const controller = new AbortController();
    const call = store.get(ACCOUNT, { ...bound, signal: controller.signal });
    const reason = new AppError("INTERRUPTED", "Interrupted.");
    controller.abort(reason);
    await assert.rejects(call, (error) => error === reason);
  });
});

Deno.test("a secret-tool that fails in an unknown way is quoted on one line, without control characters", async () => {
  await withTool(`printf 'secret-tool: odd \\033[31mthing\\nsecond line\\n' >&2; exit 1`, async (store) => {
    await expectRejection(store.get(ACCOUNT, bound), {
      code: "KEYRING_LOCKED",
      says: /odd {2}?\[31mthing\)/,
    });
  });
  await withTool(`kill -SEGV $$`, async (store) => {
    await expectRejection(store.get(ACCOUNT, bound), { code: "KEYRING_LOCKED", says: /exit code 139/ });
  });
});

Deno.test("a Ctrl-C that ends secret-tool before us is INTERRUPTED, not a broken keyring", async () => {
  await withTool("kill -INT $$", async (store) => {
    await expectRejection(store.get(ACCOUNT, bound), { code: "INTERRUPTED", says: /Interrupted/ });
    await expectRejection(store.set(ACCOUNT, SECRET, bound), { code: "INTERRUPTED", says: /Interrupted/ });
  });
});

Deno.test("a library's warning on stderr is not taken for a failure of secret-tool", async () => {
  await withTool(
    `echo '(secret-tool:7): GLib-WARNING: odd' >&2; [ $1 = search ] || exit 1`,
    async (store) => {
      assert.equal(await store.get(ACCOUNT, bound), undefined);
    },
  );
});

Deno.test("a keyring that is unlocked between lookup and search is asked once more", async () => {
  const tool = `cd "$(dirname "$0")"; case $1 in
    lookup) [ -e asked ] && { printf later; exit 0; }; touch asked; exit 1;;
    search) printf '[/1]\\nlabel = x\\nsecret = later\\n';; esac`;
  await withTool(tool, async (store) => assert.equal(await store.get(ACCOUNT, bound), "later"));
});

Deno.test("a secret is stored, read with one child, replaced and deleted", async () => {
  await withKeyring(async ({ store, calls }) => {
    await store.set(ACCOUNT, SECRET, bound);
    calls.length = 0;
    assert.equal(await store.get(ACCOUNT, bound), SECRET);
    assert.deepEqual(calls, ["secret-tool lookup"]);
    await store.set(ACCOUNT, "another", bound);
    assert.equal(await store.get(ACCOUNT, bound), "another");
    assert.equal(await store.delete(ACCOUNT, bound), true);
    assert.equal(await store.get(ACCOUNT, bound), undefined);
  });
});

Deno.test("accounts are kept apart, whatever characters they hold", async () => {
  const accounts = [
    "ada@example.com@api.datum.net",
    "ada@example.com@api.datum.net in /home/ada/dev é ü 日本 🗝",
    "a 'b' \"c\" \\ $HOME `id` %s *",
    "ada@example.com@localhost:8443",
    "--ada",
    "two\nlines",
  ];
  await withKeyring(async ({ store }) => {
    for (const [n, account] of accounts.slice(0, 4).entries()) await store.set(account, `secret-${n}`, bound);
    for (const [n, account] of accounts.slice(0, 4).entries()) {
      assert.equal(await store.get(account, bound), `secret-${n}`, account);
    }
    // No session is called so; what matters is that no option is smuggled in and nothing else is touched.
    await expectRejection(store.get("--ada", bound), "KEYRING_LOCKED");
    await store.set("two\nlines", "six", bound);
    assert.equal(await store.get("two\nlines", bound), "six");
  });
});

Deno.test("an item lies under service and account, with a label that a person recognizes", async () => {
  await withKeyring(async ({ store, keyring }) => {
    await store.set(ACCOUNT, SECRET, bound);
    const { stdout, stderr } = await run("secret-tool", ["search", "--all", "service", "datumctl"], {
      env: { ...keyring.env, LC_ALL: "C" },
    });
    assert.match(stdout, new RegExp(`^label = datumctl: ${ACCOUNT}$`, "m"));
    assert.match(stdout + stderr, new RegExp(`^attribute.account = ${ACCOUNT}$`, "m"));
    assert.equal(stdout.match(/^secret = /gm)?.length, 1);
  });
});

Deno.test("50 lookups at once all answer", async () => {
  await withKeyring(async ({ store }) => {
    await store.set(ACCOUNT, SECRET, bound);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => store.get(ACCOUNT, { timeout: 60_000 })),
    );
    assert.deepEqual(new Set(answers), new Set([SECRET]));
  });
});

Deno.test("no secret is in the argv or environment of a child", async () => {
  const keyring = await startKeyring();
  if (keyring === undefined) return;
  if (findProgram("strace", PATH) === undefined) {
    // deno-lint-ignore no-console
    console.error("skipped: no look at argv without strace");
    return await keyring.stop();
  }
  try {
    await inScratch(async (folder) => {
      const source = (name: string) => new URL(`../../src/${name}`, import.meta.url).href;
      await Deno.writeTextFile(
        `${folder}/main.ts`,
        `import { linuxStore } from "${source("keyring/linux.ts")}";
         import { run } from "${source("system/processes.ts")}";
         const secret = await new Response(Deno.stdin.readable).text();
         const store = linuxStore(run, ${JSON.stringify(keyring.env)});
         await store.set("ada", secret, { timeout: 60_000 });
         if (await store.get("ada", { timeout: 60_000 }) !== secret) throw new Error("not the same");
         await store.delete("ada", { timeout: 60_000 });`,
      );
      const { code, stderr } = await run("strace", [
        ...["-f", "-v", "-s", "65536", "-e", "trace=execve", "-o", `${folder}/trace`],
        ...[Deno.execPath(), "run", "-A", "--quiet", "--no-config", `${folder}/main.ts`],
      ], { env: { PATH, HOME: folder, DENO_DIR: `${folder}/deno` }, stdin: SECRET });
      assert.equal(code, 0, stderr);
      const trace = await Deno.readTextFile(`${folder}/trace`);
      for (const words of [`"store"`, `"lookup"`, `"clear"`]) assert(trace.includes(words), words);
      assert(!trace.includes(SECRET));
    });
  } finally {
    await keyring.stop();
  }
});

Deno.test("a name beyond ASCII is kept under its session's base32 id, and its label holds the name", async () => {
  await withKeyring(async ({ store, keyring, calls }) => {
    const name = "аня-李-नेहा@example.com@api.datum.net";
    await store.set(name, SECRET, bound);
    calls.length = 0;
    assert.equal(await store.get(name, bound), SECRET);
    assert.deepEqual(calls, ["secret-tool lookup"]);
    assert.equal(await store.get("Аня-李-नेहा@example.com@api.datum.net", bound), undefined);
    const { stdout, stderr } = await run("secret-tool", ["search", "--all", "service", "datumctl"], {
      env: { ...keyring.env, LC_ALL: "C", CHARSET: "UTF-8" },
    });
    assert.match(stdout + stderr, new RegExp(`^attribute.account = ${await fileNameOf(name)}$`, "m"));
    assert.match(stdout, new RegExp(`^label = datumctl: ${name}$`, "m"));
    assert.equal(await store.delete(name, bound), true);
    assert.equal(await store.get(name, bound), undefined);
  });
});

Deno.test("whether the keyring is locked is told by each program that can ask, and nobody is asked", async () => {
  await withKeyring(async ({ store, keyring }) => {
    assert.equal(await store.isLocked?.(bound), false);
    await store.set(ACCOUNT, SECRET, bound);
    await keyring.lock();
    assert.equal(await store.isLocked?.(bound), true);
    for (const program of ["busctl", "gdbus", "dbus-send", "none of them"]) {
      await inScratch(async (folder) => {
        for (const name of ["secret-tool", program]) {
          const path = findProgram(name, PATH);
          if (path !== undefined) await Deno.symlink(path, `${folder}/${name}`);
        }
        const alone = linuxStore(run, { ...keyring.env, PATH: folder });
        assert.equal(await alone.isLocked?.(bound), true, program);
      });
    }
  });
});

Deno.test("a keyring of which nothing tells whether it is locked is neither, and one that is not there is told of", async () => {
  await withTool("exit 0", async (_, folder) => {
    assert.equal(await linuxStore(run, { PATH: folder }).isLocked?.(bound), undefined);
  });
  await withTool(
    "echo 'secret-tool: Cannot autolaunch D-Bus without X11 $DISPLAY' >&2; exit 1",
    async (_, folder) => {
      const asked = linuxStore(run, { PATH: folder }).isLocked?.(bound);
      await expectRejection(asked ?? Promise.resolve(), { code: "KEYRING_LOCKED", says: /no D-Bus session/ });
    },
  );
  await inScratch(async (folder) => {
    const asked = linuxStore(run, { PATH: folder }).isLocked?.(bound);
    await expectRejection(asked ?? Promise.resolve(), { code: "KEYRING_LOCKED", says: /not installed/ });
  });
});

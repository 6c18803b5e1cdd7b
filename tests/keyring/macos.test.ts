/** Proves what macOS's `security` is sent: never the secret in its words, one command for one name. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { addCommand, encodeAccount, macosStore } from "../../src/keyring/macos.ts";
import { fileNameOf } from "../../src/sessions/name.ts";
import {
  ProgramNotFound,
  ProgramTimeout,
  type Run,
  run,
  type RunOptions,
  type RunResult,
} from "../../src/system/processes.ts";
import { type ExpectedError, expectError, expectRejection } from "../expect-error.ts";
import { RUNS } from "../fuzz.ts";

// `security` exists on macOS alone. What stands in for it here records what it is sent and answers with the exit
// codes of Apple's; that those are right is seen on a macOS runner only.

const bound = { timeout: 15_000 };
const ACCOUNT = "ada@example.com@api.datum.net";
const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

interface Call {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: RunOptions;
}

function standIn(...answers: (Partial<RunResult> | Error)[]) {
  const calls: Call[] = [];
  const run: Run = (command, args, options) => {
    calls.push({ command, args, options });
    const answer = answers.shift();
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ code: 0, stdout: "", stderr: "", elapsed: 5_000, ...answer });
  };
  return { store: macosStore(run, { HOME: "/Users/ada" }), calls };
}

Deno.test("a quiet look does not run security, which would open a window for a locked keychain", async () => {
  const { store, calls } = standIn();
  await expectRejection(store.get(ACCOUNT, { ...bound, quiet: true }), {
    code: "KEYRING_LOCKED",
    says: /keychain/,
  });
  assert.deepEqual(calls, []);
});

/** What `security -i` takes as commands: it reads 4,095 bytes at most, or to the end of a line. */
function commands(stdin: string): string[] {
  return stdin.match(/[^\n]{0,4094}\n|[^\n]{1,4095}/g) ?? [];
}

/** The words of a line as Apple's security.c splits it: blanks, both quotes, backslashes. */
function words(line: string): string[] {
  return [...line.trimEnd().matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) =>
    a ?? b ?? c ?? ""
  );
}

Deno.test("a locked keychain over SSH is KEYRING_LOCKED with the command that unlocks it", async () => {
  const mend: ExpectedError = { code: "KEYRING_LOCKED", says: /security unlock-keychain/ };
  await expectRejection(standIn({ code: 36 }).store.get(ACCOUNT, bound), mend);
  await expectRejection(standIn({ code: 36 }).store.delete(ACCOUNT, bound), mend);
  await expectRejection(standIn({ code: 36 }).store.set(ACCOUNT, SECRET, bound), mend);
  const reported = { code: 0, stderr: "add-generic-password: returned -25308\n" };
  await expectRejection(standIn(reported).store.set(ACCOUNT, SECRET, bound), mend);
});

Deno.test("exit 44 is a missing item, for get and delete", async () => {
  assert.equal(await standIn({ code: 44 }).store.get(ACCOUNT, bound), undefined);
  assert.equal(await standIn({ code: 44 }).store.delete(ACCOUNT, bound), false);
});

Deno.test("other failures are told apart, and none repeats the line that held the secret", async () => {
  const { store } = standIn(
    { code: 128 },
    { code: 37 },
    { code: 2, stderr: `security: usage: add-generic-password -w "${SECRET}"\n` },
    {
      code: 1,
      stderr: "security: SecKeychainItemCreateFromContent: A default keychain could not be found.\n",
    },
    new ProgramNotFound("/usr/bin/security", `"/usr/bin/security" is not installed`),
    new ProgramTimeout("/usr/bin/security", "too late"),
  );
  await expectRejection(store.get(ACCOUNT, bound), { code: "KEYRING_LOCKED", says: /declined/ });
  await expectRejection(store.set(ACCOUNT, SECRET, bound), {
    code: "KEYRING_UNAVAILABLE",
    says: /no default keychain/,
  });
  await expectRejection(store.set(ACCOUNT, SECRET, bound), {
    code: "KEYRING_UNAVAILABLE",
    says: /exit code 2/,
  });
  await expectRejection(store.set(ACCOUNT, SECRET, bound), {
    code: "KEYRING_UNAVAILABLE",
    says: /could not be found/,
  });
  await expectRejection(store.get(ACCOUNT, bound), { code: "KEYRING_LOCKED", says: /not installed/ });
  await expectRejection(store.get(ACCOUNT, bound), { code: "KEYRING_TIMEOUT", says: /15 s/ });
});

Deno.test("an account that would end the line or the word early is encoded, and stays one word", () => {
  const hostile = ['x" -w "y', "x\ndelete-keychain", "a\\", "é $HOME `id`", "%41", "it's"];
  for (const account of hostile) {
    const line = addCommand(account, SECRET);
    assert.equal(line.indexOf("\n"), line.length - 1);
    const name = encodeAccount(account);
    const expected = ["-U", "-s", "datumctl", "-a", name, "-l", `datumctl: ${name}`, "-w", SECRET];
    assert.deepEqual(words(line), ["add-generic-password", ...expected]);
    assert.equal(decodeURIComponent(name), account);
  }
  assert.equal(new Set(hostile.map(encodeAccount)).size, hostile.length);
});

Deno.test("whatever an account is called, it is one word of one command, and another account's never", () => {
  const letters = fc.constantFrom(
    ..."\"'\\\n\r\t\0 -;|&$`(){}<>*?~#!=%/@aZ9é🗝\ud800".split(""),
    "-w",
    "\n-",
    "' ",
    '" ',
  );
  const account = fc.oneof(
    fc.array(letters, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom("-w", "--", "-i", "delete-keychain", "-a", 'x"\ndelete-generic-password -s datumctl\n'),
  );
  fc.assert(
    fc.property(account, account, (one, other) => {
      const line = addCommand(one, SECRET);
      assert.deepEqual(commands(line), [line], "one command");
      assert.match(line, /^[\x20-\x7e]*\n$/);
      const name = encodeAccount(one);
      const expected = ["-U", "-s", "datumctl", "-a", name, "-l", `datumctl: ${name}`, "-w", SECRET];
      assert.deepEqual(words(line), ["add-generic-password", ...expected]);
      assert.equal(name === encodeAccount(other), one.toWellFormed() === other.toWellFormed());
    }),
    { numRuns: RUNS },
  );
});

Deno.test({
  name: "a program in the place of security sees the secret on its stdin alone",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const security = `${folder}/security`;
      // Its words and variables as the system shows them to everybody, and what only it can read.
      const script = `#!/bin/sh
{ printf 'argv:%s\\n' "$#"; printf '%s\\0' "$@"; env; } >> ${folder}/seen
cat >> ${folder}/stdin
[ "$1" = find-generic-password ] && echo ${SECRET}
exit 0
`;
      await Deno.writeTextFile(security, script, { mode: 0o700 });
      const store = macosStore((command, args, options) => {
        assert.equal(command, "/usr/bin/security");
        return run(security, args, options);
      }, { HOME: "/Users/ada" });
      const accounts = [
        ACCOUNT,
        'x" -w "y',
        "x\ndelete-keychain",
        "-w",
        "--",
        "$(id)",
        "`id`",
        "a;b",
        "a\\",
        "it's",
      ];
      let stdin = "";
      for (const account of accounts) {
        await store.set(account, SECRET, bound);
        stdin += addCommand(account, SECRET);
        assert.equal(await store.get(account, bound), SECRET);
        assert.equal(await store.delete(account, bound), true);
      }
      assert.equal(await Deno.readTextFile(`${folder}/stdin`), stdin);
      assert.equal(commands(stdin).length, accounts.length, "one command for each");
      const seen = await Deno.readTextFile(`${folder}/seen`);
      assert.ok(!seen.includes(SECRET), "in no argument and no variable");
      const counts = [...seen.matchAll(/^argv:(\d+)$/gm)].map(([, count]) => Number(count));
      assert.deepEqual(counts, accounts.flatMap(() => [1, 6, 5]), "no account became two words");
      for (const account of accounts) {
        const lookUp = ["find-generic-password", "-s", "datumctl", "-a", encodeAccount(account), "-w", ""];
        assert.ok(seen.includes(lookUp.join("\0")), account);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("a line of more than 4,095 bytes is refused before anything is run", async () => {
  const { store, calls } = standIn();
  const spare = 4095 - addCommand("", SECRET).length;
  assert.equal(addCommand("x".repeat(Math.floor(spare / 2)), SECRET).length <= 4095, true);
  const tooLong = "x".repeat(Math.floor(spare / 2) + 1);
  await expectRejection(store.set(tooLong, SECRET, bound), {
    code: "KEYRING_UNAVAILABLE",
    says: /--keyring file/,
  });
  assert.deepEqual(calls, []);
});

Deno.test("what is not base64url is refused before anything is run", async () => {
  const { store, calls } = standIn();
  await assert.rejects(store.set(ACCOUNT, "not printable \u0001", bound), TypeError);
  assert.deepEqual(calls, []);
});

Deno.test("the secret goes over stdin alone, in one line for security -i", async () => {
  const { store, calls } = standIn();
  await store.set(ACCOUNT, SECRET, bound);
  const label = `datumctl: ${ACCOUNT}`;
  assert.deepEqual(calls, [{
    command: "/usr/bin/security",
    args: ["-i"],
    options: {
      env: { HOME: "/Users/ada", LC_ALL: "C" },
      timeout: 15_000,
      stdin: `add-generic-password -U -s datumctl -a "${ACCOUNT}" -l "${label}" -w "${SECRET}"\n`,
      signal: undefined,
    },
  }]);
});

Deno.test("get takes the secret from stdout, delete tells that there was one; neither needs stdin", async () => {
  const { store, calls } = standIn({ stdout: `${SECRET}\n` }, { stdout: "password has been deleted.\n" });
  assert.equal(await store.get(ACCOUNT, bound), SECRET);
  assert.equal(await store.delete(ACCOUNT, bound), true);
  assert.deepEqual(calls.map(({ args }) => args), [
    ["find-generic-password", "-s", "datumctl", "-a", ACCOUNT, "-w"],
    ["delete-generic-password", "-s", "datumctl", "-a", ACCOUNT],
  ]);
  assert(calls.every(({ options }) => options.stdin === undefined));
});

Deno.test("a writer that lost the race for a new item updates it, within the same bound", async () => {
  const { store, calls } = standIn({ code: 0, stderr: "add-generic-password: returned -25299\n" }, {});
  await store.set(ACCOUNT, SECRET, bound);
  assert.deepEqual(calls.map(({ options }) => options.timeout), [15_000, 10_000]);
  await expectRejection(standIn({ code: 45 }, { code: 45 }).store.set(ACCOUNT, SECRET, bound), {
    code: "KEYRING_UNAVAILABLE",
    says: /exit code 45/,
  });
});

Deno.test("a name beyond ASCII is kept under its session's base32 id, which its label tells the name of", async () => {
  const { store, calls } = standIn({}, { stdout: `${SECRET}\n` }, {});
  const name = "аня-李@example.com@api.datum.net";
  await store.set(name, SECRET, bound);
  await store.get(name, bound);
  await store.delete(name, bound);
  const id = await fileNameOf(name);
  assert.deepEqual(words(String(calls[0]?.options.stdin)), [
    ...["add-generic-password", "-U", "-s", "datumctl", "-a", id],
    ...["-l", `datumctl: ${name}`, "-w", SECRET],
  ]);
  assert.deepEqual(calls.slice(1).map(({ args }) => args.slice(0, 5)), [
    ["find-generic-password", "-s", "datumctl", "-a", id],
    ["delete-generic-password", "-s", "datumctl", "-a", id],
  ]);
  await expectRejection(standIn({ code: 36 }).store.get(name, bound), {
    code: "KEYRING_LOCKED",
    says: /аня-李@example\.com/,
  });
});

Deno.test("a label keeps its letters and is still one word of one line of 4,095 bytes", () => {
  const label = `аня" -w "x' in /home/а\\b\n$HOME`;
  const line = addCommand("abcdefghijklmnop", SECRET, label);
  assert.deepEqual(commands(line), [line], "one command");
  assert.deepEqual(words(line).slice(5, 8), [
    "abcdefghijklmnop",
    "-l",
    "datumctl: аня%22 -w %22x%27 in /home/а%5Cb%0A%24HOME",
  ]);
  expectError(() => addCommand("abcdefghijklmnop", SECRET, "李".repeat(1_400)), {
    code: "KEYRING_UNAVAILABLE",
    says: /so long a name/,
  });
});

import assert from "node:assert/strict";
import { AppError, type ErrorCode } from "../../src/errors.ts";
import { addCommand, encodeAccount, macosStore } from "../../src/keyring/macos.ts";
import {
  ProgramNotFound,
  ProgramTimeout,
  type Run,
  type RunOptions,
  type RunResult,
} from "../../src/system/processes.ts";

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

function failsWith(code: ErrorCode, pattern: RegExp) {
  return (error: unknown) => {
    assert(error instanceof AppError, String(error));
    const words = `${error.message}\n${error.hint}`;
    assert.equal(error.code, code, words);
    assert.match(words, pattern);
    assert(!words.includes(SECRET), words);
    return true;
  };
}

/** The words of a line as Apple's security.c splits it: blanks, both quotes, backslashes. */
function words(line: string): string[] {
  return [...line.trimEnd().matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) =>
    a ?? b ?? c ?? ""
  );
}

Deno.test("a locked keychain over SSH is KEYRING_LOCKED with the command that unlocks it", async () => {
  const mend = failsWith("KEYRING_LOCKED", /security unlock-keychain/);
  await assert.rejects(standIn({ code: 36 }).store.get(ACCOUNT, bound), mend);
  await assert.rejects(standIn({ code: 36 }).store.delete(ACCOUNT, bound), mend);
  await assert.rejects(standIn({ code: 36 }).store.set(ACCOUNT, SECRET, bound), mend);
  const reported = { code: 0, stderr: "add-generic-password: returned -25308\n" };
  await assert.rejects(standIn(reported).store.set(ACCOUNT, SECRET, bound), mend);
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
  await assert.rejects(store.get(ACCOUNT, bound), failsWith("KEYRING_LOCKED", /declined/));
  await assert.rejects(
    store.set(ACCOUNT, SECRET, bound),
    failsWith("KEYRING_UNAVAILABLE", /no default keychain/),
  );
  await assert.rejects(store.set(ACCOUNT, SECRET, bound), failsWith("KEYRING_UNAVAILABLE", /exit code 2/));
  await assert.rejects(
    store.set(ACCOUNT, SECRET, bound),
    failsWith("KEYRING_UNAVAILABLE", /could not be found/),
  );
  await assert.rejects(store.get(ACCOUNT, bound), failsWith("KEYRING_LOCKED", /not installed/));
  await assert.rejects(store.get(ACCOUNT, bound), failsWith("KEYRING_TIMEOUT", /15 s/));
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

Deno.test("a line of more than 4,095 bytes is refused before anything is run", async () => {
  const { store, calls } = standIn();
  const spare = 4095 - addCommand("", SECRET).length;
  assert.equal(addCommand("x".repeat(Math.floor(spare / 2)), SECRET).length <= 4095, true);
  const tooLong = "x".repeat(Math.floor(spare / 2) + 1);
  await assert.rejects(store.set(tooLong, SECRET, bound), failsWith("KEYRING_UNAVAILABLE", /--keyring file/));
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
  await assert.rejects(
    standIn({ code: 45 }, { code: 45 }).store.set(ACCOUNT, SECRET, bound),
    failsWith("KEYRING_UNAVAILABLE", /exit code 45/),
  );
});

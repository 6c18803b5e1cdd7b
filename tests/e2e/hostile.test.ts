/** Proves, row by row with the compiled binary, that a hostile issuer gets nothing stored and nothing past the screen. */

import assert from "node:assert/strict";
import { type ErrorCode } from "../../src/errors.ts";
import { approveDeviceByHttp, authorizeByHttp } from "../cloud/browser.ts";
import { printedError } from "../expect-error.ts";
import { HOSTILE, type HostilePart, type HostileRow, type Meeting } from "./hostile-rows.ts";
import { type Finished, openWorld, type Running, type World } from "./world.ts";

const ADA = "ada@example.com";
const MOST_SENT = 24_000_000; // what the buffers between the two hold in three requests, with room
const MOST_MEMORY = 64_000_000; // more than an honest sign-in takes
const LONGEST = 30_000;

/** Short where waiting in vain is the point; else long enough for an issuer that makes a key on a busy machine. */
function patience(row?: HostileRow): string {
  const { result } = row ?? {};
  const inVain = result !== undefined && "code" in result && ["NETWORK", "TIMEOUT"].includes(result.code);
  return inVain ? "3s" : "15s";
}

/** What an attempt left: the program's end, and what the browser showed where it came that far. */
interface Outcome {
  readonly finished: Finished;
  readonly page?: { readonly status: number; readonly text: string } | undefined;
  /** The most memory that the program ever took, in bytes; 0 where nobody tells. */
  readonly memory: number;
}

type Attempt = (world: World, row?: HostileRow) => Promise<Outcome>;

const ATTEMPTS: Readonly<Record<Meeting, Attempt>> = {
  "sign-in": async (world, row) => {
    const timedOut = row !== undefined && "code" in row.result && row.result.code === "TIMEOUT";
    const login = world.startLogin([
      "-v",
      "--timeout",
      timedOut ? "4s" : "20s",
      "--request-timeout",
      patience(row),
      "--error-format",
      "json",
    ]);
    const memory = mostMemory(login);
    const page = await login.address.then((address) => comeBack(world, address, row?.twice ? 2 : 1)).catch(
      () => undefined, // it ended before the person came to the browser
    );
    return { finished: await login.finished, memory: await memory, page };
  },
  device: async (world, row) => {
    const flags = [
      "--no-browser",
      "-v",
      "--timeout",
      patience(row) === "3s" ? "8s" : "20s",
      "--request-timeout",
      patience(row),
      "--error-format",
      "json",
    ];
    const login = world.startLogin(flags);
    const memory = mostMemory(login);
    await login.address.then((address) => approveDeviceByHttp(world.cloud, address, ADA)).catch(() => {});
    return { finished: await login.finished, memory: await memory };
  },
  refresh: async (world, row) => {
    const flags = ["--force-refresh", "-v", "--request-timeout", patience(row), "--error-format", "json"];
    const running = world.start(world.binary, ["auth", "get-token", ...flags]);
    const memory = mostMemory(running);
    return { finished: await running.finished, memory: await memory };
  },
  logout: async (world, row) => {
    const running = world.start(world.binary, [
      "logout",
      "-v",
      "--request-timeout",
      patience(row),
      "--error-format",
      "json",
    ]);
    const memory = mostMemory(running);
    return { finished: await running.finished, memory: await memory };
  },
};

/** Those that need somebody who is signed in. */
const NEED_SESSION: readonly Meeting[] = ["refresh", "logout"];

/** The person signs in and their browser comes back, so many times at once; of the pages that of success, if any. */
async function comeBack({ cloud }: World, address: string, times: number): Promise<Outcome["page"]> {
  const redirect = await authorizeByHttp(cloud, address, ADA);
  const pages = await Promise.all(Array.from({ length: times }, async () => {
    const response = await fetch(redirect);
    return { status: response.status, text: await response.text() };
  }));
  assert.ok(pages.filter(({ text }) => SUCCESS.test(text)).length <= 1, "one success at most");
  return pages.sort((a, b) => a.status - b.status)[0];
}

const SUCCESS = /you are signed in/i;

async function mostMemory({ pid, finished }: Running): Promise<number> {
  let most = 0;
  let over = false;
  finished.finally(() => (over = true)).catch(() => {});
  while (!over && Deno.build.os === "linux") {
    const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
    most = Math.max(most, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return most;
}

/** What a terminal obeys, or what reorders and hides text; all but a line's end. */
const ESCAPED = /[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/u;

/** Nothing that a person or program reads of us obeys the issuer, or tells a secret. */
function assertHarmless(world: World, texts: Readonly<Record<string, string>>): void {
  const secrets = world.cloud.secrets().filter(({ kind, value }) =>
    kind !== "state" && kind !== "nonce" && /^[\x21-\x7e]{16,}$/.test(value)
  );
  for (const [where, text] of Object.entries(texts)) {
    assert.doesNotMatch(text, ESCAPED, where);
    assert.doesNotMatch(text, /^error: forged/m, where);
    for (const { kind, value } of secrets) assert.ok(!text.includes(value), `${where} holds a ${kind}`);
  }
}

/**
 * The session files, the keys and the configuration, by path; no locks, for those may stay, and not that the issuer
 * refused to renew a session.
 */
async function stored(world: World): Promise<Record<string, unknown>> {
  const paths = (await world.files()).filter((path) => !/\.lock$|\/\.gitignore$/.test(path));
  const read = async (path: string): Promise<unknown> => {
    const text = await Deno.readTextFile(path);
    if (!path.endsWith(".json")) return text;
    const { renewalRefused: _, ...rest } = JSON.parse(text);
    return rest;
  };
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await read(path)])));
}

/** Everything else that speaks of the session afterwards. */
async function spokenOf(world: World): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  for (
    const words of [
      ["whoami"],
      ["whoami", "-o", "json"],
      ["whoami", "-o", "yaml"],
      ["auth", "list"],
      ["auth", "list", "-o", "wide"],
      ["auth", "list", "-o", "json"],
      ["auth", "get-token", "--claims"],
      ["auth", "get-token", "--claims", "--token", "id"],
    ]
  ) {
    const { stdout, stderr } = await world.datumctl(words);
    said[words.join(" ")] = stdout + stderr;
  }
  return said;
}

interface Stage {
  readonly world: World;
  readonly meeting: Meeting;
  /** What an honest attempt takes at most. */
  readonly memory: number;
}

async function meet({ world, meeting, memory }: Stage, row: HostileRow): Promise<void> {
  const { faults, result, signedInBefore, keepsCode } = row;
  const { cloud } = world;
  await cloud.setFaults({});
  if (NEED_SESSION.includes(meeting) || signedInBefore) assert.equal((await world.login(ADA)).code, 0);
  if (signedInBefore) await world.ok(["logout"]);
  const before = await stored(world);
  cloud.resetCounts();
  await cloud.setFaults(faults);
  const outcome = await ATTEMPTS[meeting](world, row);
  const { finished, page } = outcome;

  assert.ok(finished.took < LONGEST, `it took ${finished.took} ms`);
  assert.ok((cloud.counts().sent ?? 0) < MOST_SENT, `${cloud.counts().sent} bytes were read`);
  assert.ok(outcome.memory < memory + MOST_MEMORY, `it took ${outcome.memory} bytes, honestly ${memory}`);
  const sent = cloud.counts()["token:authorization_code"] ?? 0;
  assert.ok(sent <= (keepsCode ? 0 : 1), `the code was sent ${sent} times`);
  const success = SUCCESS.test(page?.text ?? "");
  if ("accepted" in result) {
    assert.equal(finished.code, 0, finished.stderr);
    if (meeting === "sign-in") assert.ok(success, "the page of success");
    const stdout = meeting === "refresh" ? "" : finished.stdout; // there it is the token
    assertHarmless(world, {
      stdout,
      stderr: finished.stderr,
      page: page?.text ?? "",
      ...await spokenOf(world),
    });
    if (meeting === "refresh") await refreshesAgain(world);
    else await world.ok(["logout"]);
    return;
  }
  const { message } = printedError(finished, { code: result.code, message: result.says });
  assert.equal(success, false);
  assertHarmless(world, { stdout: finished.stdout, stderr: finished.stderr, page: page?.text ?? "" });
  if (meeting === "logout") {
    assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n", "signed out here all the same");
    return;
  }
  assert.equal(finished.stdout, "");
  if (!result.keeps) assert.deepEqual(await stored(world), before, "nothing is stored");
  if (meeting !== "refresh") return;
  assert.ok(message.includes(`session "${ADA}@`), message);
  if (result.keeps) {
    await cloud.setFaults({});
    await refreshesAgain(world);
  }
  if (row.what.startsWith("escape sequences")) await assertHarmlessToKubectl(world, result.code);
}

/** As kubectl asks, for more life than the token has left; twice, so that the second hears it from memory. */
async function assertHarmlessToKubectl(world: World, reason: ErrorCode): Promise<void> {
  const { counts } = world.cloud;
  for (const asked of [1, 0]) {
    const before = counts().token ?? 0;
    const args = ["auth", "get-token", "--output=client.authentication.k8s.io/v1", "--min-ttl", "2h"];
    const { stdout, stderr } = await world.datumctl(args);
    assert.equal((counts().token ?? 0) - before, asked);
    assert.equal(JSON.parse(stdout).reason, reason);
    assertHarmless(world, { stdout, message: JSON.parse(stdout).message, stderr });
  }
}

/** Where the issuer goes on as it does, so does the session. */
async function refreshesAgain(world: World): Promise<void> {
  assert.match(await world.ok(["auth", "get-token", "--force-refresh"]), /^[\x21-\x7e]+\n$/);
}

/** What makes one world serve for one part's rows: how the issuer is set up. */
function setUps({ rows }: HostilePart): Map<string, HostileRow[]> {
  return Map.groupBy(rows, ({ cloud }) => JSON.stringify(cloud ?? {})) as Map<string, HostileRow[]>;
}

for (const part of HOSTILE) {
  Deno.test(`a hostile issuer: ${part.heading.toLowerCase()}`, async (t) => {
    for (const [, rows] of setUps(part)) {
      await using world = await openWorld({ cloud: rows[0]?.cloud ?? {} });
      assert.ok(world !== undefined);
      if (NEED_SESSION.includes(part.meeting)) assert.equal((await world.login(ADA)).code, 0);
      const honest = await ATTEMPTS[part.meeting](world);
      assert.equal(honest.finished.code, 0, honest.finished.stderr);
      if (part.meeting !== "logout") await world.ok(["logout"]);
      for (const row of rows) {
        await t.step(row.what, () => meet({ world, meeting: part.meeting, memory: honest.memory }, row));
      }
    }
  });
}

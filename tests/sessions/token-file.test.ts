/** Proves that a token file always holds a token that is good for a while, whatever clock, issuer and session do. */

import assert from "node:assert/strict";
import { freshToken } from "../../src/sessions/fresh-token.ts";
import { openTokenFile, shortLife, type TokenFile } from "../../src/sessions/token-file.ts";
import type { TokenRequest } from "../../src/sessions/token.ts";
import { expectRejection } from "../expect-error.ts";
import { assertMissing, modeOf, namesIn } from "../scratch.ts";
import { BOUND, openSandbox, type Sandbox, type SessionOptions } from "./sandbox.ts";

const MINUTE = 60_000;

/** A token file in time that passes when somebody waits, and not otherwise. */
interface Stage extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly file: TokenFile;
  readonly path: string;
  readonly warnings: string[];
  readonly name: string;
  /** Called at each moment; `stop` ends the renewing. */
  at: (passed: number, stop: () => void) => unknown;
  /** Renews until `at` stops it. */
  maintain: TokenFile["maintain"] extends (signal: AbortSignal, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never;
  /** The seconds that what a reader finds will last; fails when it is no whole token. */
  left(): Promise<number>;
}

async function openStage(
  life: number,
  { session = {}, request = {}, mode, outage = false }: {
    readonly session?: SessionOptions;
    readonly request?: TokenRequest;
    readonly mode?: number;
    readonly outage?: boolean;
  } = {},
): Promise<Stage> {
  const sandbox = await openSandbox();
  const { issuer } = sandbox;
  issuer.accessLife = life;
  const start = sandbox.time;
  const { session: { name } } = await sandbox.add(session);
  const ends = new Map([["access-0", start + life * 1000]]);
  issuer.respond = () => {
    ends.set(`access-${ends.size}`, sandbox.time + (issuer.accessLife ?? 0) * 1000);
    return undefined;
  };
  if (outage) issuer.respond = down;
  const stopped = new AbortController();
  const warnings: string[] = [];
  const store = sandbox.store.with({
    host: {
      ...sandbox.store.host,
      random: () => 0.5,
      async sleep(milliseconds, signal) {
        signal?.throwIfAborted();
        sandbox.time += milliseconds;
        await stage.at(sandbox.time - start, () => stopped.abort());
        signal?.throwIfAborted();
      },
    },
  });
  await Deno.mkdir(`${sandbox.folder}/out`);
  const path = `${sandbox.folder}/out/token`;
  const stored = await store.read(name) ?? assert.fail();
  const file = await openTokenFile({
    path,
    mode,
    store,
    session: stored,
    request,
    limits: () => sandbox.bound(),
    warn: (text) => warnings.push(text),
  });
  const stage: Stage = {
    sandbox,
    file,
    path,
    warnings,
    name,
    at: () => {},
    maintain: (onEnd) => file.maintain(stopped.signal, onEnd),
    async left() {
      // The time may pass while a reader reads.
      const now = sandbox.time;
      const token = await Deno.readTextFile(path);
      const end = ends.get(token) ?? assert.fail(`"${token}" is no token`);
      return (end - now) / 1000;
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
  return stage;
}

const down = () => new Response("down", { status: 503 });

/** Stops when that much time has passed. */
const until = (most: number): Stage["at"] => (passed, stop) => passed >= most ? stop() : undefined;

/** Signs the session out. */
async function signOut({ sandbox: { store }, name }: Stage): Promise<void> {
  using _lock = await store.lock(name);
  await store.remove(await store.read(name) ?? assert.fail(), BOUND);
}

for (const [life, least] of [[300, 90], [180, 90], [60, 30], [10, 5]] as const) {
  Deno.test(`of tokens that last ${life} s, a reader that reads all the time finds ${least} s, 100 times renewed`, async () => {
    await using stage = await openStage(life);
    let reading = true;
    let reads = 0;
    let fewest = Infinity;
    const reader = (async () => {
      for (; reading; reads++) {
        fewest = Math.min(fewest, await stage.left());
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    stage.at = async (_, stop) => {
      fewest = Math.min(fewest, await stage.left());
      if (stage.sandbox.issuer.refreshToken === "refresh-100") stop();
    };
    await stage.maintain();
    reading = false;
    await reader;
    assert.ok(fewest >= least, `${fewest} s were left`);
    assert.ok(reads > 100, `${reads} reads`);
    assert.deepEqual(await namesIn(`${stage.sandbox.folder}/out`), ["token"]);
    assert.equal(await modeOf(stage.path), 0o600);
  });
}

Deno.test("an issuer that is down for a minute is waited for, with fewer and fewer questions", async () => {
  await using stage = await openStage(300);
  const { issuer } = stage.sandbox;
  const works = issuer.respond;
  let asked = 0;
  let fewest = Infinity;
  stage.at = async (passed, stop) => {
    const outage = passed >= 2 * MINUTE && passed < 3.5 * MINUTE;
    issuer.respond = outage ? () => (asked++, down()) : works;
    fewest = Math.min(fewest, await stage.left());
    if (passed > 20 * MINUTE) stop();
  };
  await stage.maintain();
  assert.ok(asked > 2 && asked < 40, `asked ${asked} times`);
  assert.ok(fewest > 30, `${fewest} s were left`);
  assert.ok(await stage.left() > 140);
  assert.deepEqual(stage.warnings, []);
});

Deno.test("an outage that outlasts the token removes the file before it ends, and is NETWORK", async () => {
  await using stage = await openStage(300);
  stage.sandbox.issuer.respond = down;
  let passed = 0;
  stage.at = async (now) => {
    passed = now;
    if (now >= 5 * MINUTE) await assertMissing(stage.path);
  };
  await expectRejection(stage.maintain(), "NETWORK");
  await assertMissing(stage.path);
  assert.ok(passed >= 4.9 * MINUTE && passed < 6 * MINUTE, `${passed}`);
});

Deno.test("a machine that slept past the token's end: no old token at the first look, a new one soon", async () => {
  await using stage = await openStage(3600);
  const { sandbox } = stage;
  const works = sandbox.issuer.respond;
  let slept = 0;
  stage.at = (passed, stop) => {
    if (slept === 0) {
      slept = sandbox.time += 8 * 60 * MINUTE;
      // The network comes up some seconds later.
      sandbox.issuer.respond = down;
    } else if (sandbox.time > slept + 8_000) sandbox.issuer.respond = works;
    if (passed > 8 * 60 * MINUTE + MINUTE) stop();
  };
  await stage.maintain();
  assert.ok(await stage.left() > 3500);
});

Deno.test("a clock that is set back: the token's own times are trusted no more", async () => {
  await using stage = await openStage(3600);
  const { sandbox } = stage;
  stage.at = (passed, stop) => {
    if (passed === 60_000) sandbox.time -= 60 * MINUTE;
    if (passed > 0 && passed < 60_000 && sandbox.issuer.refreshToken !== "refresh-0") stop();
    if (passed < -58 * MINUTE) stop();
  };
  await stage.maintain();
  assert.equal(sandbox.issuer.refreshToken, "refresh-1");
  assert.equal(await Deno.readTextFile(stage.path), "access-1");
});

Deno.test("a token that another process got is taken over, and the issuer not asked", async () => {
  await using stage = await openStage(3600);
  const { sandbox: { store, issuer, bound }, name } = stage;
  stage.at = async (passed, stop) => {
    if (passed === 60_000) {
      await freshToken(store, await store.read(name) ?? assert.fail(), { force: true }, bound());
    }
    if (passed >= 90_000) stop();
  };
  await stage.maintain();
  assert.equal(await Deno.readTextFile(stage.path), "access-1");
  assert.equal(issuer.requests.filter((path) => path === "/token").length, 1);
});

Deno.test("a session that is signed out takes the file along within ten seconds: exit code 4", async () => {
  await using stage = await openStage(3600);
  let out = 0;
  stage.at = async (passed) => {
    if (passed < MINUTE || out > 0) return;
    out = passed;
    await signOut(stage);
  };
  const error = await expectRejection(stage.maintain(), "NOT_SIGNED_IN");
  assert.equal(error.exitCode, 4);
  await assertMissing(stage.path);
});

Deno.test("a session that the issuer ends takes the file along at once: exit code 4", async () => {
  await using stage = await openStage(300);
  stage.sandbox.issuer.refreshToken = "another";
  const error = await expectRejection(stage.maintain(), "SESSION_EXPIRED");
  assert.equal(error.exitCode, 4);
  await assertMissing(stage.path);
});

Deno.test("a session without a refresh token: its token to the end, then none", async () => {
  await using stage = await openStage(300, { session: { credentials: { refreshToken: undefined } } });
  stage.at = async (passed) => {
    if (passed < 5 * MINUTE - 5_000) assert.ok(await stage.left() > 0);
  };
  await expectRejection(stage.maintain(), "SESSION_EXPIRED");
  await assertMissing(stage.path);
  assert.equal(stage.warnings.length, 1, `${stage.warnings}`);
  assert.match(stage.warnings[0] ?? "", /^No further token comes for the session/);
});

Deno.test("somebody else who signs in under that name gives the file nothing", async () => {
  await using stage = await openStage(3600);
  stage.at = async (passed) => {
    if (passed !== 10_000) return;
    await signOut(stage);
    await stage.sandbox.add({ name: stage.name, subject: "2" });
  };
  const error = await expectRejection(stage.maintain(), "NOT_SIGNED_IN");
  assert.match(error.message, /somebody else's/);
  await assertMissing(stage.path);
});

Deno.test("a server that the session is not for any more gets no further token", async () => {
  let served = true;
  const accept = () => assert.ok(served, "not for this server");
  await using stage = await openStage(300, { request: { accept } });
  served = false;
  await assert.rejects(stage.maintain(), /not for this server/);
});

Deno.test("where nothing may end it, it tells each end once, and a new sign-in fills the file again", async () => {
  await using stage = await openStage(300);
  const { sandbox } = stage;
  sandbox.issuer.refreshToken = "another";
  const told: string[] = [];
  stage.at = async (passed, stop) => {
    if (passed >= 30 * MINUTE && told.length === 1) {
      const asked = sandbox.issuer.requests.filter((path) => path === "/token").length;
      assert.equal(asked, 1, "a refused session is not asked for again");
      told.push("signs in");
      await sandbox.add({ name: stage.name });
    }
    if (passed >= 32 * MINUTE) stop();
  };
  await stage.maintain(({ code }) => told.push(code));
  assert.deepEqual(told, ["SESSION_EXPIRED", "signs in"]);
  assert.match(await Deno.readTextFile(stage.path), /^access-\d$/);
});

Deno.test("what another program wrote is not removed; a file that is gone is written again", async () => {
  await using stage = await openStage(3600);
  stage.at = until(20_000);
  await Deno.remove(stage.path);
  await stage.maintain();
  assert.equal(await Deno.readTextFile(stage.path), "access-0");
  await Deno.writeTextFile(stage.path, "theirs");
  await stage.file.remove();
  assert.equal(await Deno.readTextFile(stage.path), "theirs");
});

Deno.test("a folder that cannot be written for a while is waited for; the next token is asked for once", async () => {
  await using stage = await openStage(300);
  const { sandbox: { folder, issuer } } = stage;
  let asked = 0;
  stage.at = async (passed, stop) => {
    if (passed === 2 * MINUTE) await Deno.rename(`${folder}/out`, `${folder}/away`);
    if (passed > 3.5 * MINUTE && asked === 0) {
      // Even while it cannot be written, the next one is taken in time.
      asked = issuer.requests.filter((path) => path === "/token").length;
      await Deno.rename(`${folder}/away`, `${folder}/out`);
    }
    if (passed > 4.5 * MINUTE) stop();
  };
  await stage.maintain();
  assert.equal(asked, 1);
  assert.equal(await Deno.readTextFile(stage.path), "access-1");
});

Deno.test("a folder that cannot be written until the token has ended ends the renewing: STORAGE", async () => {
  await using stage = await openStage(300);
  stage.at = async (passed) => {
    if (passed === 2 * MINUTE) await Deno.remove(`${stage.sandbox.folder}/out`, { recursive: true });
  };
  await expectRejection(stage.maintain(), "STORAGE");
});

Deno.test("the file has the mode that was asked for, after a renewal too", async () => {
  await using stage = await openStage(300, { mode: 0o640 });
  assert.equal(await modeOf(stage.path), 0o640);
  stage.at = until(4 * MINUTE);
  await stage.maintain();
  assert.equal(await Deno.readTextFile(stage.path), "access-1");
  assert.equal(await modeOf(stage.path), 0o640);
});

Deno.test("a token that is nearly over is renewed before it is written; in an outage it is written as it is", async () => {
  const credentials = { received: Date.now() - 3_470_000, accessTokenExpires: Date.now() + 130_000 };
  for (const outage of [false, true]) {
    await using stage = await openStage(3600, { session: { credentials }, outage });
    assert.equal(await Deno.readTextFile(stage.path), outage ? "access-0" : "access-1");
  }
});

Deno.test("a life under three minutes is worth a warning", () => {
  const token = { token: "t", kind: "access", issued: 0 } as const;
  assert.equal(shortLife({ ...token, expires: 180_000 }), undefined);
  assert.match(shortLife({ ...token, expires: 179_000 }) ?? "", /last 3 min\./);
});

/** Proves when kubectl's plugin asks its person, and for how long nobody is asked again. */

import assert from "node:assert/strict";
import { signInFromPlugin } from "../../src/plugin/sign-in.ts";
import { AppError } from "../../src/errors.ts";
import type { TerminalUse } from "../../src/system/terminal-use.ts";
import { acquireLock } from "../../src/system/locks.ts";
import { startCloud } from "../cloud/cloud.ts";
import { expectRejection } from "../expect-error.ts";
import { openSandbox } from "../sessions/sandbox.ts";
import { CLOUDS } from "../clouds.ts";
import { until } from "../until.ts";

const MINUTE = 60_000;
const EXPIRED = new AppError("SESSION_EXPIRED", "The session has expired.");

/** A session whose person never comes, and the plugin's attempts to ask them. */
interface Stage {
  readonly name: string;
  /** The file that notes the last attempt. */
  readonly note: string;
  time: number;
  /** One attempt; `mended` says that somebody else has signed in meanwhile. */
  attempt(mended?: boolean, longest?: number): Promise<string>;
  /** What the issuer's discovery answers from now on. */
  answer(status: number, json?: unknown): Promise<void>;
  /** Sign-ins that were begun, by the addresses that were shown. */
  readonly asked: () => number;
  /** All that went to standard error. */
  readonly said: readonly string[];
  /** Who uses the terminal from now on. */
  use(use: TerminalUse): void;
}

async function withStage(
  test: (stage: Stage) => Promise<void>,
  browserCommand = "true",
): Promise<void> {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  const hosts = { authHost: cloud.authHost, apiHost: cloud.apiHost, clientId: cloud.clientId };
  const certificateAuthority = cloud.caPem;
  const signIn = { browserCommand };
  const { session: { name } } = await sandbox.add({
    session: { ...hosts, issuer: cloud.issuer, certificateAuthority, signIn },
    credentials: {
      clientId: cloud.clientId,
      apiHost: cloud.apiHost,
      metadata: { ...sandbox.issuer.metadata, issuer: cloud.issuer },
      certificateAuthority,
      signIn,
    },
  });
  const said: string[] = [];
  let terminal: TerminalUse = { raw: false, elsewhere: false };
  await test({
    name,
    said,
    use(use) {
      terminal = use;
    },
    note: (await sandbox.store.paths(name)).signIn,
    get time() {
      return sandbox.time;
    },
    set time(time) {
      sandbox.time = time;
    },
    attempt: (mended = false, longest = 400) =>
      signInFromPlugin(name, EXPIRED, {
        store: sandbox.store,
        providers: CLOUDS,
        env: () => undefined,
        terminalUse: () => Promise.resolve(terminal),
        canAsk: true,
        writeErr: (text) => said.push(text),
        longest,
      }, () => mended ? Promise.resolve("a token") : Promise.reject(EXPIRED)),
    answer: (status, json) =>
      cloud.setFaults({ discovery: { status, ...json === undefined ? {} : { json } } }),
    asked: () => said.filter((text) => text.startsWith("The session of ")).length,
  });
}

Deno.test("a person who never comes ends in TIMEOUT, and nobody is asked again for a minute", async () => {
  await withStage(async (stage) => {
    const error = await expectRejection(stage.attempt(), {
      code: "TIMEOUT",
      hint:
        /^If the browser showed an error, check .+ client id ".+", and that http:.+ is registered there as its redirect URI\. /,
    });
    assert.ok(error.hint?.endsWith(` Sign in by hand: datumctl login --profile ${stage.name}`));
    assert.equal(stage.asked(), 1);
    for (const later of [0, 30_000, MINUTE - 30_000 - 1]) {
      stage.time += later;
      await expectRejection(stage.attempt(), {
        code: "SESSION_EXPIRED",
        message: /A sign-in failed or was abandoned \d+ s ago/,
        hint: `Sign in by hand: datumctl login --profile ${stage.name}`,
      });
    }
    assert.equal(stage.asked(), 1);
    stage.time += 1;
    await expectRejection(stage.attempt(), "TIMEOUT");
    assert.equal(stage.asked(), 2);
    stage.time -= MINUTE;
    await expectRejection(stage.attempt(), "TIMEOUT");
    assert.equal(stage.asked(), 3, "a clock that was set back locks nobody out");
  });
});

Deno.test("what the issuer refuses is told with the line that signs in by hand: nobody typed one", async () => {
  await withStage(async (stage) => {
    await stage.answer(200, { issuer: "https://stranger.example" });
    await expectRejection(stage.attempt(), {
      code: "ISSUER_ERROR",
      hint: "Check the issuer's address, byte for byte, with whoever runs it. " +
        `Sign in by hand: datumctl login --profile ${stage.name}`,
    });
  });
});

Deno.test("who comes late, when somebody has signed in already, asks nobody", async () => {
  await withStage(async (stage) => {
    assert.equal(await stage.attempt(true), "a token");
    assert.equal(stage.asked(), 0);
    await expectRejection(stage.attempt(), "TIMEOUT");
    assert.equal(await stage.attempt(true), "a token", "in a cool-down, too");
  });
});

Deno.test("who waited for a sign-in that was killed after minutes does not begin the next one", async () => {
  await withStage(async (stage) => {
    const begun = JSON.stringify({ at: stage.time - 4 * MINUTE, ended: false });
    await Deno.writeTextFile(stage.note, begun);
    const lock = await acquireLock(`${stage.note}.lock`, { timeout: 0, guards: "the test" });
    const waits = () => expectRejection(stage.attempt(false, MINUTE), "SESSION_EXPIRED");
    const waiting = [waits(), waits()];
    const told = () => stage.said.filter((text) => text.startsWith("Waiting for the sign-in")).length;
    await until(() => told() >= 2, "two notices");
    lock.release();
    for (const error of await Promise.all(waiting)) assert.match(error.message, /abandoned 0 s ago/);
    assert.equal(stage.asked(), 0);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(stage.note)), { at: stage.time, ended: true });
    // Who did not wait knows only that it began long ago.
    await Deno.writeTextFile(stage.note, begun);
    await expectRejection(stage.attempt(), "TIMEOUT");
    assert.equal(stage.asked(), 1);
  });
});

Deno.test("a note of attempts that is damaged keeps nobody from signing in", async () => {
  await withStage(async (stage) => {
    for (const text of ["", "{", "[]", '{"at":"now"}', "null"]) {
      await Deno.writeTextFile(stage.note, text);
      await expectRejection(stage.attempt(), "TIMEOUT");
    }
    assert.equal(stage.asked(), 5);
  });
});

Deno.test("on a terminal that another program uses a browser comes up, and not a byte is written", async () => {
  for (
    const use of [{ raw: true, elsewhere: false }, { raw: false, elsewhere: true }, {
      raw: true,
      elsewhere: true,
    }]
  ) {
    await withStage(async (stage) => {
      stage.use(use);
      await expectRejection(stage.attempt(), "TIMEOUT");
      await expectRejection(stage.attempt(), "SESSION_EXPIRED");
      assert.deepEqual(stage.said, []);
      stage.time += MINUTE;
      stage.use({ raw: false, elsewhere: false });
      await expectRejection(stage.attempt(), "TIMEOUT");
      assert.equal(stage.asked(), 1, "where it is ours, the person is asked on it");
    });
  }
});

Deno.test("where neither a terminal nor a browser can be used, the call fails at once", async () => {
  for (const command of ["false", "no-such-browser"]) {
    await withStage(async (stage) => {
      stage.use({ raw: true, elsewhere: false });
      assert.equal(await expectRejection(stage.attempt(false, MINUTE), "SESSION_EXPIRED"), EXPIRED);
      assert.deepEqual(stage.said, []);
    }, command);
  }
});

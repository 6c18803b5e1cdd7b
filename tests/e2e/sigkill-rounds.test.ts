/** Proves by chance, round after round, that SIGKILL signs nobody out but where nothing can be done about it. */

import assert from "node:assert/strict";
import { asPersonSession } from "../../src/sessions/refresh.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { testHost } from "../host.ts";
import { SessionStore } from "../../src/sessions/store.ts";
import type { SignInCredentials } from "../../src/sessions/credentials.ts";
import { type Finished, openWorld, type World } from "./world.ts";
import { CLOUDS } from "../clouds.ts";

const ADA = "ada@example.com";
/** A few in every run; `DATUMCTL_TEST_KILL_ROUNDS=200` for a long one. */
const ROUNDS = Number(Deno.env.get("DATUMCTL_TEST_KILL_ROUNDS") ?? 5);
const AT_ONCE = 20;
const REFRESH = ["auth", "get-token", "--force-refresh"];
const PLUGIN = [...REFRESH, "--output=client.authentication.k8s.io/v1"];

/** One answer of the issuer that held a new refresh token. */
interface Answer {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** What the issuer answered so far, oldest first. */
function answersOf(world: World): Answer[] {
  const answers: Answer[] = [];
  let accessToken = "";
  for (const { kind, value } of world.cloud.secrets()) {
    if (kind === "access_token") accessToken = value;
    else if (kind === "refresh_token") answers.push({ accessToken, refreshToken: value });
  }
  return answers;
}

/** What is stored, unsealed; fails when it is not whole. */
async function storedIn(world: World, name: string): Promise<SignInCredentials> {
  const store = new SessionStore(testHost(world.env, { notice: (line) => assert.fail(line) }), CLOUDS);
  const session = await store.read(name);
  assert.ok(session !== undefined, "the session's file is there");
  return (await asPersonSession(await store.open(session, { timeout: 10_000 }), store)).credentials;
}

Deno.test(`${ROUNDS} rounds of SIGKILL at random moments of ${AT_ONCE} refreshes: sign-outs only where an answer was never kept`, async () => {
  await using world = await openWorld();
  assert.ok(world !== undefined);
  const name = `${ADA}@${world.cloud.apiHost}`;
  assert.equal((await world.login(ADA)).code, 0);
  const start = () =>
    Array.from(
      { length: AT_ONCE },
      (_, index) => world.start(world.binary, index % 2 === 0 ? REFRESH : PLUGIN, { timeout: 120_000 }),
    );
  const undisturbed = await Promise.all(start().map(({ finished }) => finished));
  for (const { code, stderr } of undisturbed) assert.equal(code, 0, stderr);
  const longest = Math.max(...undisturbed.map(({ took }) => took));

  const tally = { kills: 0, survivors: 0, refreshes: 0, signOuts: 0 };
  for (let round = 1; round <= ROUNDS; round++) {
    const before = answersOf(world).length;
    const ended = await Promise.all(
      start().map(async (running) => {
        const timer = setTimeout(() => {
          try {
            running.kill("SIGKILL");
          } catch {
            // It had ended.
          }
        }, Math.random() * longest);
        try {
          return await running.finished;
        } finally {
          clearTimeout(timer);
        }
      }),
    );
    const answers = answersOf(world);
    const last = answers.at(-1);
    assert.ok(last !== undefined);
    tally.refreshes += answers.length - before;
    tally.kills += ended.filter(({ code }) => code === 137).length;

    // Whatever was killed, the file is whole and holds one of the issuer's answers as it was given.
    const stored = await storedIn(world, name);
    const kept = answers.findIndex(({ refreshToken }) => refreshToken === stored.refreshToken);
    assert.ok(kept >= 0, "what is stored came from the issuer");
    assert.equal(stored.accessToken, answers[kept]?.accessToken);
    const lost = answers.length - 1 - kept;
    assert.ok(lost <= 1, `${lost} answers were not kept: the spent refresh token was good for one`);

    for (const { code, stdout, stderr } of ended) {
      if (code === 137) continue;
      // Nobody is told that the session is over while the issuer's last answer is kept.
      assert.ok(code === 0 || (code === 4 && lost > 0), stderr);
      if (code !== 0) continue;
      tally.survivors++;
      const token = stdout.startsWith("{") ? JSON.parse(stdout).status.token : stdout.trimEnd();
      const answer = answers.findIndex(({ accessToken }) => accessToken === token);
      assert.ok(answer >= 0 && answer <= kept, "what was handed out had been kept before");
    }

    const next: Finished = await world.datumctl([...REFRESH, "--error-format", "json"]);
    if (lost === 0) {
      assert.equal(next.code, 0, `signed out for no reason in round ${round}: ${next.stderr}`);
      continue;
    }
    // The issuer's last answer reached nobody but a process that was killed before its rename.
    tally.signOuts++;
    onlyPrintedError(next, {
      code: "SESSION_EXPIRED",
      hint: `Sign in again: datumctl login --profile ${name}`,
    });
    const again: Finished = await world.login(ADA, ["--profile", name]);
    assert.equal(again.code, 0, again.stderr);
  }
  // deno-lint-ignore no-console
  console.error(
    `${ROUNDS} rounds of ${AT_ONCE}: ${tally.kills} killed, ${tally.survivors} handed out a token, ` +
      `${tally.refreshes} refreshes at the issuer, ${tally.signOuts} sign-outs, each of them by an answer that ` +
      "was never kept",
  );
  assert.ok(tally.kills > 0 && tally.refreshes > 0);
});

/** Proves what a bad issuer, a full disk and a wrong clock do to kubectl and to the session: as little as possible. */

import assert from "node:assert/strict";
import { signInByHttp } from "../cloud/browser.ts";
import type { Faults } from "../cloud/cloud.ts";
import { expireSession, sessionFile } from "../e2e/expired-session.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { assertMissing } from "../scratch.ts";
import { until } from "../until.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";
import { kubectl } from "./kubectls.ts";
import { type Finished, type RunOptions, testInWorld, type World } from "./world.ts";

const TOKEN = ["auth", "get-token"];
const CREDENTIAL = [...TOKEN, "--output=client.authentication.k8s.io/v1"];

const takesKubectl = { ignore: kubectl === "" };

/** Ada's session with its kubeconfig entry; its token's second is over, and nothing was counted yet. */
const expiredSession = (world: World) =>
  expireSession(
    world,
    () => world.ok(["auth", "update-kubeconfig", "--project", "web", "--skip-validation"]),
  );

const getNamespaces = (world: World, options?: RunOptions): Promise<Finished> =>
  world.start(kubectl, ["get", "namespaces"], options).finished;

/** How often datumctl said on stderr what went wrong. */
const blocks = (stderr: string): number =>
  stderr.match(/^error: .*session "ada@example\.com@.*\n.+$/gm)?.length ?? 0;

/** The next call works without a sign-in, on what was kept. */
async function healed(world: World): Promise<void> {
  await world.cloud.setFaults({});
  const before = world.cloud.counts()["token:refresh_token"] ?? 0;
  await world.ok(TOKEN);
  assert.equal(world.cloud.counts()["token:refresh_token"], before + 1);
}

// ---- the issuer ----

const OUTAGES: Readonly<Record<string, Faults>> = {
  "is down": { down: ["issuer"] },
  "takes 20 s to answer": { issuer: { slow: 20_000 } },
  "answers 500": { token: { status: 500 } },
  "answers 503, Retry-After 1": { token: { status: 503, retryAfter: 1 } },
  "answers 503, Retry-After 3600": { token: { status: 503, retryAfter: 3600 } },
  "answers 429": { token: { status: 429 } },
  "answers HTML with 200, as a captive portal": { issuer: { body: "html" } },
  "breaks off its answer": { token: { halfClosed: true } },
  "answers nothing with 200": { token: { body: "empty" } },
  "answers 2 MiB": { token: { body: "huge" } },
  "redirects": { token: { redirectTo: "https://127.0.0.1:1/elsewhere" } },
  "says temporarily_unavailable": { token: { status: 400, json: { error: "temporarily_unavailable" } } },
};

for (const [what, faults] of Object.entries(OUTAGES)) {
  testInWorld(
    `an issuer that ${what} is NETWORK within 12 s of kubectl, and the session is kept`,
    async (world) => {
      await expiredSession(world);
      const mark = `${world.home}/browser-was-opened`;
      const BROWSER = `${world.home}/browser`;
      await Deno.writeTextFile(BROWSER, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o700 });
      await world.cloud.setFaults(faults);

      const { code, took, stderr } = await getNamespaces(world, { env: { BROWSER } });
      assert.notEqual(code, 0);
      assert.ok(took < 12_000, `kubectl took ${Math.round(took)} ms`);
      assert.match(stderr, /failed with exit code 6/);
      assert.equal(blocks(stderr), 1, stderr);
      const { total = 0 } = world.cloud.counts();
      assert.ok(total <= 3, `${total} requests at the issuer`);
      assert.equal(world.cloud.counts().api, 0);

      const direct = await world.datumctl([...TOKEN, "--error-format", "json"], { env: { BROWSER } });
      assert.ok(direct.took < 11_000, `get-token took ${Math.round(direct.took)} ms`);
      assert.equal(direct.stdout, "");
      onlyPrintedError(direct, { code: "NETWORK", retryable: true });
      await assertMissing(mark);
      await healed(world);
    },
    takesKubectl,
  );
}

for (
  const [what, fault, heard] of [
    ["an unavailable", { status: 503 }, 0],
    // Given up after ten seconds: only from then on there is a failure to remember.
    ["a silent", { slow: 20_000 }, 10_000],
  ] as const
) {
  const name = `20 kubectl at once cost ${what} issuer three requests in ten seconds, and print a block each`;
  testInWorld(name, async (world) => {
    await expiredSession(world);
    await world.cloud.setFaults({ token: fault });
    const began = performance.now();
    const ended = await Promise.all(Array.from({ length: 20 }, () => getNamespaces(world)));
    const windows = Math.ceil((performance.now() - began) / 10_000);
    for (const { code, stderr, took } of ended) {
      assert.notEqual(code, 0);
      // On a busy machine one kubectl's five calls may outlive what is remembered.
      const most = Math.max(1, Math.ceil((took - heard) / 10_000));
      assert.ok(blocks(stderr) >= 1 && blocks(stderr) <= most, stderr);
    }
    const { total = 0 } = world.cloud.counts();
    assert.ok(total <= 3 * windows, `${total} requests in ${windows} times ten seconds`);
    await healed(world);
  }, takesKubectl);
}

testInWorld(
  "a remembered failure is forgotten after ten seconds: kubectl works again by itself",
  async (world) => {
    await expiredSession(world);
    await world.cloud.setFaults({ down: ["issuer"] });
    assert.notEqual((await getNamespaces(world)).code, 0);
    const failed = Date.now();
    await world.cloud.setFaults({});
    assert.notEqual((await getNamespaces(world)).code, 0, "the same answer comes at once");
    assert.equal(world.cloud.counts().total, 0, "and asks nobody");
    await until(() => Date.now() > failed + 10_000);
    const { code, stdout, stderr } = await getNamespaces(world);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\nproject-web /);
  },
  takesKubectl,
);

testInWorld(
  "while a stored token still has life, an outage is not felt",
  async (world) => {
    // ID tokens issued 58 s ago with 27 s to go: fewer than a third of their life, which calls for a refresh.
    world.cloud.setControlPlanes({ acceptedTokens: "id" });
    world.cloud.setTokenLife(85);
    const early = { clockOffset: -58 };
    await world.cloud.setFaults(early);
    assert.equal((await world.login("ada@example.com")).code, 0);
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    await world.cloud.setFaults({ ...early, token: { status: 503 } });
    world.cloud.resetCounts();
    for (let times = 0; times < 2; times++) {
      const { code, stdout, stderr } = await getNamespaces(world);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
      assert.match(stdout, /\nproject-web /);
    }
    const { token = 0 } = world.cloud.counts();
    assert.ok(token >= 1 && token <= 3, `${token} requests for a token`);
    const bare = await world.datumctl([...TOKEN, "--token", "id"]);
    assert.equal(bare.code, 0);
    assert.match(bare.stderr, /^warning: .*stored token is used/);
    const forced = await world.datumctl([...TOKEN, "--token", "id", "--force-refresh"]);
    assert.equal(forced.code, 6, "who asks for a new one is told that there is none");
  },
  takesKubectl,
);

testInWorld(
  "a grant that was revoked is SESSION_EXPIRED with the command that mends it",
  async (world) => {
    await expiredSession(world);
    world.cloud.revokeAll("ada@example.com");
    const file = await sessionFile(world);
    const before = JSON.parse(await Deno.readTextFile(file));
    const name = `ada@example.com@${world.cloud.apiHost}`;

    const failed = await getNamespaces(world);
    assert.match(failed.stderr, /failed with exit code 4/);
    assert.equal(blocks(failed.stderr), 1, failed.stderr);
    assert.ok(failed.stderr.includes(`datumctl login --profile ${name}\n`), failed.stderr);
    assert.equal(world.cloud.counts().total, 1, "it is asked once");
    const direct = await world.datumctl([...TOKEN, "--error-format", "json"]);
    const { hint = "" } = onlyPrintedError(direct, { code: "SESSION_EXPIRED", retryable: false });
    const [, command = ""] = /: (datumctl login .*)$/.exec(hint) ?? [];
    assert.equal(command, `datumctl login --profile ${name}`);
    const { renewalRefused, ...after } = JSON.parse(await Deno.readTextFile(file));
    assert.ok(renewalRefused !== undefined);
    assert.deepEqual(after, before, "with nothing else in it changed");

    await whenPrinted(
      printedAddress,
      (address) => signInByHttp(world.cloud, address, "ada@example.com"),
      (onStderr) => world.ok(command.split(" ").slice(1), { onStderr }),
    );
    const again = await getNamespaces(world);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(again.stderr, "");
  },
  takesKubectl,
);

for (
  const [status, error] of [[400, "invalid_client"], [401, "invalid_client"], [400, "unauthorized_client"], [
    403,
    "access_denied",
  ]] as const
) {
  testInWorld(
    `${status} ${error} is ISSUER_ERROR, is not asked again, and costs nobody the session`,
    async (world) => {
      await expiredSession(world);
      await world.cloud.setFaults({ token: { status, json: { error, error_description: "Not you." } } });
      const finished = await world.datumctl([...TOKEN, "--error-format", "json"]);
      onlyPrintedError(finished, { code: "ISSUER_ERROR", message: new RegExp(`${error}: Not you`) });
      assert.equal(world.cloud.counts().total, 1);
      await healed(world);
    },
  );
}

testInWorld(
  "an answer that is lost after the issuer rotated costs the session, and says so",
  async (world) => {
    await expiredSession(world);
    await world.cloud.setFaults({ token: { lostAnswer: true, times: 1 } });
    const finished = await world.datumctl([...TOKEN, "--error-format", "json"]);
    onlyPrintedError(finished, { code: "SESSION_EXPIRED", hint: /datumctl login --profile/ });
    await sessionFile(world);
  },
);

testInWorld(
  "an answer that is lost where the issuer does not rotate is asked for again, and that is all",
  async (world) => {
    await expiredSession(world);
    await world.cloud.setFaults({ token: { lostAnswer: true, times: 1 } });
    await world.ok(TOKEN);
    assert.equal(world.cloud.counts()["token:refresh_token"], 2);
  },
  { cloud: { rotation: false } },
);

// ---- the disk ----

const canMount = Deno.build.os === "linux" && Deno.uid() === 0 &&
  await new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
// deno-lint-ignore no-console
if (!canMount) console.error("skipped: full and read-only disks, for unshare is not permitted here");

const SPOILED: Readonly<
  Record<string, { readonly spoil: string; readonly mend: string; readonly why: RegExp }>
> = {
  "a full disk": {
    spoil: `cp -a "$S" "$S.kept"; mount -t tmpfs -o size=64k,mode=700 tmpfs "$S"; cp -a "$S.kept/." "$S"
      cat /dev/zero > "$S/filler" 2>/dev/null || true`,
    mend: `rm "$S/filler"`,
    why: /the disk is full/,
  },
  "a read-only disk": {
    spoil: `mount --bind "$S" "$S"; mount -o remount,ro,bind "$S"`,
    mend: `mount -o remount,rw,bind "$S"`,
    why: /read-only/,
  },
};

for (const [what, { spoil, mend, why }] of Object.entries(SPOILED)) {
  testInWorld(`${what}: STORAGE before the refresh token is spent; room made, it works`, async (world) => {
    await expiredSession(world);
    const go = `${world.home}/go`;
    let whileSpoiled: number | undefined;
    const { code, stdout, stderr } = await world.start("unshare", [
      "-m",
      "bash",
      "-euc",
      `
      S=${world.config}/sessions; D=${world.binary}
      ${spoil}
      "$D" auth get-token --error-format json || echo "ended with $?" >&2
      "$D" ${CREDENTIAL.join(" ")} >&2 || true
      echo spoiled >&2
      while [ ! -e ${go} ]; do sleep 0.02; done
      ${mend}
      "$D" auth get-token
      "$D" auth get-token --force-refresh >/dev/null
      ls -A "$S" >&2`,
    ], {
      onStderr(soFar) {
        if (whileSpoiled !== undefined || !soFar.includes("\nspoiled\n")) return;
        whileSpoiled = world.cloud.counts().total;
        Deno.writeTextFileSync(go, "");
      },
    }).finished;
    assert.equal(code, 0, stderr);
    const [line = "", ended, ...rest] = stderr.split("\n");
    const { error } = JSON.parse(line);
    assert.equal(error.code, "STORAGE");
    assert.match(error.message, why);
    assert.equal(ended, "ended with 1");
    assert.match(rest.join("\n"), /"reason":"STORAGE"/);
    assert.equal(whileSpoiled, 0, "the issuer was not asked");
    assert.match(stdout, /^\S+\n$/);
    assert.equal(world.cloud.counts()["token:refresh_token"], 2);
    assert.doesNotMatch(stderr, /\.new/m, "nothing half-written stays");
  }, { ignore: !canMount });
}

// ---- the clock ----

for (const [what, clockOffset] of [["behind", 600], ["ahead", -4_000]] as const) {
  testInWorld(
    `a clock that is ${what} is CLOCK_SKEW with both times, and costs nobody the session`,
    async (world) => {
      await expiredSession(world);
      await world.cloud.setFaults({ clockOffset });
      const began = Date.now();
      const finished = await world.datumctl([...TOKEN, "--error-format", "json"]);
      const { message } = onlyPrintedError(finished, "CLOCK_SKEW");
      const [here = 0, there = 0] = (message.match(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g) ?? [])
        .map((time) => Date.parse(time));
      assert.ok(Math.abs(here - began) < 30_000, "this machine's time");
      assert.ok(Math.abs(there - here - clockOffset * 1000) < 30_000, "the issuer's time");
      assert.equal(world.cloud.counts()["token:refresh_token"], 1);
      await healed(world);
    },
  );
}

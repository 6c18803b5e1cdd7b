/** Proves what a browser is started with at a sign-in, and what is said while it is waited for and when nobody comes. */

import assert from "node:assert/strict";
import { leadsTo, signInByHttp } from "../cloud/browser.ts";
import { ADA, openWorld, type World } from "../cli/world.ts";
import { writeScript } from "../scratch.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";

const loginOf = ({ cloud }: World) =>
  `login --hostname ${cloud.authHost} --api-hostname ${cloud.apiHost} --client-id ${cloud.clientId} ` +
  `--certificate-authority ${cloud.caFile} --keyring file`;

/** A browser that writes down what it was started with, and the words that it was started by. */
async function recordingBrowser(
  world: World,
): Promise<{ readonly command: string; argv(): Promise<string> }> {
  const path = `${world.sandbox.folder}/../browser-${crypto.randomUUID()}`;
  await writeScript(path, `tr '\\0' ' ' </proc/$$/cmdline >"${path}.new"; mv "${path}.new" "${path}.argv"`);
  return {
    command: path,
    async argv() {
      for (;;) {
        const text = await Deno.readTextFile(`${path}.argv`).catch(() => "");
        if (text !== "") return text;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

Deno.test("a browser is started with an address of this machine that holds no secret and works once", async () => {
  await using world = await openWorld();
  const browser = await recordingBrowser(world);
  let shown = "";
  const running = world.run(`${loginOf(world)} -v --browser-command ${browser.command}`, {
    onStderr: (soFar) => shown = soFar,
  });
  const argv = await browser.argv();
  const [oneTime = ""] = /http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}/.exec(argv) ?? [];
  assert.ok(argv.trimEnd().endsWith(oneTime) && oneTime !== "", argv);
  assert.doesNotMatch(argv, /state|nonce|code_challenge|https/);
  const issuers = await leadsTo(oneTime);
  const [, printed = ""] = /Open this address to sign in:\n\n {2}(\S+)\n/.exec(shown) ?? [];
  assert.equal(issuers, printed, "the address that is shown is the issuer's own");
  const redirectUri = new URL(issuers).searchParams.get("redirect_uri") ?? "";
  assert.ok(shown.includes(`The browser is to come back to ${redirectUri}\n`), shown);
  assert.equal(new URL(redirectUri).origin, new URL(oneTime).origin);

  // Somebody else who saw the process list comes too late, is told of, and ends nothing.
  for (let count = 0; count < 3; count++) {
    const late = await fetch(oneTime, { redirect: "manual" });
    assert.equal(late.status, 410);
    assert.match(await late.text(), /another program on this machine/);
  }
  assert.equal(shown.match(/^warning: The address that the browser was started with/gm)?.length, 1, shown);
  await (await signInByHttp(world.cloud, issuers, ADA)).body?.cancel();
  const { code, stdout, stderr } = await running;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Signed in as ada@example\.com /);
});

Deno.test("the warning is given with --quiet, too, and the address that is shown goes on to work", async () => {
  await using world = await openWorld();
  const browser = await recordingBrowser(world);
  let shown = "";
  const running = world.run(`${loginOf(world)} -q --browser-command ${browser.command}`, {
    onStderr: (soFar) => shown = soFar,
  });
  const oneTime = (await browser.argv()).trimEnd().split(" ").at(-1) ?? "";
  await leadsTo(oneTime);
  await (await fetch(oneTime)).body?.cancel();
  assert.match(shown, /^warning: The address that the browser/m);
  const [, printed = ""] = /Open this address to sign in:\n\n {2}(\S+)\n/.exec(shown) ?? [];
  await (await signInByHttp(world.cloud, printed, ADA)).body?.cancel();
  assert.equal((await running).code, 0);
});

Deno.test("nobody came back: the hint speaks of the client id and the redirect URI before it speaks of time", async () => {
  await using world = await openWorld();
  const { code, stderr } = await world.run(`${loginOf(world)} --browser-command true --timeout 1s`);
  assert.equal(code, 1);
  const [, uri = ""] = /redirect_uri=(\S+?)&/.exec(stderr) ?? [];
  assert.ok(
    stderr.endsWith(
      `error: Nobody finished the sign-in within 1 s.\n` +
        `If the browser showed an error, check that the issuer knows the client id "${world.cloud.clientId}", and that ` +
        `${decodeURIComponent(uri)} is registered there as its redirect URI. ` +
        `Run the same command again; --timeout 15m waits longer.\n`,
    ),
    stderr,
  );
});

Deno.test("a person who came back is not told that nobody did, while the issuer keeps the code waiting", async () => {
  await using world = await openWorld();
  await world.cloud.setFaults({ token: { slow: 60_000 } });
  let page = "";
  const { code, stderr } = await whenPrinted(
    printedAddress,
    async (address) => page = await (await signInByHttp(world.cloud, address, ADA)).text(),
    (onStderr) => world.run(`${loginOf(world)} --browser-command true --timeout 3s`, { onStderr }),
  );
  await world.cloud.setFaults({});
  assert.equal(code, 6, stderr);
  assert.match(stderr, /error: .+: 127\.0\.0\.1:\d+ did not answer in time\.\n/);
  assert.match(page, /did not answer in time/);
});

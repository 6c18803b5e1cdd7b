/** Proves that `login` on a real terminal ends where the work begins: a choice, then a line that works as printed. */

import assert from "node:assert/strict";
import { approveDeviceByHttp, signInByHttp } from "../cloud/browser.ts";
import { printedAddress } from "../when-printed.ts";
import { kubectl } from "./kubectls.ts";
import { openPanes, type Pane, type Panes, panesAtHand } from "./panes.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const QUESTION = /Use which one\? \(Esc: later\)/;

function test(name: string, run: (world: World, panes: Panes) => Promise<void>): void {
  testInWorld(name, async (world) => {
    await using panes = openPanes(world);
    await run(world, panes);
  }, { ignore: !panesAtHand });
}

function openLogin(
  { binary, loginFlags }: World,
  panes: Panes,
  flags: readonly string[] = [],
): Promise<Pane> {
  return panes.open([binary, "login", ...loginFlags, ...flags]);
}

/** Waits for the address that the pane shows. */
async function addressIn(pane: Pane): Promise<string> {
  await pane.shows(/Waiting|paste it here/);
  const address = printedAddress(await pane.text());
  assert.ok(address !== undefined, await pane.text());
  return address;
}

test("a picked project is in use, and the printed lines work, kubectl's too", async (world, panes) => {
  const pane = await openLogin(world, panes);
  await signInByHttp(world.cloud, await addressIn(pane), ADA);
  await pane.shows(QUESTION);
  await pane.shows(/> acme +Acme Corporation/);
  await pane.type("shop");
  await pane.shows(/shop\n> acme\/web +Web shop/);
  await pane.press("Enter");
  assert.equal(await pane.ended(), 0);
  const text = await pane.text();
  assert.match(text, /^✓ Now in use: the project web of acme\.$/m);
  assert.doesNotMatch(text, QUESTION, "the question is gone from the screen");
  assert.equal(await world.ok(["ctx", "-o", "name"]), "acme/web\n");
  const [, next = ""] = /^Next: datumctl (.*)$/m.exec(text) ?? [];
  const [, other = ""] = /^Or without kubectl: datumctl (.*)$/m.exec(text) ?? [];
  assert.equal(next, "auth update-kubeconfig --project web");
  assert.match(await world.ok(other.split(" ")), /namespaces/);
  const { code, stderr } = await world.datumctl(next.split(" "));
  assert.equal(code, 0, stderr);
  const [, then = ""] = /^Next: kubectl (.*)$/m.exec(stderr) ?? [];
  assert.notEqual(then, "");
  if (kubectl === "") return;
  const ran = await world.start(kubectl, then.split(" ")).finished;
  assert.match(ran.stdout, /project-web/, ran.stderr);
});

test("an Enter while the person is awaited answers no question", async (world, panes) => {
  const pane = await openLogin(world, panes, ["--no-browser"]);
  const address = await addressIn(pane);
  for (let at = 0; at < 3; at++) await pane.press("Enter");
  await approveDeviceByHttp(world.cloud, address, ADA);
  await pane.shows(QUESTION);
  await pane.press("Down");
  await pane.shows(/> acme\/data/);
  await pane.press("Enter");
  assert.equal(await pane.ended(), 0);
  assert.match(await pane.text(), /Now in use: the project data of acme\./);
});

test(
  "where an address could have been pasted, the first key already answers the question",
  async (world, panes) => {
    const pane = await openLogin(world, panes, ["--browser-command", "false"]);
    const address = await addressIn(pane);
    await pane.shows(/paste it here/);
    await signInByHttp(world.cloud, address, ADA);
    await pane.shows(QUESTION);
    await pane.press("Down");
    await pane.shows(/> acme\/data/);
    await pane.press("Down");
    await pane.shows(/> acme\/web/);
    await pane.press("Enter");
    assert.equal(await pane.ended(), 0);
    assert.match(await pane.text(), /Now in use: the project web of acme\./);
  },
);

test("Escape ends well, Ctrl-C with 130, and the person is signed in", async (world, panes) => {
  for (
    const [key, code, said] of [["Escape", 0, "Nothing was chosen"], [
      "C-c",
      130,
      "You are signed in",
    ]] as const
  ) {
    const pane = await openLogin(world, panes);
    await signInByHttp(world.cloud, await addressIn(pane), ADA);
    await pane.shows(QUESTION);
    await pane.press(key);
    assert.equal(await pane.ended(), code);
    assert.match(await pane.text(), new RegExp(`${said}.*[^]*Choose later: datumctl ctx use`));
    await world.ok(["auth", "get-token"]);
    assert.match(await world.ok(["logout", ADA]), /Revoked/);
  }
});

test("--no-input asks nothing on a terminal", async (world, panes) => {
  const pane = await openLogin(world, panes, ["--no-input"]);
  await signInByHttp(world.cloud, await addressIn(pane), ADA);
  assert.equal(await pane.ended(), 0);
  assert.doesNotMatch(await pane.text(), QUESTION);
  assert.match(await pane.text(), /^Next: datumctl auth update-kubeconfig --project PROJECT_ID$/m);
});

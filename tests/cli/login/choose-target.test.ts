/** Proves how a person's sign-in at a Datum ends on a terminal: with something in use, and a next line that works. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import { signInByHttp } from "../../cloud/browser.ts";
import type { Organization } from "../../cloud/kube-resources.ts";
import { printedAddress, whenPrinted } from "../../when-printed.ts";
import type { Options, Ran } from "../run-line.ts";
import { ADA, at, GRACE, openWorld, type World } from "../world.ts";

const DOWN = "\u001b[B";
const ESCAPE = "\u001b";
const CTRL_C = "\u0003";

const inUse = async (world: World, email = ADA) => (await world.sandbox.store.read(at(world, email)))?.inUse;

/** What was said last, behind the picker where there was one. */
const said = ({ stderr }: Ran) => stderr.split("\u001b[J").at(-1) ?? "";

/** The lines of a next step, run as they were printed. */
async function runsAsPrinted(world: World, ran: Ran): Promise<string[]> {
  assert.equal(ran.code, 0, ran.stderr);
  const lines = [...said(ran).matchAll(/^(?:Next|Or without kubectl): datumctl (.*)$/gm)]
    .map(([, line]) => line ?? "");
  assert.equal(lines.length, 2, ran.stderr);
  for (const line of lines) await world.ok(line);
  return lines;
}

/** Signs Ada in; what takes stderr sees all of it, and the browser's page is handed on. */
async function signIn(
  { cloud, run }: World,
  { onStderr, ...options }: Options,
): Promise<{ readonly ran: Ran; readonly page: string }> {
  let page = "";
  const ran = await whenPrinted(
    printedAddress,
    async (address) => page = await (await signInByHttp(cloud, address, ADA)).text(),
    (onAddress) =>
      run(
        `login --hostname ${cloud.authHost} --api-hostname ${cloud.apiHost} --client-id ${cloud.clientId} ` +
          `--certificate-authority ${cloud.caFile} --keyring file --browser-command true`,
        {
          ...options,
          onStderr(soFar) {
            onAddress(soFar);
            onStderr?.(soFar);
          },
        },
      ),
  );
  return { ran, page };
}

function organization(id: string, ...projects: string[]): Organization {
  return {
    id,
    name: `The ${id}`,
    members: [ADA],
    projects: projects.map((id) => ({ id, name: `The ${id}` })),
  };
}

Deno.test("a picked project is in use, and the next lines run as they are printed", async () => {
  await using world = await openWorld();
  const ran = await world.login(ADA, "", { keys: [..."data", "\r"] });
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^Signed in as ada@.*\nNow in use: the project data of acme\.\n$/);
  assert.deepEqual(await inUse(world), { organization: "acme", project: "data" });
  assert.deepEqual(await runsAsPrinted(world, ran), [
    "auth update-kubeconfig --project data",
    "api-resources",
  ]);
  assert.deepEqual(await inUse(world), { organization: "acme", project: "data" });
});

Deno.test("a picked organization is in use, and the next lines name it", async () => {
  await using world = await openWorld();
  const ran = await world.login(ADA, "", { keys: [DOWN, DOWN, DOWN, "\r"] });
  assert.deepEqual(await inUse(world), { organization: "initech" });
  assert.equal((await runsAsPrinted(world, ran))[0], "auth update-kubeconfig --organization initech");
});

for (
  const [what, organizations, chosen] of [
    ["project", [organization("acme", "web")], { organization: "acme", project: "web" }],
    ["organization", [organization("acme")], { organization: "acme" }],
  ] as const
) {
  Deno.test(`the only ${what} is chosen without a question, and that is said`, async () => {
    await using world = await openWorld();
    world.cloud.setControlPlanes({ organizations });
    const ran = await world.login(ADA, "", { keys: [] });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /\nNow in use: /);
    assert.match(ran.stderr, /\nIt is the only one that you can choose\.\n/);
    assert.doesNotMatch(ran.stderr, /Use which one/);
    assert.deepEqual(await inUse(world), chosen);
  });
}

Deno.test("two organizations with one project between them are a choice", async () => {
  await using world = await openWorld();
  world.cloud.setControlPlanes({ organizations: [organization("acme", "web"), organization("initech")] });
  const { stderr } = await world.login(ADA, "", { keys: [] });
  assert.match(stderr, /Use which one\?/);
  assert.equal(await inUse(world), undefined);
});

Deno.test("who is in no organization is told so, and signed in", async () => {
  await using world = await openWorld();
  world.cloud.setControlPlanes({ organizations: [] });
  const { code, stderr } = await world.login(ADA, "", { keys: ["\r"] });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /not a member of any organization yet\.\nNext: datumctl auth update-kubeconfig/);
});

for (
  const [how, flags, options] of [["no terminal", "", {}], ["--no-input", "--no-input", {
    keys: ["\r"],
  }]] as const
) {
  Deno.test(`with ${how} nothing is asked, listed or chosen`, async () => {
    await using world = await openWorld();
    const { code, stderr } = await world.login(ADA, `${flags} -v`, options);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /organizationmemberships/);
    assert.match((await world.login(ADA, "-v", { keys: [ESCAPE] })).stderr, /organizationmemberships/);
    assert.equal(await inUse(world), undefined);
    assert.match(stderr, /\nNext: datumctl auth update-kubeconfig --project PROJECT_ID\n/);
  });
}

Deno.test("Escape leaves the choice for later: the sign-in is a success", async () => {
  await using world = await openWorld();
  const ran = await world.login(ADA, "", { keys: [ESCAPE] });
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(said(ran), /^Nothing was chosen\. Choose later: datumctl ctx use\nNext: /);
  assert.equal(await inUse(world), undefined);
  assert.equal(await world.sandbox.store.active(), at(world, ADA));
});

for (const how of ["a key", "a signal"]) {
  Deno.test(`Ctrl-C at the choice (${how}) ends with 130, and the sign-in stays`, async () => {
    await using world = await openWorld();
    const stop = new AbortController();
    const { ran: { code, stdout, stderr } } = await signIn(world, {
      keys: how === "a key" ? [CTRL_C] : [],
      interrupted: stop.signal,
      onStderr(soFar) {
        if (how === "a signal" && soFar.includes("Use which one?")) {
          stop.abort(new AppError("INTERRUPTED", "Interrupted."));
        }
      },
    });
    assert.equal(code, 130, stderr);
    assert.match(stdout, /^Signed in as ada/);
    assert.match(
      stderr,
      /error: Interrupted\. You are signed in; nothing was chosen\.\nChoose later: datumctl ctx use\n$/,
    );
    assert.equal(await world.sandbox.store.active(), at(world, ADA));
    await world.ok("auth get-token --force-refresh");
  });
}

Deno.test("a listing that fails is a warning: the sign-in is a success", async () => {
  for (const failure of ["refused", "no network", "no end"] as const) {
    await using world = await openWorld();
    const email = failure === "refused" ? "zoe@example.com" : ADA;
    if (failure === "no network") await world.cloud.setFaults({ down: ["api"] });
    if (failure === "no end") await world.cloud.setFaults({ api: { body: "drip" } });
    const { code, stdout, stderr } = await world.login(email, "--request-timeout 1s", { keys: ["\r"] });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Signed in as /);
    assert.match(
      stderr,
      /\nwarning: You are signed in, but .* Choose later: datumctl ctx use\nNext: datumctl auth/,
    );
    assert.equal(await world.sandbox.store.active(), at(world, email));
  }
});

Deno.test("a renewal keeps what is in use and asks nothing", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await world.ok("ctx use initech");
  await world.ok("ctx use acme/web");
  for (const flags of ["", `--profile ${at(world, ADA)}`]) {
    const { code, stderr } = await world.login(ADA, flags, { keys: ["\r"] });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /\nStill in use: the project web of acme\. Another one: datumctl ctx use\n/);
    assert.match(stderr, /\nNext: datumctl auth update-kubeconfig --project web\n/);
    assert.doesNotMatch(stderr, /Use which one/);
  }
  assert.deepEqual(await inUse(world), { organization: "acme", project: "web" });
  assert.match(await world.ok("ctx use -"), /the organization initech/);
});

Deno.test("the next line names the session where another one would act", async () => {
  await using world = await openWorld();
  await world.login(GRACE);
  const key = JSON.stringify(await world.cloud.addServiceAccount());
  const keyFile = `${world.sandbox.folder}/key.json`;
  await Deno.writeTextFile(keyFile, key, { mode: 0o600 });
  const env = { DATUMCTL_CREDENTIALS_FILE: keyFile };
  const ran = await world.login(ADA, "", { keys: [..."web", "\r"], env });
  assert.equal(ran.code, 0, ran.stderr);
  const [, line = ""] = /^Next: datumctl (.*)$/m.exec(said(ran)) ?? [];
  assert.equal(line, `auth update-kubeconfig --project web --profile ${at(world, ADA)}`);
  await world.ok(line, { env });
});

Deno.test("a variable of the terminal that takes precedence over the choice is told", async () => {
  await using world = await openWorld();
  const { stderr } = await world.login(ADA, "", { keys: [..."web", "\r"], env: { DATUM_PROJECT: "data" } });
  assert.match(stderr, /warning: DATUM_PROJECT is set in this terminal and takes precedence/);
});

Deno.test("the browser's page names a next command only where the terminal does not ask", async () => {
  await using world = await openWorld();
  const pageOf = async (options: Options) => (await signIn(world, options)).page;
  assert.doesNotMatch(await pageOf({ keys: [..."web", "\r"] }), /Next, in your terminal/);
  assert.match(await pageOf({ keys: [] }), /Next, in your terminal[^]*>web</);
});

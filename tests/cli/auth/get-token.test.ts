/** Proves that an entry made for one session hands out no token of another that has its name later, elsewhere. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Cloud, startCloud } from "../../cloud/cloud.ts";
import { startCloudfleet } from "../../cloud/cloudfleet.ts";
import { printedError } from "../../expect-error.ts";
import { openCloudfleetWorld } from "../cloudfleet-world.ts";
import { ADA, at, keyFile, openWorld, type World } from "../world.ts";

const UPDATE = "auth update-kubeconfig --skip-validation --exec-command datumctl";

interface Entries {
  readonly users: readonly {
    readonly name: string;
    readonly user: { readonly exec: { readonly args: string[] } };
  }[];
  readonly contexts: readonly { readonly name: string; readonly context: { readonly user: string } }[];
}

async function entriesOf({ kubeconfig }: { readonly kubeconfig: string }): Promise<Entries> {
  const { users, contexts } = parse(await Deno.readTextFile(kubeconfig));
  return { users, contexts };
}

const usersOf = ({ contexts }: Entries) =>
  Object.fromEntries(contexts.map(({ name, context }) => [name, context.user]));

async function loginAt(world: World, cloud: Cloud, name: string): Promise<string> {
  const path = await keyFile({ ...world, cloud });
  return `login --credentials ${path} --hostname ${cloud.authHost} --api-hostname ${cloud.apiHost} ` +
    `--certificate-authority ${cloud.caFile} --keyring file --profile ${name}`;
}

async function refused(
  world: Pick<World, "run">,
  words: readonly string[],
  code: string,
  parts: readonly string[],
): Promise<void> {
  const ran = await world.run(words.join(" "));
  const { reason, message, status } = JSON.parse(ran.stdout);
  assert.deepEqual([reason, status], [code, "Failure"], ran.stdout);
  for (const part of parts) assert.ok(message.includes(part), message);
}

Deno.test("a session that has the name of an earlier one gives its tokens to no server of that one's", async () => {
  await using world = await openWorld();
  const other = await startCloud();
  try {
    await world.ok(await loginAt(world, world.cloud, "work"));
    await world.ok(`${UPDATE} --project web`);
    const { users: [entry] } = await entriesOf(world);
    const { apiHost } = world.cloud;
    assert.equal(entry?.name, `datum-work@${apiHost}`);
    const args = entry.user.exec.args;
    assert.deepEqual(args.slice(3), ["--session=work", `--active-for=${apiHost}`]);
    assert.match(await world.ok(args.join(" ")), /"ExecCredential"/);
    await world.sandbox.store.update("work", () => ({ inUse: undefined }));
    assert.match(await world.ok("auth whoami"), /deployer/, "the context is followed");

    await world.ok("logout --profile work");
    await world.ok(await loginAt(world, other, "work"));
    await refused(world, args, "WRONG_HOST", ['"work"', apiHost, other.apiHost]);
    const whoami = await world.run("auth whoami");
    assert.equal(whoami.code, 2, "nor is the context followed as that session");
    assert.match(whoami.stderr, /No organization or project is in use/);
    assert.match(await world.ok("whoami -o json"), /"scopeSource": null/);
    await world.ok(`logout --profile work --kubeconfig ${world.kubeconfig}`);
    assert.equal((await entriesOf(world)).users.length, 1, "the entry is not that session's");
  } finally {
    await other.close();
  }
});

Deno.test("a Cloudfleet profile with the name of an earlier one gives that one's clusters no token", async () => {
  await using world = await openCloudfleetWorld();
  const other = await startCloudfleet({ organizationId: "bbbbbbbb-1f0e-4b43-9c5e-6d1f5a8e7b21" });
  try {
    await world.addAdministrator();
    await world.ok(`clusters kubeconfig ${world.cloudfleet.clusters[0]?.id}`);
    const { users: [entry], contexts } = await entriesOf(world);
    const { issuer } = world.cloudfleet;
    const args = entry?.user.exec.args ?? [];
    assert.deepEqual(args.slice(3), ["--session=default", `--active-for=${issuer}`]);
    assert.equal(entry?.name, `datum-default@${issuer.slice("https://".length)}`);
    assert.equal(contexts[0]?.context.user, entry.name);
    assert.match(await world.ok(args), /"ExecCredential"/);

    await world.ok("auth remove-profile default");
    const { organizationId, administrator: { id, secret }, apiUrl, caFile } = other;
    // One API host serves both organizations.
    for (const api of [apiUrl, world.cloudfleet.apiUrl]) {
      await world.ok(
        `auth add-profile token default ${organizationId} ${id} --issuer ${other.issuer} --api-url ${api} ` +
          `--certificate-authority ${caFile}`,
        { stdin: `${secret}\n` },
      );
      await refused(world, args, "WRONG_HOST", ['"default"', issuer, other.issuer]);
      await world.ok("auth remove-profile default");
    }
  } finally {
    await other.close();
  }
});

Deno.test("an old entry without a place works on, and is followed by one that has it when it is made again", async () => {
  await using world = await openWorld();
  await world.ok(await loginAt(world, world.cloud, "work"));
  await world.ok(`${UPDATE} --project web`);
  await world.ok(`${UPDATE} --project data`);
  const { apiHost } = world.cloud;
  const written = await Deno.readTextFile(world.kubeconfig);
  const old = written.replaceAll(`datum-work@${apiHost}`, "datum-work").replace(
    / +- "?--active-for=.*\n/,
    "",
  );
  await Deno.writeTextFile(world.kubeconfig, old);
  const [before] = (await entriesOf(world)).users;
  assert.deepEqual([before?.name, before?.user.exec.args.at(-1)], ["datum-work", "--session=work"]);
  assert.match(await world.ok(before?.user.exec.args.join(" ") ?? ""), /"ExecCredential"/);
  await world.sandbox.store.update("work", () => ({ inUse: undefined }));
  assert.match(await world.ok("auth whoami"), /deployer/);

  const { stderr } = await world.run(`${UPDATE} --project web`);
  const [web, data] = [`datum-project-web-${apiHost}`, `datum-project-data-${apiHost}`];
  assert.ok(
    stderr.includes(`${web} acted as datum-work before; now it acts as datum-work@${apiHost}.`),
    stderr,
  );
  const both = await entriesOf(world);
  assert.deepEqual(usersOf(both), { [web]: `datum-work@${apiHost}`, [data]: "datum-work" });
  assert.equal(both.users.length, 2, "the other context goes on with the old entry");

  await world.ok(`logout --profile work --kubeconfig ${world.kubeconfig}`);
  const after = parse(await Deno.readTextFile(world.kubeconfig));
  assert.deepEqual([after.users, after.contexts], [[], []], "both forms are the session's");
});

Deno.test("a user entry is never taken over from another session, wherever two names meet", async () => {
  await using world = await openWorld();
  const { apiHost } = world.cloud;
  const path = `${world.sandbox.folder}/apart`;
  for (const name of ["work", `work@${apiHost}`]) await world.ok(await loginAt(world, world.cloud, name));
  const words = `${UPDATE} --project web --context`;
  await world.ok(`${words} one --profile work`);
  const before = await Deno.readTextFile(world.kubeconfig);
  const ran = await world.run(`${words} two --profile work@${apiHost} --error-format json`);
  const { message } = printedError(ran, "KUBECONFIG");
  assert.ok(message.includes(`datum-work@${apiHost} acts as the session "work"`), message);
  assert.equal(await Deno.readTextFile(world.kubeconfig), before);
  await world.ok(`${words} two --profile work@${apiHost} --kubeconfig ${path}`);
});

Deno.test("the name that a session elsewhere gets by itself is refused to a new one", async () => {
  await using world = await openWorld();
  const { apiHost } = world.cloud;
  for (const name of [`${ADA}@api.example.com`, "ci@api.example.com"]) {
    const person = await world.login(ADA, `--profile ${name}`);
    const machine = await world.run(await loginAt(world, world.cloud, name));
    for (const { code, stderr, stdout } of [person, machine]) {
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.ok(stderr.includes(`A session of ${apiHost} cannot be named "${name}"`), stderr);
    }
    assert.doesNotMatch(person.stderr, /response_type=/, "nobody is sent to a browser for it");
  }
  assert.equal(await world.ok("auth list -o json"), "[]\n");
  assert.equal((await world.login(ADA, `--profile ${at(world, ADA)}`)).code, 0);
});

/** Proves which kubeconfig entry a cluster gets for each kind of profile, and which addresses are refused. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { makeCertificates } from "../../cloud/certificates.ts";
import { type CloudfleetWorld, testWithCloudfleet } from "../cloudfleet-world.ts";

const production = ({ cloudfleet }: CloudfleetWorld) =>
  cloudfleet.clusters[0] ?? assert.fail("there is no cluster");

async function kubeconfigOf(world: CloudfleetWorld) {
  const text = await Deno.readTextFile(world.kubeconfig);
  return parse(text) as {
    readonly clusters: { name: string; cluster: Record<string, unknown> }[];
    readonly contexts: { name: string; context: Record<string, unknown> }[];
    readonly users: { name: string; user: { exec: { args: string[] } } }[];
    readonly "current-context"?: string;
  };
}

testWithCloudfleet("clusters are listed in every form", async (world) => {
  await world.addAdministrator();
  const { id, endpoint } = production(world);
  assert.match(
    await world.ok("clusters list"),
    new RegExp(`^ID +Name +Region +Status\n${id} +production +europe-`),
  );
  assert.match(await world.ok("clusters list -o wide"), new RegExp(`${id} .*${endpoint}\n`));
  assert.deepEqual(JSON.parse(await world.ok("clusters list -o json"))[0], production(world));
  assert.match(await world.ok("clusters list -o name"), new RegExp(`^${id}\n`));
});

testWithCloudfleet(
  "no edited file sends another session's token to Cloudfleet, nor a profile's upwards",
  async (world) => {
    const { sandbox, cloudfleet } = world;
    const edit = async (name: string, fields: Record<string, unknown>) => {
      const { file } = await sandbox.paths(name);
      await Deno.writeTextFile(
        file,
        JSON.stringify({ ...JSON.parse(await Deno.readTextFile(file)), ...fields }),
      );
    };
    await sandbox.add({ name: "ada" });
    await edit("ada", { provider: "cloudfleet", kind: "api-token", organization: cloudfleet.organizationId });
    await world.addAdministrator("ci");
    await edit("ci", { organization: ".." });
    const asked = cloudfleet.counts().api;
    const refused = await world.run("clusters list --profile ada");
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /"ada" belongs to the provider datum; it is not a Cloudfleet profile/);
    assert.equal(cloudfleet.counts().api, asked);
    // What was sealed fills the path; with the file's word this would be USAGE.
    const operation = "list=GET /tokens?organization={organization}";
    await world.ok(["tokens", "list", "--profile", "ci", "--operation", operation]);
  },
);

testWithCloudfleet(
  "a cluster's entry is merged and not switched to, for a token, a person and the variables",
  async (world) => {
    const { organizationId, userIssuer, userClientId, caPem, administrator } = world.cloudfleet;
    await Deno.writeTextFile(
      world.kubeconfig,
      "apiVersion: v1\nkind: Config\ncurrent-context: theirs # stays\nusers:\n- {name: theirs, user: {token: x}}\n",
    );
    await world.addAdministrator("ci");
    const add =
      `auth add-profile user work ${organizationId} --issuer ${userIssuer} --client-id ${userClientId}`;
    await world.ok(add);
    await world.login("work", "grace@example.com");
    const { id, endpoint } = production(world);
    const env = {
      CLOUDFLEET_ORGANIZATION_ID: organizationId,
      CLOUDFLEET_ACCESS_TOKEN_ID: administrator.id,
      CLOUDFLEET_ACCESS_TOKEN_SECRET: administrator.secret,
    };
    const user = `service-account-${administrator.id.toLowerCase()}`;
    const written = await world.ok(`clusters kubeconfig ${id} --profile ci`);
    assert.match(written, new RegExp(`Context: +${id}/ci\nUser: +${user}\nAPI server: +${endpoint}\n$`));
    assert.match(await world.ok(`clusters kubeconfig ${id} --profile work`), /User: +grace@example\.com\n/);
    await world.ok(`clusters kubeconfig ${id}`, { env });
    const again = await world.run(`clusters kubeconfig ${id} --profile ci --kubeconfig ${world.kubeconfig}`);
    assert.match(again.stdout, /nothing to change/);
    const next = `Next: kubectl --kubeconfig ${world.kubeconfig} --context ${id}/ci get namespaces\n`;
    assert.ok(again.stderr.endsWith(next), again.stderr);

    const { clusters, contexts, users, ...rest } = await kubeconfigOf(world);
    assert.equal(rest["current-context"], "theirs");
    const sessions = ["ci", "work", "env:CLOUDFLEET_ACCESS_TOKEN_ID"];
    assert.deepEqual(contexts.map(({ name }) => name).sort(), sessions.map((name) => `${id}/${name}`).sort());
    assert.deepEqual(clusters.map(({ name, cluster: { server } }) => [name, server]), [[id, endpoint]]);
    assert.equal(atob(String(clusters[0]?.cluster["certificate-authority-data"])).trim(), caPem.trim());
    for (const session of sessions) {
      const name = contexts.find((context) => context.name === `${id}/${session}`)?.context["user"];
      const { user } = users.find((user) => user.name === name) ?? assert.fail(`no user ${name}`);
      assert.deepEqual(user.exec.args, [
        "auth",
        "get-token",
        "--output=client.authentication.k8s.io/v1",
        `--session=${session}`,
        // The API's host serves every organization: the issuer tells them apart.
        `--active-for=${session === "work" ? userIssuer : world.cloudfleet.issuer}`,
      ]);
    }
    assert.ok(!(await Deno.readTextFile(world.kubeconfig)).includes(administrator.secret));
  },
);

testWithCloudfleet(
  "a cluster's own authority takes the place of the profile's in its entry",
  async (world) => {
    await world.addAdministrator();
    const { id } = production(world);
    const { caPem } = await makeCertificates(new Date());
    const file = `${world.sandbox.folder}/cluster.pem`;
    await Deno.writeTextFile(file, `words\n${caPem}`);
    await world.ok(`clusters kubeconfig ${id} --certificate-authority ${file}`);
    const authority = async () =>
      atob(String((await kubeconfigOf(world)).clusters[0]?.cluster["certificate-authority-data"]));
    assert.equal(await authority(), caPem);
    await world.ok(`clusters kubeconfig ${id}`);
    assert.notEqual(await authority(), caPem);
    await Deno.writeTextFile(file, "words\n");
    assert.equal((await world.run(`clusters kubeconfig ${id} --certificate-authority ${file}`)).code, 2);
  },
);

testWithCloudfleet("what kubectl's preferences refuse is told of a cluster's entry, too", async (world) => {
  await world.addAdministrator();
  const { id } = production(world);
  const KUBERC = `${world.sandbox.folder}/kuberc`;
  const preference = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";
  await Deno.writeTextFile(KUBERC, `${preference}credentialPluginPolicy: DenyAll\n`);
  const { code, stderr } = await world.run(`clusters kubeconfig ${id}`, { env: { KUBERC } });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /kubectl will not run .*kubectl kuberc set --section credentialplugin/s);
});

testWithCloudfleet("the API's word for an address is checked before a token is led there", async (world) => {
  await world.addAdministrator();
  const { id } = production(world);
  const rows: [Record<string, unknown>, number, RegExp][] = [
    [
      { endpoint: "http://k8s.example.com" },
      1,
      /The address that Cloudfleet's API gives for the cluster is refused/,
    ],
    [{ endpoint: "https://user:pass@k8s.example.com" }, 1, /is refused/],
    [{ region: "a b" }, 1, /gives no address for the cluster/],
    [{}, 1, /gives no address for the cluster/],
  ];
  for (const [fields, code, message] of rows) {
    await world.cloudfleet.setFaults({ api: { json: { id, ...fields } } });
    const ran = await world.run(`clusters kubeconfig ${id}`);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, message);
  }
  await world.cloudfleet.setFaults({ api: { json: { id, region: "europe-central-1a" } } });
  assert.match(
    await world.ok(`clusters kubeconfig ${id}`),
    new RegExp(`https://${id}\\.europe-central-1a\\.cfke\\.io\n$`),
  );
  await world.cloudfleet.setFaults({});
  // The entry leads to one host: another one would get the tokens of those who use it.
  const moved = await world.run(`clusters kubeconfig ${id}`);
  assert.equal(moved.code, 1);
  assert.match(moved.stderr, /would then point to/);
});

testWithCloudfleet("an unknown cluster is named", async (world) => {
  await world.addAdministrator();
  const { code, stderr } = await world.run("clusters kubeconfig 00000000-0000-4000-8000-000000000000");
  assert.equal(code, 1);
  assert.match(stderr, /There is no cluster 00000000-.*\n.*datumctl clusters list/);
  assert.equal((await world.run("clusters kubeconfig ../tokens")).code, 2);
});

testWithCloudfleet("update-kubeconfig --server serves profiles and the variables", async (world) => {
  const { organizationId, administrator } = world.cloudfleet;
  const { endpoint } = production(world);
  await world.addAdministrator("ci");
  const user = `service-account-${administrator.id.toLowerCase()}`;
  const written = await world.ok(`auth update-kubeconfig --server ${endpoint} --profile ci`);
  assert.match(written, new RegExp(`User: +${user}\n`));
  const env = {
    CLOUDFLEET_ORGANIZATION_ID: organizationId,
    CLOUDFLEET_ACCESS_TOKEN_ID: administrator.id,
    CLOUDFLEET_ACCESS_TOKEN_SECRET: administrator.secret,
  };
  await world.ok(
    `auth update-kubeconfig --server ${endpoint} --profile env:CLOUDFLEET_ACCESS_TOKEN_ID --context ambient`,
    { env },
  );
  const { users } = await kubeconfigOf(world);
  assert.ok(users.some(({ user }) => user.exec.args.includes("--session=env:CLOUDFLEET_ACCESS_TOKEN_ID")));
  const token = await world.ok("auth get-token --session env:CLOUDFLEET_ACCESS_TOKEN_ID", { env });
  assert.match(token, /^eyJ/);
});

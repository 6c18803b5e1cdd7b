/** Proves what `setup` prints for an API server: by version, for an issuer or a session, checked with the issuer or not. */

import assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";
import { good } from "./run-line.ts";
import { ADA, at, openSignedIn, openWorld, type World } from "./world.ts";

const named = ({ cloud }: World) => [
  ...["setup", "--issuer", cloud.issuer, "--client-id", cloud.clientId],
  ...["--certificate-authority", cloud.caFile],
];

Deno.test("two documents: whom the server believes, and what they may do", async () => {
  await using world = await openWorld();
  const { cloud } = world;
  const words = [...named(world), "--group", "dev", "--user", "grace", "--role", "edit"];
  const { stdout, stderr } = good(await world.run(words));
  const [authentication, binding, ...more] = parseAllDocuments(stdout).map((document) => document.toJS());
  assert.deepEqual(more, []);
  assert.equal(authentication.apiVersion, "apiserver.config.k8s.io/v1");
  const [jwt] = authentication.jwt;
  assert.deepEqual(jwt.issuer, {
    url: cloud.issuer,
    audiences: [cloud.clientId],
    certificateAuthority: jwt.issuer.certificateAuthority,
  });
  assert.equal(jwt.issuer.certificateAuthority.trim(), cloud.caPem.trim());
  assert.deepEqual(jwt.claimMappings, {
    username: { claim: "email", prefix: "oidc:" },
    groups: { claim: "groups", prefix: "oidc:" },
  });
  assert.equal(binding.kind, "ClusterRoleBinding");
  assert.equal(binding.roleRef.name, "edit");
  assert.deepEqual(
    binding.subjects.map(({ kind, name }: Record<string, string>) => [kind, name]),
    [["User", "oidc:grace"], ["Group", "oidc:dev"]],
  );
  assert.match(stdout, /^# +--authentication-config=\/etc\/kubernetes\/authentication\.yaml$/m);
  assert.match(stderr, /To sign in: datumctl login --issuer /);
  // Each part alone can go where it belongs.
  assert.deepEqual(parse(await world.ok([...words, "--part", "rbac"])), binding);
  assert.deepEqual(parse(await world.ok([...words, "--part", "authentication"])), authentication);
  assert.deepEqual(JSON.parse(await world.ok([...words, "-o", "json"])).rbac, binding);
});

Deno.test("the version of the server decides the form", async () => {
  await using world = await openWorld();
  const of = async (version: string) => {
    const words = [...named(world), "--server-version", version, "-o", "json", "--prefix", ""];
    return JSON.parse(await world.ok(words));
  };
  const forms = { "1.34": "v1", "v1.35.2": "v1", "1.33": "v1beta1", "1.30.1": "v1beta1" };
  for (const [version, api] of Object.entries(forms)) {
    const { authentication, flags } = await of(version);
    assert.equal(authentication.apiVersion, `apiserver.config.k8s.io/${api}`, version);
    assert.deepEqual(flags, ["--authentication-config=/etc/kubernetes/authentication.yaml"]);
  }
  const { flags } = await of("1.29");
  assert.deepEqual(flags, [
    `--oidc-issuer-url=${world.cloud.issuer}`,
    `--oidc-client-id=${world.cloud.clientId}`,
    "--oidc-ca-file=/etc/kubernetes/oidc-ca.pem",
    ...["--oidc-username-claim=email", "--oidc-username-prefix=-", "--oidc-groups-claim=groups"],
  ]);
  const printed = await world.ok([...named(world), "--server-version", "1.29", "--part", "authentication"]);
  assert.match(printed, /^# +--oidc-username-prefix=oidc:$/m);
  assert.ok(printed.split("\n").every((line) => line === "" || line.startsWith("#")));
  for (const version of ["2.0", "x", "1", "1.x"]) {
    assert.equal((await world.run([...named(world), "--server-version", version])).code, 2, version);
  }
});

Deno.test("for a session it says whom the server will see, and names them in the binding", async () => {
  await using world = await openSignedIn();
  const { stdout, stderr } = good(await world.run("setup --prefix corp#"));
  const [authentication, binding] = parseAllDocuments(stdout).map((document) => document.toJS());
  assert.equal(authentication.jwt[0].issuer.url, world.cloud.issuer);
  assert.equal(binding.subjects[0].name, `corp#${ADA}`);
  assert.match(stderr, new RegExp(`will see the session "${at(world, ADA)}" as corp#${ADA}, in no group\\.`));
  const wrong = await world.run("setup --username-claim nickname");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /has no claim "nickname"[^]*It has: .*email/);
  assert.match(good(await world.run("setup --username-claim sub")).stderr, /as oidc:\d+/);
});

Deno.test("an issuer that is none is refused, one that is not there is said, and --offline asks nobody", async () => {
  await using world = await openWorld();
  const { issuer, caFile } = world.cloud;
  const other = (words: readonly string[]) => world.run(["setup", "--client-id", "x", ...words]);
  const wrong = await other(["--issuer", `${issuer}/`, "--certificate-authority", caFile]);
  assert.equal(wrong.code, 1);
  assert.equal(wrong.stdout, "");
  assert.equal((await other(["--issuer", "http://127.0.0.1:1", "--offline"])).code, 2);
  assert.equal((await other(["--issuer", "https://x.example?y=1", "--offline"])).code, 2);
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr as Deno.NetAddr;
  closed.close();
  const gone = good(await other(["--issuer", `https://127.0.0.1:${port}`]));
  assert.match(gone.stderr, /warning: The issuer was not asked whether it is one/);
  assert.match(gone.stdout, /AuthenticationConfiguration/);
  const offline = good(await other(["--issuer", `https://127.0.0.1:${port}`, "--offline"]));
  assert.doesNotMatch(offline.stderr, /warning/);
});

Deno.test("names of any kind come out as YAML reads them, and what is missing is named", async () => {
  await using world = await openWorld();
  const name = "a: b # c\n- 'd' \"e\" {{f}}";
  const words = [...named(world), "--user", name, "--prefix", "*x: ", "--namespace", "web", "--part", "rbac"];
  const binding = parse(await world.ok(words));
  assert.equal(binding.subjects[0].name, `*x: ${name}`);
  assert.equal(binding.kind, "RoleBinding");
  assert.equal(binding.metadata.namespace, "web");
  assert.match(binding.metadata.name, /^[a-z0-9-]+$/);
  const nobody = await world.run([...named(world), "--part", "rbac"]);
  assert.equal(nobody.code, 2);
  assert.match(nobody.stderr, /--group NAME/);
  assert.match(good(await world.run(named(world))).stdout, /name a group or a user with --group or --user/);
  assert.equal((await world.run("setup --issuer https://x.example")).code, 2);
  assert.equal((await world.run("setup")).code, 4);
  assert.equal((await world.run([...named(world), "-o", "table"])).code, 2);
  assert.equal((await world.run([...named(world), "--part", "flags"])).code, 2);
});

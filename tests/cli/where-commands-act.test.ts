/** Proves where commands act: on one's own control plane, on a cluster of Cloudfleet, on a named context, and on nothing else. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { kubeconfigText } from "../cloud/strange-kubeconfigs.ts";
import { startStranger } from "../cloud/stranger.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { filesBelow } from "../scratch.ts";
import { openCloudfleetWorld } from "./cloudfleet-world.ts";
import type { Ran } from "./run-line.ts";
import { ADA, at, GRACE, openSignedIn, type World } from "./world.ts";

/** What a run with `-v` asked, as `GET HOST/PATH`, sorted: some are asked at the same time. */
function asked({ stderr }: Ran): string[] {
  return stderr.split("\n").flatMap((line) => /^((?:GET|POST|PATCH) \S+) \d+ in /.exec(line)?.[1] ?? [])
    .sort();
}

const OWN = "/apis/iam.miloapis.com/v1alpha1/users/318271931245953281/control-plane";

Deno.test("--own acts on the control plane of the signed-in user", async () => {
  await using world = await openSignedIn();
  const { apiHost } = world.cloud;
  await world.ok("ctx use acme/web");
  assert.match(await world.ok("api-resources --own -o name"), /^organizationmemberships\.resourcemanager/m);
  const first = await world.run("auth can-i list organizationmemberships --own -v");
  assert.deepEqual([first.code, first.stdout], [0, "yes\n"], first.stderr);
  assert.deepEqual(asked(first), [
    `POST ${apiHost}${OWN}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`,
  ]);
  const told = await world.ok("whoami --own");
  assert.match(told, /\nControl plane: +the signed-in user's own\nSet by: +--own\n/);
  assert.equal(JSON.parse(await world.ok("whoami --own -o json")).own, true);
  // The lists of these words are another control plane's.
  assert.equal((await world.run("get organizations")).code, 0);
  for (const flags of ["--own", "--context x", "--cluster x", "--platform-wide"]) {
    assert.notEqual((await world.run(`get organizations ${flags}`)).code, 0, flags);
  }
  onlyPrintedError(await world.run("get --raw /apis/none --own --error-format json"), {
    code: "NOT_FOUND",
    message: /^There is no such thing in the control plane of the signed-in user/,
    hint: /datumctl api-resources --own$/,
  });
  onlyPrintedError(
    await world.run("api-versions --own --error-format json", {
      env: { DATUMCTL_TOKEN: "opaque", DATUMCTL_API_HOSTNAME: apiHost },
    }),
    { code: "USAGE", message: /^The token of DATUMCTL_TOKEN does not say whose it is/ },
  );
});

Deno.test("the flags that say where exclude each other", async () => {
  await using world = await openSignedIn();
  const flags = [
    "--organization acme",
    "--project web",
    "--platform-wide",
    "--own",
    "--cluster x",
    "--context x",
  ];
  for (const [at, one] of flags.entries()) {
    for (const other of flags.slice(at + 1)) {
      const { code, stderr } = await world.run(`api-resources ${other} ${one}`);
      assert.deepEqual(
        [code, /cannot be used with option/.test(stderr)],
        [2, true],
        `${one} ${other}: ${stderr}`,
      );
    }
  }
});

/** Writes entries for Ada (the organization acme) and Grace (the project web), whose context is then the current one. */
async function writeEntries(world: World): Promise<{ acme: string; web: string }> {
  const write = (words: string) =>
    world.ok(`auth update-kubeconfig --exec-command datumctl --skip-validation ${words}`);
  await write(`--organization acme --profile ${at(world, ADA)}`);
  await write(`--project web --profile ${at(world, GRACE)}`);
  await world.sandbox.store.update(at(world, ADA), () => ({ inUse: undefined }));
  const { apiHost } = world.cloud;
  return { acme: `datum-organization-acme-${apiHost}`, web: `datum-project-web-${apiHost}` };
}

Deno.test("--context acts on the server of a context of the session that acts, and on no other", async () => {
  await using world = await openSignedIn(GRACE);
  await world.ok(`auth switch ${ADA}`);
  const { acme, web } = await writeEntries(world);
  const config = parse(await Deno.readTextFile(world.kubeconfig));
  for (const { name, context } of config.contexts) if (name === acme) context.namespace = "shop";
  await Deno.writeTextFile(world.kubeconfig, JSON.stringify(config));
  const reviewed = async (words: string) => {
    const { stdout, stderr } = await world.run(`auth can-i get cm --context ${acme} -o json -v ${words}`);
    assert.match(stderr, /organizations\/acme\/control-plane\/apis\/authorization/);
    return JSON.parse(stdout).spec.resourceAttributes.namespace;
  };
  assert.deepEqual([await reviewed(""), await reviewed("-n store")], ["shop", "store"]);

  const refused = async (words: string, expected: Parameters<typeof onlyPrintedError>[1]) =>
    onlyPrintedError(await world.run(`${words} --error-format json`), expected);
  // Of another stored session, of the same one by its profile, of none.
  await refused(`auth can-i get cm --context ${web}`, {
    code: "USAGE",
    message: new RegExp(`^The context "${web}" is for the session "${at(world, GRACE)}"\\.$`),
    hint: new RegExp(`^Act as it: --profile ${at(world, GRACE)}$`),
  });
  assert.equal(await world.ok(`auth can-i get cm --context ${web} --profile ${at(world, GRACE)}`), "yes\n");
  await refused("whoami --context none", { code: "NOT_FOUND" });
  assert.match(await world.ok(`whoami --context ${acme}`), /\nOrganization: +acme\nSet by: +--context\n/);
  await refused("auth whoami --context none", {
    code: "NOT_FOUND",
    message: /^There is no context "none" in /,
    hint: new RegExp(`^Available: ${acme}, ${web}\\.$`),
  });
  onlyPrintedError(
    await world.run(`api-resources --context ${acme} --api-group x --error-format json`, {
      env: { KUBECONFIG: `${world.sandbox.folder}/none` },
    }),
    { code: "NOT_FOUND", hint: /^Write an entry first: datumctl auth update-kubeconfig/ },
  );

  // Nothing is in use, and the current context is of another session.
  await refused("auth can-i get cm", {
    code: "USAGE",
    message: new RegExp(
      `^No organization or project is in use\\. The kubeconfig's current context "${web}" is for`,
    ),
    hint: new RegExp(
      `^Act as it: --profile ${at(world, GRACE)}\nChoose one: datumctl ctx use .*--context NAME$`,
    ),
  });
  await world.ok(`logout ${GRACE}`);
  await refused("auth can-i get cm", {
    code: "USAGE",
    message: /is for the session "grace@.*", which is not here\.$/,
    hint:
      /^To go there as the session "ada@.*": datumctl auth update-kubeconfig .*--cluster datum-project-web/,
  });
});

Deno.test("a context that is not ours, has no server or follows another session is not acted on", async () => {
  await using world = await openSignedIn();
  const { apiHost } = world.cloud;
  const server = `https://${apiHost}`;
  const rows: [string, RegExp, RegExp][] = [
    [
      kubeconfigText({ server }, []).replaceAll("get-token", "other-word"),
      /has a user entry that is not datumctl's\.$/,
      /^To go there as .*--cluster c/,
    ],
    [
      kubeconfigText({}, [`--session=${at(world, ADA)}`]),
      /has no cluster entry that names a server\.$/,
      /kubectl/,
    ],
    [
      kubeconfigText({ server }, ["--active-for=api.other.example"]),
      /is for the active session of api\.other\.example, which is not here\.$/,
      /update-kubeconfig/,
    ],
  ];
  for (const [text, message, hint] of rows) {
    await Deno.writeTextFile(world.kubeconfig, text);
    onlyPrintedError(await world.run(`get --raw /x --context c --error-format json`), {
      code: "USAGE",
      message,
      hint,
    });
    const { code: exit, stderr } = await world.run("get --raw /x");
    assert.deepEqual([exit, /No organization or project is in use/.test(stderr)], [2, true], stderr);
  }
  // An entry that follows the active session is followed for a named one, too, when the person names both.
  await Deno.writeTextFile(world.kubeconfig, kubeconfigText({ server }, [`--active-for=${apiHost}`]));
  const profile = `--profile ${at(world, ADA)}`;
  onlyPrintedError(await world.run(`get --raw /version ${profile} --error-format json`), {
    code: "USAGE",
    message: new RegExp(`The kubeconfig's current context "c" is for the active session of ${apiHost}\\.$`),
    hint: /^Name it: --context c\n/,
  });
  const ran = await world.run(`get --raw /version ${profile} --context c -v`);
  assert.notEqual(ran.code, 2, ran.stderr);
});

Deno.test("a cluster of Cloudfleet is acted on by its id, without a kubeconfig", async () => {
  await using world = await openCloudfleetWorld();
  await using stranger = await startStranger();
  const { cloudfleet, sandbox } = world;
  const { organizationId, administrator, userIssuer, userClientId } = cloudfleet;
  const [cluster, second] = cloudfleet.clusters;
  assert.ok(cluster !== undefined && second !== undefined);
  const api = new URL(cloudfleet.apiUrl).host;
  const host = new URL(String(cluster.endpoint)).host;
  await world.addAdministrator("ci");

  // The address is asked for once, and what is served there, too.
  const line = `auth can-i get pods --cluster ${cluster.id} -v`;
  const review = `POST ${host}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`;
  const first = await world.run(line);
  assert.deepEqual(
    [first.stdout, asked(first)],
    ["yes\n", [
      ...[`GET ${api}/v1/clusters/${cluster.id}`, `GET ${host}/api`, `GET ${host}/apis`].sort(),
      review,
    ]],
    first.stderr,
  );
  assert.deepEqual(asked(await world.run(line)), [review]);
  assert.match(await world.ok(`get ns --cluster ${cluster.id}`), /^NAME [^]*\ndefault /);
  assert.match(await world.ok(`describe ns default --cluster ${cluster.id}`), /^Name: +default\n/);
  assert.match(
    await world.ok(`auth whoami --cluster ${cluster.id}`),
    new RegExp(`Username +service-account-${administrator.id.toLowerCase()}\n`),
  );
  // The session is for that server from then on, and for no other.
  assert.deepEqual((await sandbox.store.read("ci"))?.servers, [{ origin: cluster.endpoint }]);
  await assert.rejects(Deno.stat(world.kubeconfig), Deno.errors.NotFound);

  // What a file says of the address is held against the sealed list.
  const kept = (await filesBelow(sandbox.folder)).find((path) => path.includes(".cluster-")) ?? assert.fail();
  const text = await Deno.readTextFile(kept);
  assert.ok(text.includes(host));
  await Deno.writeTextFile(kept, text.replace(String(cluster.endpoint), stranger.https));
  assert.deepEqual(asked(await world.run(line)), [`GET ${api}/v1/clusters/${cluster.id}`, review]);
  const { file } = await sandbox.paths("ci");
  const session = await Deno.readTextFile(file);
  await Deno.writeTextFile(kept, text.replace(String(cluster.endpoint), stranger.https));
  await Deno.writeTextFile(file, session.replaceAll(String(cluster.endpoint), stranger.https));
  onlyPrintedError(await world.run(`auth whoami --cluster ${cluster.id} --error-format json`), {
    code: "WRONG_HOST",
  });
  assert.deepEqual([stranger.requests, stranger.tokens], [[], []]);
  await Deno.writeTextFile(file, session);
  await Deno.remove(kept);

  // A person's profile, and the variables.
  await world.ok(
    `auth add-profile user work ${organizationId} --issuer ${userIssuer} --client-id ${userClientId}`,
  );
  await world.login("work", "grace@example.com");
  assert.match(
    await world.ok(`auth whoami --cluster ${second.id} --profile work`),
    /Username +grace@example\.com\n/,
  );
  assert.equal(
    (await world.run(`auth can-i delete pods --cluster ${cluster.id} --profile work`)).stdout,
    "no - no rule allows it\n",
  );
  const env = {
    CLOUDFLEET_ORGANIZATION_ID: organizationId,
    CLOUDFLEET_ACCESS_TOKEN_ID: administrator.id,
    CLOUDFLEET_ACCESS_TOKEN_SECRET: administrator.secret,
  };
  assert.match(await world.ok(`auth whoami --cluster ${cluster.id}`, { env }), /service-account-/);
});

Deno.test("the first cluster that is named for a profile leaves its earlier entries at work", async () => {
  await using world = await openCloudfleetWorld();
  const [first, second] = world.cloudfleet.clusters;
  assert.ok(first !== undefined && second !== undefined);
  await world.addAdministrator("ci");
  await world.ok(`clusters kubeconfig ${first.id} --profile ci`);
  await world.ok("auth remove-profile ci");
  await world.addAdministrator("ci");
  assert.equal((await world.sandbox.store.read("ci"))?.servers, undefined);
  await world.ok(`auth whoami --cluster ${second.id}`);
  const origins = (await world.sandbox.store.read("ci"))?.servers?.map(({ origin }) => origin);
  assert.deepEqual(origins, [first.endpoint, second.endpoint]);
  await world.ok(`auth whoami --context ${first.id}/ci`);
});

Deno.test("an address that Cloudfleet's API gives is checked, and an unknown cluster named", async () => {
  await using world = await openCloudfleetWorld();
  const { cloudfleet } = world;
  const [cluster] = cloudfleet.clusters;
  await world.addAdministrator();
  const run = async (words: string, expected: Parameters<typeof onlyPrintedError>[1]) =>
    onlyPrintedError(await world.run(`${words} --error-format json`), expected);
  await run("api-resources --cluster ../tokens", { code: "USAGE", message: /cannot be the id of a cluster/ });
  await run("api-resources --cluster 0", { code: "NOT_FOUND", message: /^There is no cluster 0 at / });
  for (
    const [endpoint, message] of [
      ["http://127.0.0.1:1", /no token goes over plain http/],
      ["http://k8s.example.com", /is refused/],
      ["https://user:pass@k8s.example.com", /is refused/],
    ] as const
  ) {
    await cloudfleet.setFaults({ api: { json: { id: cluster?.id, endpoint } } });
    await run(`api-resources --cluster ${cluster?.id}`, { code: "INVALID", message });
  }
  await cloudfleet.setFaults({});
  await world.ok(`api-versions --cluster ${cluster?.id}`);
});

Deno.test("the context of a cluster of Cloudfleet is acted on, and said to be another session's", async () => {
  await using world = await openCloudfleetWorld();
  const [cluster] = world.cloudfleet.clusters;
  assert.ok(cluster !== undefined);
  await world.addAdministrator("ci");
  await world.addAdministrator("other");
  await world.ok(`clusters kubeconfig ${cluster.id} --profile ci`);
  await world.ok(`clusters kubeconfig ${cluster.id} --profile other`);
  const context = `${cluster.id}/other`;
  assert.match(await world.ok(`api-resources --context ${cluster.id}/ci -o name`), /^pods$/m);
  onlyPrintedError(await world.run("api-resources --error-format json"), {
    code: "USAGE",
    message: /^The session "ci" has no API server in use\.$/,
    hint: /--cluster ID; .*--context ID\/PROFILE$/,
  });
  const text = await Deno.readTextFile(world.kubeconfig);
  await Deno.writeTextFile(world.kubeconfig, `${text}current-context: ${context}\n`);
  onlyPrintedError(await world.run("api-resources --error-format json"), {
    code: "USAGE",
    message: new RegExp(
      `^The session "ci" has no API server in use\\. .* "${context}" is for the session "other"\\.$`,
    ),
    hint: /^Act as it: --profile other\n/,
  });
  assert.match(await world.ok("api-resources -o name --profile other"), /^pods$/m);
  assert.match(await world.ok("get ns --profile other"), /^NAME [^]*\ndefault /);
  assert.match(await world.ok("describe ns default --profile other"), /^Name: +default\n/);
  const again = await world.run("auth can-i get pods --profile other -v");
  assert.deepEqual([again.stdout, asked(again).length], ["yes\n", 1], again.stderr);
});

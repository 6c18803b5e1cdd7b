/** Tests the Cloudfleet on this machine by plain requests, by oauth4webapi and by real kubectl. */

import assert from "node:assert/strict";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";

import { kubectlPath } from "../../scripts/npm-packages.ts";
import { authorizeByHttp } from "./browser.ts";
import { startCloudfleet } from "./cloudfleet.ts";
import type { Cloudfleet, CloudfleetOptions, Credentials } from "./cloudfleet.ts";
import { documentedRoleBinding } from "./documented-role-binding.ts";

interface Answer {
  readonly status: number;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
  readonly date: Date;
}

interface Client {
  readonly options: { [oauth.customFetch]: (url: string, init: object) => Promise<Response> };
  readonly server: oauth.AuthorizationServer;
  /** Any request; a string as authorization is a bearer token. */
  ask(method: string, url: string, token?: string, body?: unknown): Promise<Answer>;
  /** A request to the token endpoint as a form. */
  grant(form: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** The JWT of a token, by `client_secret_basic`. */
  jwt(credentials: Credentials): Promise<string>;
}

function test(
  name: string,
  run: (cloudfleet: Cloudfleet, client: Client) => Promise<void>,
  options?: CloudfleetOptions,
): void {
  Deno.test(name, async () => {
    await using cloudfleet = await startCloudfleet(options);
    using http = Deno.createHttpClient({ caCerts: [cloudfleet.caPem] });
    const get = (url: string, init: object) => fetch(url, { ...init, client: http } as RequestInit);
    const fetchOptions = { [oauth.customFetch]: get };
    const issuer = new URL(cloudfleet.issuer);
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, fetchOptions),
    );
    const read = async (response: Response): Promise<Answer> => {
      const text = await response.text();
      return {
        status: response.status,
        body: text === "" ? undefined : JSON.parse(text),
        date: new Date(response.headers.get("date") ?? ""),
      };
    };
    const grant: Client["grant"] = async (form, headers = {}) =>
      await read(
        await get(String(server.token_endpoint), {
          method: "POST",
          headers,
          body: new URLSearchParams(form),
        }),
      );
    await run(cloudfleet, {
      options: fetchOptions,
      server,
      grant,
      ask: async (method, url, token, body) =>
        await read(
          await get(url, {
            method,
            headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
            body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
          }),
        ),
      jwt: async (credentials) => {
        const answer = await grant({ grant_type: "client_credentials" }, basic(credentials));
        assert.equal(answer.status, 200);
        return answer.body.access_token;
      },
    });
  });
}

function basic({ id, secret }: Credentials): Record<string, string> {
  return { authorization: `Basic ${btoa(`${id}:${secret}`)}` };
}

function post({ id, secret }: Credentials): Record<string, string> {
  return { grant_type: "client_credentials", client_id: id, client_secret: secret };
}

// The identity service -----------------------------------------------------------------------------------------------

test(
  "the token endpoint refuses what Keycloak refuses, in its words",
  async ({ administrator }, { grant }) => {
    const refused = async (...request: Parameters<typeof grant>) => {
      const { status, body } = await grant(...request);
      assert.equal(typeof body.error_description, "string");
      return [status, body.error];
    };
    const { id, secret } = administrator;
    assert.deepEqual(await refused(post({ id, secret: "wrong" })), [401, "unauthorized_client"]);
    assert.deepEqual(await refused(post({ id: "nobody", secret })), [401, "invalid_client"]);
    assert.deepEqual(await refused({ grant_type: "client_credentials" }), [401, "invalid_client"]);
    assert.deepEqual(
      await refused({ grant_type: "client_credentials" }, { authorization: "Basic %%%" }),
      [401, "invalid_client"],
    );
    assert.deepEqual(await refused({ ...post(administrator), grant_type: "password" }), [
      400,
      "unsupported_grant_type",
    ]);
    assert.deepEqual(await refused({ client_id: id, client_secret: secret }), [400, "invalid_request"]);
  },
);

test(
  "both ways of client authentication give a JWT that the JWKS verifies, with Keycloak's claims",
  async (cloudfleet, { options, server }) => {
    const { id, secret } = cloudfleet.addToken({ name: "ci", role: "User", id: "2iKo4Asy51EUx2gpJFW76t" });
    const client: oauth.Client = { client_id: id };
    const { token_endpoint_auth_methods_supported } = server;
    assert.deepEqual(token_endpoint_auth_methods_supported, ["client_secret_basic", "client_secret_post"]);
    cloudfleet.setTokenLife(60);
    for (const authentication of [oauth.ClientSecretBasic(secret), oauth.ClientSecretPost(secret)]) {
      const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, {}, options);
      const answer = await oauth.processClientCredentialsResponse(server, client, response);
      assert.equal(answer.expires_in, 60);
      const keys = createRemoteJWKSet(new URL(String(server.jwks_uri)), {
        [customFetch]: options[oauth.customFetch],
      });
      const { payload } = await jwtVerify(answer.access_token, keys, {
        issuer: cloudfleet.issuer,
        algorithms: ["RS256"],
        requiredClaims: ["sub", "aud", "jti"],
      });
      assert.equal(payload.azp, id);
      assert.equal(payload.preferred_username, "service-account-2iko4asy51eux2gpjfw76t");
      assert.equal(Number(payload.exp) - Number(payload.iat), 60);
    }
    const { minted, token, discovery, jwks } = cloudfleet.counts();
    assert.deepEqual({ minted, token, discovery, jwks }, { minted: 2, token: 2, discovery: 1, jwks: 2 });
  },
);

test(
  "a service that takes client_secret_post alone says so and refuses basic",
  async (cloudfleet, { server, grant }) => {
    assert.deepEqual(server.token_endpoint_auth_methods_supported, ["client_secret_post"]);
    const refused = await grant({ grant_type: "client_credentials" }, basic(cloudfleet.administrator));
    assert.equal(refused.status, 401);
    assert.equal((await grant(post(cloudfleet.administrator))).status, 200);
    cloudfleet.setClientAuthentication("both");
    assert.equal(
      (await grant({ grant_type: "client_credentials" }, basic(cloudfleet.administrator))).status,
      200,
    );
  },
  { clientAuthentication: "post" },
);

test("another organization's realm does not exist", async ({ issuer }, { ask }) => {
  const other = issuer.replace(/[^/]+$/, "another");
  assert.equal((await ask("GET", `${other}/.well-known/openid-configuration`)).status, 404);
});

// The API ------------------------------------------------------------------------------------------------------------

test(
  "the API is 401 without a JWT, with a made-up, expired or ended one",
  async (cloudfleet, { ask, jwt }) => {
    const url = `${cloudfleet.apiUrl}/tokens`;
    const { id, secret } = cloudfleet.addToken({ name: "ci", role: "User" });
    const good = await jwt({ id, secret });
    assert.equal((await ask("GET", url, good)).status, 200);
    cloudfleet.setTokenLife(-1);
    const expired = await jwt({ id, secret });
    cloudfleet.removeToken(id);
    for (const token of [undefined, "made-up", `${good}x`, expired, good]) {
      const { status, body } = await ask("GET", url, token);
      assert.deepEqual([status, typeof body.message], [401, "string"]);
    }
  },
);

test(
  "a User reads and changes nothing; what is not there is 404, a wrong method 405",
  async (cloudfleet, { ask, jwt }) => {
    const { apiUrl, administrator, clusters } = cloudfleet;
    const user = await jwt(cloudfleet.addToken({ name: "ci", role: "User" }));
    const mine = `${apiUrl}/tokens/${administrator.id}`;
    assert.equal((await ask("GET", mine, user)).status, 200);
    assert.deepEqual((await ask("GET", `${apiUrl}/clusters`, user)).body, clusters);
    assert.deepEqual((await ask("GET", `${apiUrl}/clusters/${clusters[1]?.id}`, user)).body, clusters[1]);
    for (
      const [method, url] of [
        ["POST", `${apiUrl}/tokens`],
        ["POST", `${mine}/regenerate`],
        ["DELETE", mine],
      ] as const
    ) {
      const { status, body } = await ask(method, url, user, method === "POST" ? {} : undefined);
      assert.deepEqual([status, typeof body.message], [403, "string"]);
    }
    const all = await jwt(administrator);
    for (const path of ["/tokens/nobody", "/clusters/none", "/nodes", ""]) {
      assert.equal((await ask("GET", apiUrl + path, all)).status, 404, path);
    }
    assert.equal((await ask("POST", `${apiUrl}/tokens/nobody/regenerate`, all)).status, 404);
    assert.equal((await ask("DELETE", `${apiUrl}/tokens/nobody`, all)).status, 404);
    assert.equal((await ask("DELETE", `${apiUrl}/clusters`, all)).status, 405);
  },
);

test(
  "a body that is not a new token is 400 and makes none",
  async ({ apiUrl, administrator }, { ask, jwt }) => {
    const token = await jwt(administrator);
    const url = `${apiUrl}/tokens`;
    for (
      const body of [
        "not json",
        "null",
        "[]",
        { role: "User" },
        { name: "", role: "User" },
        { name: 1, role: "User" },
        { name: "ci" },
        { name: "ci", role: "user" },
        { name: "ci", role: "Owner" },
      ]
    ) {
      const { status, body: answer } = await ask("POST", url, token, body);
      assert.deepEqual([status, typeof answer.message], [400, "string"], JSON.stringify(body));
    }
    assert.equal((await ask("GET", url, token)).body.length, 1);
  },
);

test(
  "a token's life: the secret is told once, works until it is regenerated, and ends with the token",
  async (cloudfleet, { ask, jwt, grant }) => {
    const { apiUrl } = cloudfleet;
    const all = await jwt(cloudfleet.administrator);
    const created = await ask("POST", `${apiUrl}/tokens`, all, { name: "ci", role: "User" });
    assert.equal(created.status, 201);
    const { id, secret, ...rest } = created.body;
    assert.match(id, /^[1-9A-HJ-NP-Za-km-z]{22}$/);
    assert.deepEqual(rest, { name: "ci", role: "User" });

    const url = `${apiUrl}/tokens/${id}`;
    const unused = await ask("GET", url, all);
    assert.deepEqual(Object.keys(unused.body), ["id", "name", "role", "date_created"]);
    assert.ok(Math.abs(Date.parse(unused.body.date_created) - Date.now()) < 60_000);
    const token = await jwt({ id, secret });
    assert.ok(Date.parse((await ask("GET", url, all)).body.last_used) > 0);

    const regenerated = await ask("POST", `${url}/regenerate`, all);
    assert.deepEqual(Object.keys(regenerated.body), ["id", "secret"]);
    assert.equal((await grant(post({ id, secret }))).status, 401);
    assert.equal((await grant(post(regenerated.body))).status, 200);

    const listed = await ask("GET", `${apiUrl}/tokens`, all);
    assert.ok(!JSON.stringify(listed.body).includes(regenerated.body.secret));
    assert.equal((await ask("DELETE", url, all)).status, 204);
    assert.equal((await ask("GET", url, all)).status, 404);
    assert.equal((await ask("GET", url, token)).status, 401);
    assert.equal((await grant(post(regenerated.body))).status, 401);

    const known = cloudfleet.secrets().map(({ value }) => value);
    for (const value of [secret, regenerated.body.secret, all, token]) assert.ok(known.includes(value));
  },
);

test(
  "a person signs in at an issuer of their own; the API takes their tokens by their role",
  async (cloudfleet, { ask, options }) => {
    const { apiUrl, userIssuer } = cloudfleet;
    const client: oauth.Client = { client_id: cloudfleet.userClientId };
    const issuer = new URL(userIssuer);
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, options),
    );
    const signIn = async (email: string) => {
      const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
      const redirectUri = "http://127.0.0.1:49152/datumctl/auth/callback";
      const url = new URL(String(server.authorization_endpoint));
      url.search = new URLSearchParams({
        client_id: client.client_id,
        response_type: "code",
        redirect_uri: redirectUri,
        scope: "openid",
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      }).toString();
      const redirect = await authorizeByHttp(cloudfleet, url.href, email);
      const answered = oauth.validateAuthResponse(server, client, redirect, state);
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        answered,
        redirectUri,
        verifier,
        options,
      );
      return await oauth.processAuthorizationCodeResponse(server, client, response);
    };
    const ada = await signIn("ada@example.com");
    for (const token of [ada.access_token, ada.id_token]) {
      assert.equal((await ask("POST", `${apiUrl}/tokens`, token, { name: "ci", role: "User" })).status, 201);
      const namespaces = `${cloudfleet.clusters[0]?.endpoint}/api/v1/namespaces`;
      assert.equal((await ask("GET", namespaces, token)).status, 200);
    }
    const grace = await signIn("grace@example.com");
    assert.equal((await ask("GET", `${apiUrl}/tokens`, grace.access_token)).status, 200);
    assert.equal((await ask("POST", `${apiUrl}/tokens`, grace.access_token, {})).status, 403);
    const zoe = await signIn("zoe@example.com");
    assert.equal((await ask("GET", `${apiUrl}/tokens`, zoe.access_token)).status, 401);
  },
);

// Faults -------------------------------------------------------------------------------------------------------------

test("faults meet the endpoint they are set for, and heal", async (cloudfleet, { ask, grant, jwt }) => {
  const { apiUrl, administrator } = cloudfleet;
  const token = await jwt(administrator);
  await cloudfleet.setFaults({ token: { json: { error: "server_error" }, status: 503, times: 1 } });
  assert.equal((await grant(post(administrator))).status, 503);
  assert.equal((await grant(post(administrator))).status, 200);

  await cloudfleet.setFaults({
    api: { json: { message: "busy" }, status: 500 },
    token: { lostAnswer: true },
  });
  assert.equal((await ask("GET", `${apiUrl}/clusters`, token)).status, 500);
  cloudfleet.resetCounts();
  await assert.rejects(() => grant(post(administrator)));
  assert.equal(cloudfleet.counts().minted, 1);

  for (const down of ["issuer", "api"] as const) {
    await cloudfleet.setFaults({ down: [down] });
    await assert.rejects(() =>
      down === "issuer" ? jwt(administrator) : ask("GET", `${apiUrl}/clusters`, token)
    );
    await cloudfleet.setFaults({});
    assert.equal((await ask("GET", `${apiUrl}/clusters`, await jwt(administrator))).status, 200);
  }
});

test(
  "a clock offset moves the Date headers, the JWT's times and what counts as expired",
  async (cloudfleet, { ask, grant, jwt }) => {
    const { apiUrl, administrator } = cloudfleet;
    const before = await jwt(administrator);
    await cloudfleet.setFaults({ clockOffset: 600 });
    const { body, date } = await grant(post(administrator));
    const offset = (time: number) => Math.round((time - Date.now()) / 10_000) * 10;
    assert.equal(offset(date.getTime()), 600);
    const claims = JSON.parse(
      atob(body.access_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")),
    );
    assert.equal(offset(claims.iat * 1000), 600);
    const answer = await ask("GET", `${apiUrl}/clusters`, body.access_token);
    assert.deepEqual([answer.status, offset(answer.date.getTime())], [200, 600]);
    assert.equal((await ask("GET", `${apiUrl}/clusters`, before)).status, 401);
  },
);

// Clusters -----------------------------------------------------------------------------------------------------------

test("a cluster refuses an expired JWT and that of a deleted token", async (cloudfleet, { ask, jwt }) => {
  const url = `${cloudfleet.clusters[0]?.endpoint}/api/v1/namespaces`;
  const { id, secret } = cloudfleet.addToken({ name: "ci", role: "User" });
  const good = await jwt({ id, secret });
  assert.equal((await ask("GET", url, good)).status, 200);
  cloudfleet.setTokenLife(-1);
  const expired = await ask("GET", url, await jwt({ id, secret }));
  assert.deepEqual([expired.status, expired.body.kind], [401, "Status"]);
  cloudfleet.removeToken(id);
  assert.equal((await ask("GET", url, good)).status, 401);
  assert.equal((await ask("GET", url)).status, 401);
  assert.equal(cloudfleet.counts().clusters, 4);
});

test(
  "a User reads no secrets and no bindings; a Role with resource names gives just those",
  async (cloudfleet, { ask, jwt }) => {
    const root = String(cloudfleet.clusters[0]?.endpoint);
    const rbac = `${root}/apis/rbac.authorization.k8s.io/v1`;
    const all = await jwt(cloudfleet.administrator);
    const { id, secret } = cloudfleet.addToken({ name: "ci", role: "User" });
    const user = await jwt({ id, secret });
    const secrets = `${root}/api/v1/namespaces/default/secrets`;
    for (const url of [secrets, `${rbac}/clusterrolebindings`]) {
      assert.equal((await ask("GET", url, user)).status, 403);
      assert.equal((await ask("GET", url, all)).status, 200);
    }
    const make = async (url: string, body: Record<string, unknown>) =>
      assert.equal((await ask("POST", url, all, body)).status, 201);
    for (const name of ["one", "two"]) {
      await make(secrets, { apiVersion: "v1", kind: "Secret", metadata: { name } });
    }
    const about = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: "one-secret" } };
    await make(`${rbac}/namespaces/default/roles`, {
      ...about,
      kind: "Role",
      rules: [{ verbs: ["get"], apiGroups: [""], resources: ["secrets"], resourceNames: ["one"] }],
    });
    await make(`${rbac}/namespaces/default/rolebindings`, {
      ...about,
      kind: "RoleBinding",
      subjects: [{ kind: "User", name: `service-account-${id.toLowerCase()}` }],
      roleRef: { kind: "Role", name: "one-secret" },
    });
    assert.equal((await ask("GET", `${secrets}/one`, user)).status, 200);
    assert.equal((await ask("GET", `${secrets}/two`, user)).status, 403);
    assert.equal((await ask("DELETE", `${secrets}/one`, user)).status, 403);
    assert.equal((await ask("GET", secrets, user)).status, 403);
  },
);

const program = await kubectlPath("v35").catch(() => undefined);

if (program === undefined) {
  Deno.test({ name: "kubectl is not on this machine: skipped", ignore: true, fn: () => {} });
} else {
  test("kubectl: view gets and does not delete, a RoleBinding gives more, deletion ends it", async (
    cloudfleet,
    { jwt },
  ) => {
    const home = await Deno.makeTempDir();
    try {
      const ci = cloudfleet.addToken({ name: "ci", role: "User", id: "nFYyVdtg8K1aDujwk3YFh1" });
      const tokens = { admin: await jwt(cloudfleet.administrator), ci: await jwt(ci) };
      const kubectl = async (who: keyof typeof tokens, ...args: string[]) => {
        const { stdout, stderr } = await new Deno.Command(program, {
          args: [
            ...["--server", String(cloudfleet.clusters[0]?.endpoint), "--token", tokens[who]],
            ...["--certificate-authority", cloudfleet.caFile, ...args],
          ],
          clearEnv: true,
          env: { HOME: home },
        }).output();
        return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      };
      const there = ["-n", "your-namespace"];
      const name = "service-account-nfyyvdtg8k1adujwk3yfh1";

      assert.match(
        await kubectl("ci", "auth", "whoami"),
        new RegExp(`Username +${name}\\n.*cloudfleet:users`, "s"),
      );
      assert.match(await kubectl("admin", "create", "namespace", "your-namespace"), /created/);
      assert.match(await kubectl("admin", "create", "configmap", "one", "--from-literal=a=1"), /created/);
      assert.match(await kubectl("admin", ...there, "create", "configmap", "two"), /created/);
      assert.match(await kubectl("ci", "get", "configmaps", "-A"), /default +one .*your-namespace +two /s);
      assert.match(await kubectl("ci", "delete", "configmap", "one"), new RegExp(`Forbidden.*"${name}"`));
      assert.match(await kubectl("ci", ...there, "auth", "can-i", "delete", "configmaps"), /^no/);
      assert.match(await kubectl("ci", "auth", "can-i", "--list"), /configmaps .*\[get list watch\]/);

      await Deno.writeTextFile(`${home}/binding.yaml`, documentedRoleBinding(ci.id));
      assert.match(await kubectl("ci", "apply", "-f", `${home}/binding.yaml`), /Forbidden/);
      assert.match(await kubectl("admin", "apply", "-f", `${home}/binding.yaml`), /created/);
      assert.match(await kubectl("admin", "apply", "-f", `${home}/binding.yaml`), /unchanged/);
      await Deno.writeTextFile(
        `${home}/other.yaml`,
        documentedRoleBinding(ci.id).replace("name: cluster-admin\n", "name: edit\n"),
      );
      assert.match(await kubectl("admin", "apply", "-f", `${home}/other.yaml`), /cannot change roleRef/);
      assert.match(await kubectl("ci", ...there, "auth", "can-i", "*", "*"), /^yes/);
      assert.match(await kubectl("ci", ...there, "delete", "configmap", "two"), /deleted/);
      assert.match(await kubectl("ci", "delete", "configmap", "one"), /Forbidden/);
      const bind = ["create", "clusterrolebinding", "editors", "--clusterrole=edit", `--user=${name}`];
      assert.match(await kubectl("admin", ...bind), /created/);
      assert.match(await kubectl("admin", "get", "clusterrolebindings"), /editors +ClusterRole\/edit/);
      assert.match(await kubectl("ci", "delete", "configmap", "one"), /deleted/);

      cloudfleet.removeToken(ci.id);
      assert.match(await kubectl("ci", "get", "configmaps"), /must be logged in|Unauthorized/);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
}

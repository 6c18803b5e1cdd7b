/** Proves what is known of Cloudfleet: its table of operations, its addresses, and what variables and answers may say. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { type ErrorCode } from "../../../src/errors.ts";
import {
  cloudfleetAddress,
  sessionOfVariables,
  tokenProfile,
} from "../../../src/providers/cloudfleet/profile.ts";
import {
  checkedRole,
  CLOUDFLEET_REFUSALS,
  type CloudfleetApi,
  cloudfleetApi,
  clusterAddress,
  isSecret,
  kubernetesUser,
} from "../../../src/providers/cloudfleet/api.ts";
import {
  checkedApiUrl,
  checkedId,
  isId,
  type Operation,
  OPERATIONS,
  operationsOf,
  requestOf,
} from "../../../src/providers/cloudfleet/operations.ts";
import { environmentCredentials } from "../../../src/sessions/open.ts";
import type { Fetch } from "../../../src/system/network.ts";
import { asJson } from "../../as-json.ts";
import { expectError, expectRejection } from "../../expect-error.ts";
import { openTestClient } from "../../http/test-client.ts";
import { ours } from "../../fuzz.ts";

const variables = (values: Readonly<Record<string, string>>) => (name: string) => values[name];

const WRONG_OPERATIONS: readonly (readonly [flag: string, words: RegExp])[] = [
  ["rename=POST /tokens/{id}/name", /"rename" is not an operation.*list, create/],
  ["regenerate", /"regenerate" is not an operation/],
  ["list=HEAD /tokens", /does not begin with GET, POST/],
  ["list=get /tokens", /does not begin with GET, POST/],
  ["list=GET tokens", /no path below/],
  ["list=GET //evil.example.com/tokens", /no path below/],
  ["list=GET https://evil.example.com/tokens", /no path below/],
  ["list=GET /tokens#x", /no path below/],
  ["list=GET /../v2/tokens", /leads upwards/],
  ["list=GET /tokens/.", /leads upwards/],
  ["delete=DELETE /tokens", /needs \{id\} once/],
  ["delete=DELETE /{id}/{id}", /needs \{id\} once/],
  ["create=POST /tokens/{id}", /but there is no id yet/],
  ["delete=DELETE /tokens/{id}/{name}", /another placeholder/],
  ["delete=DELETE /tokens/{id", /another placeholder/],
];

for (const [flag, words] of WRONG_OPERATIONS) {
  Deno.test(`--operation ${flag} is refused`, () => {
    expectError(() => operationsOf([flag]), { code: "USAGE", says: words });
  });
}

Deno.test("an operation is asked for as the table has it, or as it was replaced", () => {
  const organization = "acme";
  const places = { id: "2iKo4Asy51EUx2gpJFW76t", organization };
  assert.deepEqual(requestOf("regenerate", {}, places), {
    method: "POST",
    path: "/tokens/2iKo4Asy51EUx2gpJFW76t/regenerate",
  });
  const flags = ["regenerate = PUT /organizations/{organization}/tokens/{id}/secret?force=true"];
  assert.deepEqual(requestOf("regenerate", operationsOf(flags), places), {
    method: "PUT",
    path: "/organizations/acme/tokens/2iKo4Asy51EUx2gpJFW76t/secret?force=true",
  });
  assert.deepEqual(requestOf("list", operationsOf(flags), { organization }), {
    method: "GET",
    path: "/tokens",
  });
});

Deno.test("an override that was kept is checked again before it is used", () => {
  expectError(() => requestOf("list", { list: "GET //evil.example.com" }, { organization: "acme" }), {
    code: "USAGE",
    says: /no path below/,
  });
});

Deno.test("no id leads a request elsewhere", () => {
  const operations = Object.keys(OPERATIONS) as Operation[];
  fc.assert(fc.property(fc.string(), fc.constantFrom(...operations), (id, operation) => {
    if (!isId(id) && OPERATIONS[operation].includes("{id}")) {
      expectError(() => requestOf(operation, {}, { id, organization: "acme" }), {
        code: "USAGE",
        says: /id/,
      });
      return;
    }
    const { path } = requestOf(operation, {}, { id, organization: "acme" });
    assert.doesNotMatch(path, /[?#\s]/);
    const url = new URL(`https://api.example.com/v1${path}`);
    assert.ok(url.pathname.startsWith("/v1/") && url.host === "api.example.com");
  }));
  const overrides = operationsOf(["list=GET /organizations/{organization}/tokens"]);
  for (const organization of ["", ".", "..", "a/b"]) {
    expectError(() => requestOf("list", overrides, { organization }), {
      code: "USAGE",
      says: /cannot be the id of an organization/,
    });
  }
  for (const id of ["", ".", "..", "a/b", "a b", "-x", "x\n", "é", "a".repeat(129)]) {
    expectError(() => checkedId("a token", id), { code: "USAGE", says: /cannot be the id of a token/ });
  }
});

Deno.test("the API's address is https, or http on loopback, without a query", () => {
  for (
    const wrong of [
      "http://api.example.com",
      "api.example.com",
      "https://u:p@x.example",
      "https://x.example/?a",
    ]
  ) {
    expectError(() => checkedApiUrl(wrong, "--api-url"), {
      code: "USAGE",
      says: /^--api-url: the API's address/,
    });
  }
  assert.equal(checkedApiUrl("https://API.example.com/v1/", "--api-url"), "https://api.example.com/v1");
  assert.equal(checkedApiUrl("http://127.0.0.1:8080/v1", "--api-url"), "http://127.0.0.1:8080/v1");
});

Deno.test("a role is known in any case, and no other is", () => {
  assert.equal(checkedRole("administrator"), "Administrator");
  assert.equal(checkedRole(" USER "), "User");
  expectError(() => checkedRole("ROLE"), {
    code: "USAGE",
    says: /"ROLE" is not a token role.*Administrator, User/,
  });
});

Deno.test("a token is inside a cluster what the documentation says", () => {
  assert.equal(kubernetesUser("nFYyVdtg8K1aDujwk3YFh1"), "service-account-nfyyvdtg8k1adujwk3yfh1");
});

Deno.test("a cluster's address is what the API says, else made of its id and region", () => {
  assert.equal(clusterAddress({ id: "c1", endpoint: "https://x.example" }), "https://x.example");
  assert.equal(clusterAddress({ id: "c1", region: "europe-1a" }), "https://c1.europe-1a.cfke.io");
  assert.equal(clusterAddress({ id: "c1", region: "evil.example/", endpoint: "" }), undefined);
  assert.equal(clusterAddress({ id: "c1" }), undefined);
});

Deno.test("a secret is one line of plain characters", () => {
  for (const wrong of ["", " ", "a\nb", "a\r", " a", "a ", "é", "\u200b", "a".repeat(4097)]) {
    assert.equal(isSecret(wrong), false, JSON.stringify(wrong));
  }
  for (const good of ["a", "KGuXrYJrlNubvpvWRx92ADpPQTlrHIJh", "a b", "~!@#$%^&*()", "a".repeat(4096)]) {
    assert.ok(isSecret(good));
  }
});

const ALL = {
  CLOUDFLEET_ORGANIZATION_ID: "acme",
  CLOUDFLEET_ACCESS_TOKEN_ID: "nFYyVdtg8K1aDujwk3YFh1",
  CLOUDFLEET_ACCESS_TOKEN_SECRET: "a-secret",
  CLOUDFLEET_ISSUER: "https://auth.example.com/realms/acme",
};

for (const missing of Object.keys(ALL)) {
  Deno.test(`variables without ${missing} are refused by its name`, async () => {
    const { [missing as keyof typeof ALL]: _, ...rest } = ALL;
    await expectRejection(sessionOfVariables(variables(rest)), { code: "USAGE", says: new RegExp(missing) });
  });
}

Deno.test("the variables are a profile of their own, with the API that is known unless they name another", async () => {
  const session = await sessionOfVariables(variables(ALL));
  assert.equal(session.name, "env:CLOUDFLEET_ACCESS_TOKEN_ID");
  assert.deepEqual([String(session.kind), session.organization, session.apiHost], [
    "api-token",
    "acme",
    "api.cloudfleet.ai",
  ]);
  assert.equal(session.credentials, "", "nothing of it is in what is shown");
  const credentials = environmentCredentials(session);
  assert.equal(credentials?.clientSecret, "a-secret");
  assert.deepEqual(credentials?.api, { url: "https://api.cloudfleet.ai/v1" });
  const elsewhere = await sessionOfVariables(
    variables({ ...ALL, CLOUDFLEET_API_URL: "https://api.example.com/v2" }),
  );
  assert.equal(elsewhere.apiHost, "api.example.com");
});

Deno.test("a profile's place is the flags', else what was kept, else the variables'", async () => {
  const env = variables({
    CLOUDFLEET_ISSUER: "https://b.example.com",
    CLOUDFLEET_API_URL: "https://b.example.com/v1",
  });
  const kept = {
    issuer: "https://a.example.com",
    apiHost: "a.example.com",
    api: { url: "https://a.example.com/v1", list: "GET /all" },
  };
  assert.equal((await cloudfleetAddress({}, env)).issuer, "https://b.example.com");
  assert.deepEqual(asJson(await cloudfleetAddress({}, env, kept)), kept);
  const flags = {
    issuer: "https://c.example.com",
    apiUrl: "https://c.example.com/v3/",
    operation: ["list=GET /x"],
  };
  assert.deepEqual(asJson(await cloudfleetAddress(flags, env, kept)), {
    issuer: "https://c.example.com",
    apiHost: "c.example.com",
    api: { url: "https://c.example.com/v3", list: "GET /x" },
  });
  for (const issuer of ["http://auth.example.com", "auth.example.com", "https://auth.example.com?x=1"]) {
    await expectRejection(cloudfleetAddress({ issuer }, env), {
      code: "USAGE",
      says: /^--issuer: the issuer/,
    });
  }
  await expectRejection(cloudfleetAddress({}, variables({ CLOUDFLEET_ISSUER: "http://x.example" })), {
    code: "USAGE",
    says: /^CLOUDFLEET_ISSUER: the issuer/,
  });
});

Deno.test("a token's secret is sealed and not among what is shown", () => {
  const place = {
    issuer: "https://a.example.com",
    apiHost: "a.example.com",
    api: { url: "https://a.example.com/v1" },
  };
  const profile = tokenProfile({ organization: "acme", tokenId: "T1", secret: "a-secret" }, place);
  assert.doesNotMatch(JSON.stringify(profile.session), /a-secret/);
  assert.equal(profile.credentials.clientSecret, "a-secret");
});

/** The API behind a fetch that is handed in. */
function apiOf(fetch: Fetch): CloudfleetApi {
  const client = openTestClient({
    baseUrl: "https://api.example.com/v1",
    what: "Cloudfleet's API",
    who: 'the profile "ci"',
    refusals: CLOUDFLEET_REFUSALS,
    fetch,
  });
  return cloudfleetApi({ client, operations: {}, organization: "acme", warn: () => {} });
}

const REFUSALS: readonly (readonly [
  status: number,
  call: (api: CloudfleetApi) => Promise<unknown>,
  code: ErrorCode,
  words: RegExp,
])[] = [
  [403, (api) => api.createToken({ name: "x", role: "User" }), "FORBIDDEN", /the role Administrator/],
  [404, (api) => api.token("T1"), "NOT_FOUND", /no token T1 .*: datumctl tokens list\./],
  [404, (api) => api.deleteToken("T1"), "NOT_FOUND", /no token T1 .*: datumctl tokens list\./],
  [404, (api) => api.cluster("C1"), "NOT_FOUND", /no cluster C1 .*: datumctl clusters list\./],
  [404, (api) => api.clusters(), "NOT_FOUND", /--operation/],
  [409, (api) => api.createToken({ name: "x", role: "User" }), "CONFLICT", /: datumctl tokens list$/],
  [422, (api) => api.createToken({ name: "x", role: "User" }), "INVALID", /the server's words/],
];

for (const [at, [status, call, code, words]] of REFUSALS.entries()) {
  Deno.test(`refusal ${at + 1}, a ${status}, is ${code} and sends nobody to Kubernetes`, async () => {
    const api = apiOf(() => Promise.resolve(Response.json({ message: "the server's words" }, { status })));
    const { hint } = await expectRejection(call(api), { code, says: words });
    assert.doesNotMatch(hint ?? "", /api-resources|can-i|kubectl/);
  });
}

Deno.test("what Kubernetes says to a stranger is a plain 403 here, and asks for no other token", async () => {
  let asked = 0;
  const api = apiOf(() => {
    asked += 1;
    return Promise.resolve(Response.json({ message: 'User "system:anonymous"' }, { status: 403 }));
  });
  await expectRejection(api.tokens(), { code: "FORBIDDEN", says: /Administrator/ });
  assert.equal(asked, 1);
});

Deno.test("whatever the API answers is taken as what it should be, or refused with a code", async () => {
  const json = fc.oneof(
    fc.jsonValue(),
    fc.record({ id: fc.constantFrom("T1", "../x", 1, null), secret: fc.jsonValue() }, { requiredKeys: [] }),
    fc.array(
      fc.record({ id: fc.constantFrom("T1", "C-2", "a/b"), name: fc.jsonValue() }, { requiredKeys: ["id"] }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(json, fc.constantFrom(200, 201, 400, 401, 403, 404, 500), async (body, status) => {
      const api = apiOf(() => Promise.resolve(Response.json(body, { status })));
      for (
        const call of [
          () => api.tokens(),
          () => api.token("T1"),
          () => api.createToken({ name: "x", role: "User" }),
          () => api.regenerateToken("T1"),
          () => api.deleteToken("T1"),
          () => api.clusters(),
          () => api.cluster("C1"),
        ]
      ) {
        const value = await ours<unknown>(call);
        for (const one of Array.isArray(value) ? value : [value]) {
          if (typeof one === "object") assert.ok(isId(one.id));
          else if (one !== undefined) assert.ok(isSecret(one));
        }
      }
    }),
  );
});

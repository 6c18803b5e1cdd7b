/** Proves whom flags and a user entry make requests as, and the headers that say so. */

import assert from "node:assert/strict";
import {
  cacheSource,
  entryFieldsFor,
  flagsFor,
  type Impersonation,
  impersonationHeaders,
  impersonationLabel,
  impersonationOf,
} from "../../src/kube/impersonation.ts";
import { expectError, expectRejection } from "../expect-error.ts";
import { openTestClient } from "../http/test-client.ts";
import { kubernetesRefusals } from "../../src/kube/refusal.ts";

const NOBODY = { groups: [], uid: undefined, extra: [] };
const ZOE: Impersonation = { ...NOBODY, user: "zoe" };
const WHOLE: Impersonation = {
  user: "zoë",
  groups: ["a,b", "c d"],
  uid: "5",
  extra: [["Scopes/Ab%", "x=1"], ["Scopes/Ab%", ""], ["o", "ü"]],
};

const entry = (fields: Readonly<Record<string, unknown>>) => ({ name: "datum-ada", fields });

Deno.test("each part comes from its flag, else from the user entry; extras key by key", () => {
  assert.equal(impersonationOf({}), undefined);
  assert.equal(impersonationOf({}, entry({ as: "", "as-groups": null, exec: {} })), undefined);
  assert.deepEqual(impersonationOf({ as: "zoe" }), ZOE);
  const stored = entry({
    as: "grace",
    "as-uid": "7",
    "as-groups": ["x"],
    "as-user-extra": { a: ["1", "2"], b: ["3"] },
  });
  assert.deepEqual(impersonationOf({}, stored), {
    user: "grace",
    uid: "7",
    groups: ["x"],
    extra: [["a", "1"], ["a", "2"], ["b", "3"]],
  });
  assert.deepEqual(
    impersonationOf({ as: "zoe", asGroup: ["y", "z"], asUid: "8", asUserExtra: ["a=4", "c=5=6"] }, stored),
    { user: "zoe", uid: "8", groups: ["y", "z"], extra: [["b", "3"], ["a", "4"], ["c", "5=6"]] },
  );
  assert.deepEqual(impersonationOf({ asGroup: ["y"] }, entry({ as: "grace" })), {
    ...NOBODY,
    user: "grace",
    groups: ["y"],
  });
});

Deno.test("a user entry that kubectl could not read is KUBECONFIG, not nobody", () => {
  for (
    const fields of [
      { as: 5 },
      { as: "zoe", "as-uid": 5 },
      { as: "zoe", "as-groups": "x" },
      { as: "zoe", "as-groups": [5] },
      { as: "zoe", "as-user-extra": ["a"] },
      { as: "zoe", "as-user-extra": { a: "b" } },
    ]
  ) {
    expectError(() => impersonationOf({}, entry(fields)), {
      code: "KUBECONFIG",
      message: /^as\S* of the user entry "datum-ada" is not what kubectl writes there/,
    }, JSON.stringify(fields));
  }
  expectError(() => impersonationOf({}, entry({ "as-groups": ["x"] })), {
    code: "USAGE",
    message: /^as-groups of the user entry "datum-ada" is given without a user/,
  });
  expectError(() => impersonationOf({}, entry({ as: "zoe\r\nImpersonate-Group: system:masters" })), {
    code: "USAGE",
    message: /^as of the user entry "datum-ada" has a control character/,
  });
  expectError(() => impersonationOf({}, entry({ as: "zoe\ud800" })), "USAGE");
  expectError(() => impersonationOf({ as: "zoe\ufffd" }), "USAGE");
});

Deno.test("headers: one for each group and value, UTF-8, keys percent-encoded as client-go does it", () => {
  assert.deepEqual(impersonationHeaders(WHOLE), [
    ["impersonate-user", "zo\u00c3\u00ab"],
    ["impersonate-uid", "5"],
    ["impersonate-group", "a,b"],
    ["impersonate-group", "c d"],
    ["impersonate-extra-Scopes%2FAb%25", "x=1"],
    ["impersonate-extra-Scopes%2FAb%25", ""],
    ["impersonate-extra-o", "\u00c3\u00bc"],
  ]);
  assert.deepEqual(impersonationHeaders({ ...ZOE, extra: [["ü !#$&'*+-.^_`|~()", "v"]] }).at(-1), [
    "impersonate-extra-%C3%BC%20!#$&'*+-.^_`|~%28%29",
    "v",
  ]);
});

Deno.test("a name as long as a command line may have is no trouble of ours", () => {
  const [[, value] = []] = impersonationHeaders({ ...ZOE, user: "ü".repeat(200_000) });
  assert.equal(value?.length, 400_000);
});

Deno.test("what is told of it can be given back: flags, and the fields of a user entry", () => {
  assert.deepEqual(flagsFor(WHOLE), [
    "--as=zoë",
    "--as-group=a,b",
    "--as-group=c d",
    "--as-uid=5",
    "--as-user-extra=Scopes/Ab%=x=1",
    "--as-user-extra=Scopes/Ab%=",
    "--as-user-extra=o=ü",
  ]);
  for (const one of [ZOE, WHOLE]) {
    const written = JSON.parse(JSON.stringify(entryFieldsFor(one)));
    assert.deepEqual(impersonationOf({}, entry(written)), one);
  }
  assert.equal(impersonationLabel(WHOLE), "zoë, groups a,b and c d, uid 5");
  assert.equal(impersonationLabel({ ...ZOE, user: "a\u202eb" }), "a b");
});

Deno.test("a cache is for one user: each part makes another one", () => {
  const url = "https://api.example.com";
  const others = [ZOE, { ...ZOE, groups: ["a"] }, { ...ZOE, uid: "a" }, {
    ...ZOE,
    extra: [["a", "b"]] as const,
  }];
  const sources = [undefined, ...others, { ...ZOE, user: "zoe2" }].map((one) => cacheSource(url, one));
  assert.equal(new Set(sources).size, sources.length);
  assert.equal(sources[0], url);
});

/** What a client is told that acts as somebody, by a server that refuses everything with that message. */
async function refusedAs(user: string, message: string, status = 403) {
  let asked = 0;
  const client = openTestClient({
    fetch: () => {
      asked += 1;
      return Promise.resolve(Response.json({ kind: "Status", message, reason: "Forbidden" }, { status }));
    },
    token: (force) => Promise.resolve(force ? "new" : "old"),
    actingAs: user,
    refusals: kubernetesRefusals({ FORBIDDEN: "ask", NOT_FOUND: "look" }, {
      where: ["--project", "web"],
      impersonation: { ...ZOE, user },
    }),
  });
  return { error: await expectRejection(client.get("/api")), asked: () => asked };
}

Deno.test("a 403 of an impersonated system:anonymous is FORBIDDEN, and costs no new token", async () => {
  for (const user of ["system:anonymous", "zoe"]) {
    const { error, asked } = await refusedAs(
      user,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group ""',
    );
    assert.deepEqual([error.code, error.hint, asked()], ["FORBIDDEN", "ask", 1]);
    assert.match(error.message, new RegExp(`^Not allowed: ada@example\\.com as ${user} may not do this`));
  }
});

Deno.test("a server that does not know the token says that nobody may impersonate: a new token is tried", async () => {
  for (const user of ["system:anonymous", "zoe"]) {
    const { error, asked } = await refusedAs(
      user,
      `users "${user}" is forbidden: User "system:anonymous" cannot impersonate resource "users" in API group ""`,
    );
    assert.deepEqual([error.code, asked()], ["SESSION_REJECTED", 2]);
    assert.match(error.message, /does not accept a fresh token of ada@example\.com \(/);
  }
  assert.deepEqual((await refusedAs("zoe", "Unauthorized", 401)).error.code, "SESSION_REJECTED");
});

Deno.test("who may not impersonate is told what it takes, and asks for their own rights", async () => {
  const { error, asked } = await refusedAs(
    "zoe",
    'users "zoe" is forbidden: User "ada@example.com" cannot impersonate resource "users" in API group ""',
  );
  assert.deepEqual([error.code, error.exitCode, asked()], ["FORBIDDEN", 5, 1]);
  assert.match(
    error.message,
    /users "zoe" is forbidden: User "ada@example\.com" cannot impersonate resource "users"/,
  );
  assert.match(
    error.hint ?? "",
    /RBAC verb impersonate .*datumctl auth can-i --list --project web$/,
  );
});

/** Proves which organization or project a command acts on, and what said so. */

import assert from "node:assert/strict";
import { kubeconfigPaths, loadKubeconfig } from "../../../src/kubeconfig/file.ts";
import { CLOUDFLEET } from "../../../src/providers/cloudfleet/facts.ts";
import { DATUM } from "../../../src/providers/datum/facts.ts";
import { scopeOfServer } from "../../../src/providers/datum/control-plane-address.ts";
import { scopeOfContext } from "../../../src/providers/datum/kubeconfig-context.ts";
import { chosenScope, type ScopeFlags, scopeInUse } from "../../../src/providers/datum/scope.ts";
import { OIDC } from "../../../src/providers/oidc/facts.ts";
import { STUDIO } from "../../../src/providers/studio/facts.ts";
import type { Session } from "../../../src/sessions/session.ts";
import { asJson } from "../../as-json.ts";
import { CLOUDS } from "../../clouds.ts";
import { expectError } from "../../expect-error.ts";

const BOTH = { organization: "acme", project: "web" };

function chosen(
  flags: ScopeFlags,
  variables: Record<string, string> = {},
  inUse: Session["inUse"] = undefined,
) {
  return chosenScope(flags, { env: (name) => variables[name], inUse });
}

Deno.test("flags that name two things exclude each other", () => {
  expectError(() => chosen({ organization: "acme", project: "web" }), {
    code: "USAGE",
    message: /--organization and --project/,
  });
  expectError(() => chosen({ project: "web", platformWide: true }), {
    code: "USAGE",
    message: /--project and --platform-wide/,
  });
  expectError(() => chosen({ organization: "acme", platformWide: true }), {
    code: "USAGE",
    message: /--organization and --platform/,
  });
});

Deno.test("what cannot be an id is refused wherever it comes from", () => {
  expectError(() => chosen({ project: "Web" }), "USAGE");
  expectError(() => chosen({ organization: "../users/1" }), "USAGE");
  expectError(() => chosen({}, { DATUM_PROJECT: "a/b" }), "USAGE");
  expectError(() => chosen({}, { DATUM_ORGANIZATION: "" + "x".repeat(254) }), "USAGE");
  expectError(() => chosen({}, { DATUM_PROJECT: "web", DATUM_ORGANIZATION: "A" }), "USAGE");
  expectError(() => chosen({}, {}, { organization: "ok", project: "not ok" }), "USAGE");
  expectError(() => chosen({}, {}, { organization: "not ok", project: "web" }), "USAGE");
});

Deno.test("a flag comes before a variable, a variable before what is in use", () => {
  const variables = { DATUM_PROJECT: "data", DATUM_ORGANIZATION: "initech" };
  assert.deepEqual(chosen({ project: "site" }, variables, BOTH), {
    kind: "project",
    id: "site",
    source: "--project",
  });
  assert.deepEqual(chosen({ organization: "umbrella" }, variables, BOTH), {
    kind: "organization",
    id: "umbrella",
    source: "--organization",
  });
  assert.deepEqual(chosen({ platformWide: true }, variables, BOTH), {
    kind: "platform",
    source: "--platform-wide",
  });
  assert.deepEqual(chosen({}, variables, BOTH), {
    kind: "project",
    id: "data",
    organization: "initech",
    source: "DATUM_PROJECT",
  });
  assert.deepEqual(chosen({}, { DATUM_ORGANIZATION: "initech" }, BOTH), {
    kind: "organization",
    id: "initech",
    source: "DATUM_ORGANIZATION",
  });
});

Deno.test("the organization in use is not said of a project that a variable names", () => {
  assert.deepEqual(asJson(chosen({}, { DATUM_PROJECT: "data" }, BOTH)), {
    kind: "project",
    id: "data",
    source: "DATUM_PROJECT",
  });
});

Deno.test("of an organization and a project in use, the project is acted on", () => {
  assert.deepEqual(scopeInUse(BOTH), { kind: "project", id: "web" });
  assert.deepEqual(scopeInUse({ organization: "acme" }), { kind: "organization", id: "acme" });
  assert.equal(scopeInUse({}), undefined);
  assert.equal(scopeInUse(undefined), undefined);
  assert.equal(chosen({}), undefined);
});

Deno.test("with nothing in use, the way to it is one that the session's provider has", async () => {
  const hint = async (provider: Session["provider"]) =>
    (await CLOUDS.nothingInUse({ name: "work", provider })).hint ?? "";
  assert.match(await hint(DATUM), /datumctl ctx use ORG/);
  for (const provider of [CLOUDFLEET, OIDC, STUDIO]) {
    assert.doesNotMatch(await hint(provider), /ctx use|--project|--organization/, String(provider));
  }
  assert.match(await hint(CLOUDFLEET), /datumctl clusters kubeconfig ID/);
  assert.match(await hint(OIDC), /datumctl auth update-kubeconfig --server URL/);
  assert.match(await hint(STUDIO), /--profile NAME/);
});

Deno.test("an address tells its control plane on both group names, and nothing that is no id", () => {
  const at = (path: string) => scopeOfServer(`https://api.example.com/apis/${path}`);
  assert.deepEqual(at("resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane"), {
    kind: "project",
    id: "web",
  });
  assert.deepEqual(at("resourcemanager.datumapis.com/v1alpha/organizations/acme/control-plane/"), {
    kind: "organization",
    id: "acme",
  });
  assert.equal(at("resourcemanager.miloapis.com/v1alpha1/projects/%2e%2e/control-plane"), undefined);
  assert.equal(at("resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane/api"), undefined);
  assert.equal(at("iam.miloapis.com/v1alpha1/users/1/control-plane"), undefined);
});

Deno.test("the kubeconfig's context is followed for the session that it is pinned to, or the active one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "scope-" });
  try {
    const path = `${folder}/config`;
    const write = (args: string[]) =>
      Deno.writeTextFile(
        path,
        JSON.stringify({
          "current-context": "mine",
          clusters: [{ name: "c", cluster: { server: "https://api.example.com:8443" } }],
          contexts: [{ name: "mine", context: { cluster: "c", user: "u", namespace: "shop" } }],
          users: [{
            name: "u",
            user: { exec: { command: "datumctl", args: ["auth", "get-token", ...args] } },
          }],
        }),
      );
    const follow = async (name: string, source: string) => {
      const kubeconfig = await loadKubeconfig(kubeconfigPaths(path, () => undefined));
      const session = { name, apiHost: "api.example.com", provider: DATUM } as Session;
      const scope = await scopeOfContext(kubeconfig, { session, source }, CLOUDS);
      return scope?.kind === "context" ? scope.context.namespace : scope;
    };
    await write(["--session=work"]);
    assert.equal(await follow("work", "the active session"), "shop");
    assert.equal(await follow("work", "--profile"), "shop");
    assert.equal(await follow("home", "the active session"), undefined, "another session's context");
    await write(["--session=work", "--active-for=api.example.com"]);
    assert.equal(await follow("work", "the active session"), "shop");
    assert.equal(await follow("work", "--profile"), "shop");
    assert.equal(await follow("home", "the active session"), undefined, "another session at that host");
    for (const place of ["elsewhere.example.com", "https://api.example.com"]) {
      await write(["--session=work", `--active-for=${place}`]);
      assert.equal(await follow("work", "--profile"), undefined, `a session that has the name at ${place}`);
    }
    await write(["--session="]);
    assert.equal(await follow("work", "the active session"), undefined, "one that names nobody");
    await write(["--active-for=api.example.com"]);
    assert.equal(await follow("home", "the active session"), "shop");
    assert.equal(await follow("home", "--profile"), undefined, "one that is not active is not followed");
    await write(["--active-for=elsewhere.example.com"]);
    assert.equal(await follow("home", "the active session"), undefined, "another host's");
    await Deno.writeTextFile(path, "");
    assert.equal(await follow("work", "the active session"), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

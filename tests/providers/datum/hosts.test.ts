/** Proves Datum's hosts, clients and control planes, with every line that is printed for a missing part. */

import assert from "node:assert/strict";
import {
  checkedScope,
  controlPlaneUrl,
  userControlPlaneUrl,
} from "../../../src/providers/datum/control-plane-address.ts";
import { datumTarget } from "../../../src/providers/datum/hosts.ts";
import { CONTROL_PLANE_APIS, type ControlPlaneApi } from "../../../src/providers/datum/facts.ts";
import { expectError } from "../../expect-error.ts";

Deno.test("no subject leads a user's control plane to another path", () => {
  const path = (subject: string) => new URL(userControlPlaneUrl("api.example.com", subject)).pathname;
  assert.equal(path("a/../b"), "/apis/iam.miloapis.com/v1alpha1/users/a%2F..%2Fb/control-plane");
  for (const subject of ["..", ".", ""]) {
    expectError(() => path(subject), "INVALID");
  }
});

Deno.test("Datum's own hosts need nothing else", () => {
  const target = datumTarget({});
  assert.deepEqual(
    [target.issuer, target.authHost, target.apiHost, target.client.id],
    ["https://auth.datum.net", "auth.datum.net", "api.datum.net", "328728232771788043"],
  );
  assert.equal(target.redirectPath, "/datumctl/auth/callback");
  assert.equal(target.deviceEndpoint, "https://auth.datum.net/oauth/v2/device_authorization");
  const staging = datumTarget({ hostname: "auth.staging.env.datum.net" });
  assert.deepEqual([staging.apiHost, staging.client.id], ["api.staging.env.datum.net", "325848904128073754"]);
});

Deno.test("a leading auth. becomes api., with its port; only there", () => {
  const of = (hostname: string) => datumTarget({ hostname, clientId: "1" }).apiHost;
  assert.equal(of("auth.example.com"), "api.example.com");
  assert.equal(of("AUTH.example.com:8443"), "api.example.com:8443");
  assert.equal(of("https://auth.auth.example.com/"), "api.auth.example.com");
  for (
    const hostname of [
      "login.example.com",
      "myauth.example.com",
      "authx.example.com",
      "127.0.0.1:8443",
      "[::1]:1",
    ]
  ) {
    expectError(() => of(hostname), { code: "USAGE", hint: /--api-hostname HOST/ });
  }
  assert.equal(
    datumTarget({ hostname: "login.example.com", apiHostname: "api.x:1", clientId: "1" }).apiHost,
    "api.x:1",
  );
});

Deno.test("what a host's name does not tell is asked for with the whole line to run", () => {
  const lines: readonly (readonly [Parameters<typeof datumTarget>[0], string, string])[] = [
    [
      { hostname: "auth.example.com" },
      "client id",
      "datumctl login --hostname auth.example.com --client-id ID",
    ],
    [
      { hostname: "login.example.com" },
      "API host and client id",
      "datumctl login --hostname login.example.com --api-hostname HOST --client-id ID",
    ],
    [
      { hostname: "login.example.com", clientId: "7" },
      "API host",
      "datumctl login --hostname login.example.com --api-hostname HOST --client-id 7",
    ],
    [
      { hostname: "login.example.com", apiHostname: "api.example.com" },
      "client id",
      "datumctl login --hostname login.example.com --api-hostname api.example.com --client-id ID",
    ],
    [
      { hostname: "login.datum.net" },
      "API host",
      "datumctl login --hostname login.datum.net --api-hostname HOST --client-id 328728232771788043",
    ],
    [
      { hostname: "[::1]:8443" },
      "API host and client id",
      "datumctl login --hostname [::1]:8443 --api-hostname HOST --client-id ID",
    ],
  ];
  for (const [choice, missing, line] of lines) {
    const error = expectError(() => datumTarget(choice), "USAGE");
    assert.ok(error.message.startsWith(`The ${missing} for `), error.message);
    assert.equal(error.hint, `Run: ${line}`);
  }
});

Deno.test("a host that only looks like Datum's gets none of Datum's client ids", () => {
  for (
    const hostname of [
      "auth.evildatum.net",
      "auth.datum.net.evil.example",
      "auth.datum.network",
      "auth.datumXnet",
    ]
  ) {
    expectError(() => datumTarget({ hostname }), { code: "USAGE", message: /client id/ });
  }
});

Deno.test("ids of organizations and projects are Kubernetes names, and nothing that leaves its path", () => {
  for (const id of ["a", "my-org", "a.b-c.d", "9", "a".repeat(253)]) {
    assert.equal(checkedScope("project", id).id, id);
  }
  for (
    const id of [
      "",
      "A",
      "-a",
      "a-",
      ".a",
      "a.",
      "a..b",
      "a/b",
      "../x",
      "a%2fb",
      "a b",
      "a\n",
      "ä",
      "a_b",
      "a".repeat(254),
      "a?b",
    ]
  ) {
    expectError(() => checkedScope("organization", id), {
      code: "USAGE",
      message: /cannot be the id of an organization/,
    });
  }
});

Deno.test("controlPlaneUrl() puts a control plane below its group and version", () => {
  const [milo, datum] = CONTROL_PLANE_APIS;
  assert.equal(
    controlPlaneUrl("api.datum.net", { kind: "organization", id: "acme" }, milo),
    "https://api.datum.net/apis/resourcemanager.miloapis.com/v1alpha1/organizations/acme/control-plane",
  );
  assert.equal(
    controlPlaneUrl("localhost:8443", { kind: "project", id: "web.1" }, datum),
    "https://localhost:8443/apis/resourcemanager.datumapis.com/v1alpha/projects/web.1/control-plane",
  );
});

Deno.test("every control-plane API that a session can remember is asked for", () => {
  // The compiler refuses a record that lacks one, or has one more.
  const remembered: Record<ControlPlaneApi, true> = {
    "resourcemanager.miloapis.com/v1alpha1": true,
    "resourcemanager.datumapis.com/v1alpha": true,
  };
  assert.deepEqual(CONTROL_PLANE_APIS.toSorted(), Object.keys(remembered).toSorted());
});

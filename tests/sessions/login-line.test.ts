/** Proves the lines that mend a session. */

import assert from "node:assert/strict";
import {
  type EntryWords,
  loginLineOfName,
  machineLoginLine,
  namesServerLine,
  newLoginLine,
  signInOfName,
} from "../../src/sessions/login-line.ts";
import type { Session } from "../../src/sessions/session.ts";
import { SESSION } from "./plain-session.ts";

Deno.test("the line that signs a machine in again names its place and way, in words that no shell takes for others", () => {
  const usual = {
    authHost: "auth.datum.net",
    apiHost: "api.datum.net",
    name: "ci",
    clientId: "",
    scopes: [],
  };
  const rows: readonly [Partial<Session>, string][] = [
    [{ kind: "pat" }, "--with-token"],
    [{ kind: "service-account", clientId: "1" }, "--credentials FILE"],
    [
      { kind: "pat", apiHost: "api.example.com" },
      "--with-token --hostname auth.datum.net --api-hostname api.example.com",
    ],
    [
      { kind: "workload", user: { subject: "gitlab:KUBE_TOKEN:https://k8s.example.com:6443" } },
      "--workload gitlab:KUBE_TOKEN --audience https://k8s.example.com:6443",
    ],
    [
      { kind: "workload", provider: "oidc", user: { subject: "file:/run/a token:aud" } },
      "--workload 'file:/run/a token' --audience aud --issuer https://auth.example.com",
    ],
    [
      {
        kind: "workload",
        user: { subject: "github:it's; rm" },
        clientId: "7",
        scopes: ["a", "b"],
        confidential: true,
      },
      "--workload github --audience 'it'\\''s; rm' --exchange --client-id 7 --scopes a,b --client-secret-file FILE",
    ],
    [{ kind: "workload", user: { subject: "strange" } }, "--workload KIND --audience AUDIENCE"],
  ];
  for (const [fields, line] of rows) {
    assert.equal(
      machineLoginLine({ ...SESSION, ...usual, ...fields }),
      `datumctl login --profile ci ${line}`,
    );
  }
});

Deno.test("loginLineOfName() names the host that is in a name, for nothing else tells where it was", () => {
  const plain = "datumctl login --profile ";
  const rows: readonly (readonly [name: string, flags: string])[] = [
    ["work", ""],
    ["ada@example.com", ""],
    ["ada@example.com@api.datum.net", ""],
    ["ada@example.com@api.datum.net-2", ""],
    ["ci@api.staging.env.datum.net", " --hostname auth.staging.env.datum.net"],
    ["ada@example.com@api.a.example", " --hostname auth.a.example --client-id ID"],
    [
      "ada@example.com@127.0.0.1:8443",
      " --hostname AUTH_HOST --api-hostname 127.0.0.1:8443 --client-id ID",
    ],
  ];
  for (const [name, flags] of rows) assert.equal(loginLineOfName(name), `${plain}${name}${flags}`);
});

Deno.test("signInOfName() leads where the entry belongs: an issuer's session to its issuer, never to a Datum", () => {
  const issuer = "https://id.example.com/realms/main";
  const rows: readonly (readonly [name: string, entry: EntryWords, sentence: string])[] = [
    ["work", { activeFor: issuer, clientId: "kube" }, `--profile work --issuer ${issuer} --client-id kube`],
    [
      "ada@example.com@id.example.com",
      { activeFor: issuer, clientId: "it's" },
      `--profile ada@example.com@id.example.com --issuer ${issuer} --client-id 'it'\\''s'`,
    ],
    [
      "work",
      { activeFor: issuer },
      `--profile work --issuer ${issuer} --client-id ID (ID is the client at that issuer, as its administrator or ` +
      "the API server's --oidc-client-id has it); for a Cloudfleet profile: " +
      "datumctl auth add-profile token work ORGANIZATION_ID TOKEN_ID",
    ],
    [
      "work",
      { activeFor: "api.example.com" },
      "--profile work --hostname auth.example.com --client-id ID",
    ],
    ["work", { activeFor: "api.datum.net" }, "--profile work"],
    ["work", {}, "--profile work"],
    ["ada@example.com@api.datum.net", {}, "--profile ada@example.com@api.datum.net"],
    [
      "ada@example.com@id.example.com",
      {},
      "--profile ada@example.com@id.example.com --hostname AUTH_HOST --api-hostname id.example.com --client-id ID; " +
      "or, where that is an OpenID issuer's: datumctl login --profile ada@example.com@id.example.com " +
      "--issuer ISSUER --client-id ID",
    ],
  ];
  for (const [name, entry, sentence] of rows) {
    assert.equal(signInOfName(name, entry), `datumctl login ${sentence}`);
  }
});

Deno.test("namesServerLine() names a cluster, a Datum's control plane, or an address", () => {
  const line = (provider: Session["provider"], server: Parameters<typeof namesServerLine>[1]) =>
    namesServerLine({ name: "work", provider }, server).replace("datumctl auth update-kubeconfig ", "");
  const address =
    "https://tunnel.example.com:8443/apis/resourcemanager.miloapis.com/v1alpha1/organizations/acme" +
    "/control-plane";
  const datums = "--organization acme --hostname tunnel.example.com:8443 --profile work";
  assert.equal(line("datum", { address }), datums);
  assert.equal(line("oidc", { address }), `--server ${address} --profile work`);
  assert.equal(line("datum", { cluster: "a b" }), "--cluster 'a b' --no-switch --profile work");
});

Deno.test("newLoginLine() leads to the place of a session, whoever comes there", () => {
  const line = (more: Partial<Session>) => newLoginLine("NAME", { ...SESSION, ...more });
  const usual = { issuer: "https://auth.datum.net", authHost: "auth.datum.net", apiHost: "api.datum.net" };
  assert.equal(line(usual), "datumctl login --profile NAME");
  assert.equal(
    line({}),
    "datumctl login --profile NAME --hostname auth.example.com --api-hostname api.example.com --client-id 1",
  );
  assert.equal(
    line({
      provider: "oidc",
      issuer: "https://id.example.com/a",
      confidential: true,
      certificateAuthority: "PEM",
    }),
    "datumctl login --profile NAME --issuer https://id.example.com/a --client-id 1 --client-secret-file FILE " +
      "--certificate-authority FILE",
  );
  assert.equal(
    line({ kind: "pat" }),
    "datumctl login --profile NAME --with-token --hostname auth.example.com --api-hostname api.example.com",
  );
});

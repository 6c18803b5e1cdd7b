/** Proves the lines that mend a session. */

import assert from "node:assert/strict";
import type { EntryWords, NamedServer } from "../../src/sessions/providers.ts";
import type { Session } from "../../src/sessions/session.ts";
import { SESSION } from "../sessions/plain-session.ts";
import { PERSONAL_ACCESS_TOKEN, SERVICE_ACCOUNT, WORKLOAD } from "../../src/providers/kinds.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";
import { CLOUDS } from "../clouds.ts";
import { DATUM } from "../../src/providers/datum/facts.ts";

Deno.test("the line that signs a machine in again names its address and way, quoted for a shell", async () => {
  const usual = {
    authHost: "auth.datum.net",
    apiHost: "api.datum.net",
    name: "ci",
    clientId: "",
    scopes: [],
  };
  const rows: readonly [Partial<Session>, string][] = [
    [{ kind: PERSONAL_ACCESS_TOKEN }, "--with-token"],
    [{ kind: SERVICE_ACCOUNT, clientId: "1" }, "--credentials FILE"],
    [
      { kind: PERSONAL_ACCESS_TOKEN, apiHost: "api.example.com" },
      "--with-token --hostname auth.datum.net --api-hostname api.example.com",
    ],
    [
      { kind: WORKLOAD, user: { subject: "gitlab:KUBE_TOKEN:https://k8s.example.com:6443" } },
      "--workload gitlab:KUBE_TOKEN --audience https://k8s.example.com:6443",
    ],
    [
      { kind: WORKLOAD, provider: OIDC, user: { subject: "file:/run/a token:aud" } },
      "--workload 'file:/run/a token' --audience aud --issuer https://auth.example.com",
    ],
    [
      {
        kind: WORKLOAD,
        user: { subject: "github:it's; rm" },
        clientId: "7",
        scopes: ["a", "b"],
        confidential: true,
      },
      "--workload github --audience 'it'\\''s; rm' --exchange --client-id 7 --scopes a,b --client-secret-file FILE",
    ],
    [{ kind: WORKLOAD, user: { subject: "strange" } }, "--workload KIND --audience AUDIENCE"],
  ];
  for (const [fields, line] of rows) {
    assert.equal(
      await CLOUDS.newLoginLine("ci", { ...SESSION, ...usual, ...fields }),
      `datumctl login --profile ci ${line}`,
    );
  }
});

Deno.test("signInOfName() names the host that is in a name, where nothing else tells where it was", async () => {
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
  for (const [name, flags] of rows) {
    assert.equal((await CLOUDS.signInOfName(name)).split("; or, ")[0], `${plain}${name}${flags}`);
  }
});

Deno.test("signInOfName() leads where the entry belongs: an issuer's session to its issuer, never to a Datum", async () => {
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
    assert.equal(await CLOUDS.signInOfName(name, entry), `datumctl login ${sentence}`);
  }
});

Deno.test("namesServerLine() names a cluster, a Datum's control plane, or an address", async () => {
  const line = async (provider: Session["provider"], server: NamedServer) =>
    (await CLOUDS.namesServerLine({ name: "work", provider }, server))
      .replace("datumctl auth update-kubeconfig ", "");
  const address =
    "https://tunnel.example.com:8443/apis/resourcemanager.miloapis.com/v1alpha1/organizations/acme" +
    "/control-plane";
  const datums = "--organization acme --hostname tunnel.example.com:8443 --profile work";
  assert.equal(await line(DATUM, { address }), datums);
  assert.equal(await line(OIDC, { address }), `--server ${address} --profile work`);
  assert.equal(await line(DATUM, { cluster: "a b" }), "--cluster 'a b' --no-switch --profile work");
});

Deno.test("newLoginLine() leads to the place of a session, whoever comes there", async () => {
  const line = (more: Partial<Session>) => CLOUDS.newLoginLine("NAME", { ...SESSION, ...more });
  const usual = { issuer: "https://auth.datum.net", authHost: "auth.datum.net", apiHost: "api.datum.net" };
  assert.equal(await line(usual), "datumctl login --profile NAME");
  assert.equal(
    await line({}),
    "datumctl login --profile NAME --hostname auth.example.com --api-hostname api.example.com --client-id 1",
  );
  assert.equal(
    await line({
      provider: OIDC,
      issuer: "https://id.example.com/a",
      confidential: true,
      certificateAuthority: "PEM",
    }),
    "datumctl login --profile NAME --issuer https://id.example.com/a --client-id 1 --client-secret-file FILE " +
      "--certificate-authority FILE",
  );
  assert.equal(
    await line({ kind: PERSONAL_ACCESS_TOKEN }),
    "datumctl login --profile NAME --with-token --hostname auth.example.com --api-hostname api.example.com",
  );
});

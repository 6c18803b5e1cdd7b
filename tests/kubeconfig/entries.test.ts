/** Proves whom an entry acts as, and what it is held to. */

import assert from "node:assert/strict";
import { asJson } from "../as-json.ts";
import { execEntry } from "../../src/kubeconfig/entries.ts";
import { type EntryIdentity, identityOf, userName } from "../../src/kubeconfig/identity.ts";
import type { Session } from "../../src/sessions/session.ts";
import * as cloudfleet from "../../src/providers/cloudfleet/facts.ts";
import * as datum from "../../src/providers/datum/facts.ts";
import { PERSON, WORKLOAD } from "../../src/providers/kinds.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";

type Place = Pick<Session, "provider" | "apiHost" | "issuer">;

const DATUM: Place = { provider: datum.DATUM, apiHost: "api.datum.net", issuer: "https://auth.datum.net" };
const REALM: Place = {
  provider: OIDC,
  apiHost: "login.example.com",
  issuer: "https://login.example.com/realms/main",
};
const CLOUDFLEET: Place = {
  provider: cloudfleet.CLOUDFLEET,
  apiHost: "api.cloudfleet.ai",
  issuer: "https://auth.example.com/realms/acme",
};

Deno.test("identityOf() pins every session whose name does not say where it belongs", () => {
  const cases:
    readonly (readonly [name: string, place: Place, activeFor: string | undefined, user: string])[] = [
      ["ada@example.com@api.datum.net", DATUM, undefined, "datum-ada@example.com@api.datum.net"],
      ["ci@api.datum.net", DATUM, undefined, "datum-ci@api.datum.net"],
      ["work", DATUM, "api.datum.net", "datum-work@api.datum.net"],
      ["api.datum.net", DATUM, "api.datum.net", "datum-api.datum.net@api.datum.net"],
      ["ada@api.datum.net-2", DATUM, "api.datum.net", "datum-ada@api.datum.net-2@api.datum.net"],
      ["ada@example.com@api.a", DATUM, "api.datum.net", "datum-ada@example.com@api.a@api.datum.net"],
      ["ada@xapi.datum.net", DATUM, "api.datum.net", "datum-ada@xapi.datum.net@api.datum.net"],
      ["env:DATUMCTL_TOKEN", DATUM, "api.datum.net", "datum-env:DATUMCTL_TOKEN@api.datum.net"],
      [
        "ada@login.example.com",
        REALM,
        REALM.issuer,
        "datum-ada@login.example.com@login.example.com/realms/main",
      ],
      ["work", REALM, REALM.issuer, "datum-work@login.example.com/realms/main"],
      ["default", CLOUDFLEET, CLOUDFLEET.issuer, "datum-default@auth.example.com/realms/acme"],
      [
        "ci@api.cloudfleet.ai",
        CLOUDFLEET,
        CLOUDFLEET.issuer,
        "datum-ci@api.cloudfleet.ai@auth.example.com/realms/acme",
      ],
    ];
  for (const [name, place, activeFor, user] of cases) {
    const identity = identityOf({ name, ...place });
    const expected: EntryIdentity = activeFor === undefined
      ? { session: name }
      : { session: name, activeFor };
    assert.deepEqual(asJson(identity), expected, name);
    assert.equal(userName(identity), user);
  }
  assert.equal(userName({ activeFor: "api.datum.net" }), "datum-active-api.datum.net");
});

Deno.test("the entry of a person's session at an issuer carries the client, and no other does", () => {
  const place = { ...REALM, clientId: "kube" };
  const flags = (session: Parameters<typeof identityOf>[0]) =>
    execEntry({ command: "datumctl", identity: identityOf(session) }).args.slice(3);
  const held = ["--session=work", `--active-for=${REALM.issuer}`];
  assert.deepEqual(flags({ name: "work", kind: PERSON, ...place }), [...held, "--client-id=kube"]);
  assert.deepEqual(flags({ name: "work", kind: WORKLOAD, ...place }), held);
  assert.deepEqual(flags({ name: "work", kind: PERSON, ...CLOUDFLEET, clientId: "1" }), [
    "--session=work",
    `--active-for=${CLOUDFLEET.issuer}`,
  ]);
  assert.deepEqual(flags({ name: "ada@api.datum.net", kind: PERSON, ...DATUM, clientId: "1" }), [
    "--session=ada@api.datum.net",
  ]);
  const identity = { activeFor: "api.datum.net" };
  assert.deepEqual(execEntry({ command: "datumctl", identity }).args.slice(3), [
    "--active-for=api.datum.net",
  ]);
});

Deno.test("the hint about a missing program names the command that wrote the entry", () => {
  const options = { command: "datumctl", identity: { session: "work" } };
  assert.match(execEntry(options).installHint ?? "", / again: datumctl auth update-kubeconfig --help$/);
  const writtenBy = "datumctl clusters kubeconfig 3f1c";
  assert.match(
    execEntry({ ...options, writtenBy }).installHint ?? "",
    / again: datumctl clusters kubeconfig 3f1c$/,
  );
});

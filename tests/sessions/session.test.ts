/** Proves what a session file must hold, how names and file names are made, and how damage is told. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { AppError } from "../../src/errors.ts";
import { parseCredentials } from "../../src/sessions/credentials.ts";
import { loginLineOfName, machineLoginLine, newLoginLine } from "../../src/sessions/remedy.ts";
import { formatSession, parseSession, type Session } from "../../src/sessions/session-file.ts";
import {
  defaultSessionName,
  fileNameOf,
  isSessionName,
  refuseNameOfOtherHost,
} from "../../src/sessions/session-name.ts";
import { seal } from "../../src/sessions/jwe.ts";
import { openSession } from "../../src/sessions/open-session.ts";
import { BOUND, failure, openSandbox, openSignIn } from "./sandbox.ts";

const SESSION: Session = {
  schemaVersion: 1,
  name: "ada@example.com@api.example.com",
  provider: "datum",
  kind: "user",
  issuer: "https://auth.example.com",
  authHost: "auth.example.com",
  apiHost: "api.example.com",
  clientId: "1",
  user: { subject: "42", email: "ada@example.com" },
  scopes: ["openid"],
  keyStore: "file",
  credentials: "a..b.c.d",
};

function refused(value: unknown): AppError {
  try {
    parseSession(typeof value === "string" ? value : JSON.stringify(value), "/x/file.json");
  } catch (thrown) {
    assert.ok(thrown instanceof AppError);
    assert.equal(thrown.code, "STORAGE");
    assert.match(thrown.message, /^\/x\/file\.json /);
    return thrown;
  }
  assert.fail(`accepted ${JSON.stringify(value)?.slice(0, 100)}`);
}

Deno.test("a session's file comes back as it was written", () => {
  assert.deepEqual(parseSession(formatSession(SESSION), "x"), SESSION);
});

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

Deno.test("a file that is empty, cut, not JSON, or JSON of another shape is refused", () => {
  const whole = formatSession(SESSION);
  for (let length = 0; length < whole.length - 2; length += 7) refused(whole.slice(0, length));
  for (const value of [null, 1, "text", [], [SESSION], {}, '{"__proto__":{}}', "\u0000".repeat(500)]) {
    refused(value);
  }
});

Deno.test("a wrong field is named", () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["name", "../../etc/passwd", /name is wrong/],
    ["name", "", /name is wrong/],
    ["provider", "evil", /provider is wrong/],
    ["kind", 1, /kind is wrong/],
    ["apiHost", "api.example.com\u001b[2J", /apiHost is wrong/],
    ["issuer", "https://auth.example.com/\u202e", /issuer is wrong/],
    ["expires", "2026-01-01\nerror: forged", /expires is wrong/],
    ["inUse", { project: "\u009b31m" }, /inUse\.project is wrong/],
    ["user", { email: "x" }, /user\.subject is wrong/],
    ["scopes", ["a", 1], /scopes\.1 is wrong/],
    ["keyStore", "nowhere", /keyStore is wrong/],
    ["kubectlToken", "refresh", /kubectlToken is wrong/],
    ["controlPlaneApi", "evil.example/v1", /controlPlaneApi is wrong/],
    ["credentials", undefined, /credentials is wrong/],
    ["schemaVersion", "1", /schemaVersion is wrong/],
    ["schemaVersion", 0, /schemaVersion is wrong/],
  ];
  for (const [field, value, message] of wrong) {
    assert.match(refused({ ...SESSION, [field]: value }).message, message);
  }
});

Deno.test("a newer schema is told as such, whatever else changed in it", () => {
  for (const session of [{ ...SESSION, schemaVersion: 2 }, { schemaVersion: 7, sealed: {} }]) {
    const error = refused(session);
    assert.match(error.message, /newer datumctl \(schema [27]\)/);
    assert.match(error.hint ?? "", /leaves the file as it is/);
  }
});

Deno.test("any JSON at all is a session or a STORAGE error", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    try {
      parseSession(text, "x");
    } catch (thrown) {
      assert.ok(thrown instanceof AppError && thrown.code === "STORAGE");
    }
  }));
});

Deno.test("a session file's name is the beginning of base32(sha256(name))", async () => {
  // printf %s ada@example.com@api.datum.net | sha256sum | xxd -r -p | base32 | head -c 16
  assert.equal(await fileNameOf("ada@example.com@api.datum.net"), oracle("ada@example.com@api.datum.net"));
  await fc.assert(fc.asyncProperty(fc.string({ unit: "grapheme" }), async (name) => {
    const file = await fileNameOf(name);
    assert.match(file, /^[a-z2-7]{16}$/);
    assert.equal(file, oracle(name.toWellFormed()));
  }));
});

function oracle(name: string): string {
  const bits = [...createHash("sha256").update(name, "utf8").digest()]
    .map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from(
    { length: 16 },
    (_, at) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(bits.slice(at * 5, at * 5 + 5), 2)],
  ).join("");
}

Deno.test("a default name is a session name, whatever the label and host are", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 200 }),
      fc.string({ maxLength: 200 }),
      (label, host) => {
        assert.ok(isSessionName(defaultSessionName(label, host)), defaultSessionName(label, host));
      },
    ),
  );
  assert.equal(defaultSessionName("ada@example.com", "api.datum.net"), "ada@example.com@api.datum.net");
  assert.equal(defaultSessionName("ada+x@example.com", "[::1]:8443"), "ada+x@example.com@-::1-:8443");
  assert.equal(defaultSessionName("Zoë O'Neil", "h:1"), "Zo--O-Neil@h:1");
  assert.equal(defaultSessionName("-.@", ""), "session");
  assert.equal(defaultSessionName("x".repeat(300), "h").length, 128);
});

Deno.test("names that could leave a folder, a command line or a keyring's account are none", () => {
  for (const name of ["", ".", "..", "-x", "a/b", "a b", "a\n", "a'b", "ä", "$x", "a".repeat(129)]) {
    assert.equal(isSessionName(name), false, name);
  }
  for (const name of ["a", "A1", "ada@example.com@api.datum.net:8443", "a".repeat(128)]) {
    assert.equal(isSessionName(name), true, name);
  }
});

Deno.test("credentials that another version sealed are damaged, not a fault of ours, and do not end a listing", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  const { credentials, key } = await openSignIn(sandbox.place, session, BOUND);
  const good = JSON.stringify(credentials);
  assert.deepEqual(parseCredentials(good.replace("{", '{"newer":1,')), { newer: 1, ...credentials });
  for (
    const text of [
      "not JSON",
      "null",
      "{}",
      JSON.stringify({ ...credentials, metadata: { ...credentials.metadata, issuer: "no address" } }),
      JSON.stringify({ ...credentials, accessTokenExpires: 1e300 }),
      JSON.stringify({ ...credentials, accessToken: 1 }),
    ]
  ) {
    assert.equal(parseCredentials(text), undefined, text);
    const sealed = { ...session, credentials: await seal(text, key) };
    const error = await failure(openSession(sandbox.place, sealed, BOUND), "STORAGE");
    assert.match(error.message, /credentials of the session "ada@example\.com@.*" are damaged/);
  }
});

Deno.test("tokens and authorities of hundreds of kilobytes are stored and read again", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({
    credentials: { accessToken: "a".repeat(700_000), certificateAuthority: "c".repeat(400_000) },
    session: { certificateAuthority: "c".repeat(400_000) },
  });
  const { file } = await sandbox.paths(session.name);
  assert.equal(parseSession(await Deno.readTextFile(file), file).certificateAuthority?.length, 400_000);
});

Deno.test("a new session cannot have the name that one at another host gets by itself", () => {
  const rows: readonly (readonly [name: string, apiHost: string, refused: boolean])[] = [
    ["ada@example.com@api.a", "api.datum.net", true],
    ["ci@api.a", "api.datum.net", true],
    ["ada@example.com@127.0.0.1:8443", "127.0.0.1:8444", true],
    ["ada@example.com@api.datum.net.evil", "api.datum.net", true],
    ["ada@example.com@api.a-2", "api.datum.net", true],
    ["ada@example.com@api.datum.net", "api.datum.net", false],
    ["ada@example.com@api.datum.net-2", "api.datum.net", false],
    ["ada@example.com@-::1-:8443", "[::1]:8443", false],
    ["ada@example.com", "api.datum.net", false],
    ["ada@example.com@work", "api.datum.net", false],
    ["work", "api.datum.net", false],
    [`${"a".repeat(105)}@example.com@api.datum.n`, "api.datum.net", false],
  ];
  for (const [name, apiHost, refused] of rows) {
    const work = () => refuseNameOfOtherHost(name, apiHost);
    if (!refused) work();
    else assert.throws(work, (thrown) => thrown instanceof AppError && thrown.code === "USAGE", name);
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

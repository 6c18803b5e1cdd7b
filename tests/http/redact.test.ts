/** Proves that no spelling of a secret that a request carries survives in the words of its answer. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import {
  isFulfilled,
  type ReadAnswer,
  redactAnswer,
  type Redactor,
  redactorOf,
  requestRedactor,
} from "../../src/http/redact.ts";

/** Letters that some encoding writes otherwise. */
const SECRET = 'S3"cr&t+ <ö>/\\=~-_.:';

function answer(status: number, body: string, type = "application/json"): ReadAnswer {
  return { status, headers: new Headers({ "content-type": type }), body: new TextEncoder().encode(body) };
}

/** The answer redacted as a plain request's is. */
function redacted(given: ReadAnswer, redact: Redactor): ReadAnswer {
  return redactAnswer(given, redact, isFulfilled(given.status));
}

const textOf = ({ body }: ReadAnswer) => new TextDecoder().decode(body);

const SPELLINGS: readonly (readonly [string, string])[] = [
  ["as it is", SECRET],
  ["percent-encoded", encodeURIComponent(SECRET)],
  [
    "percent-encoded in small letters",
    encodeURIComponent(SECRET).replace(/%../g, (byte) => byte.toLowerCase()),
  ],
  ["form-encoded", new URLSearchParams([["", SECRET]]).toString().slice(1)],
  ["escaped for JSON", JSON.stringify(SECRET).slice(1, -1)],
  [
    "escaped for JSON as Go does",
    JSON.stringify(SECRET).slice(1, -1).replaceAll("&", "\\u0026").replaceAll("<", "\\u003c").replaceAll(
      ">",
      "\\u003e",
    ),
  ],
];

Deno.test("a secret that is also one of OAuth's own words does not change what an answer means", () => {
  const redact = redactorOf(["invalid_grant", "authorization"]);
  for (const error of ["invalid_grant", "authorization_pending"]) {
    const body = JSON.stringify({ error, error_description: `authorization: ${error}` });
    const hidden = JSON.parse(textOf(redacted(answer(400, body), redact)));
    assert.equal(hidden.error, error);
    assert.match(hidden.error_description, /^…: /);
  }
});

for (const [how, spelled] of SPELLINGS) {
  Deno.test(`a secret ${how} is hidden`, () => {
    assert.equal(redactorOf([SECRET])(`bad ${spelled}!`), "bad …!");
  });
}

const BASIC = btoa("my-client:secret+with%2Fsigns");

for (
  const [what, init, words] of [
    ["a bearer token", { headers: { authorization: "Bearer opaque-token" } }, "opaque-token"],
    ["a token of another scheme", { headers: { Authorization: "token opaque-token" } }, "opaque-token"],
    ["a header without a scheme", { headers: { authorization: "opaque-token" } }, "opaque-token"],
    ["the whole of Basic", { headers: { authorization: `Basic ${BASIC}` } }, BASIC.replace(/=+$/, "")],
    [
      "the secret in Basic as it is sent",
      { headers: { authorization: `Basic ${BASIC}` } },
      "secret+with%2Fsigns",
    ],
    [
      "the secret in Basic as it is meant",
      { headers: { authorization: `Basic ${BASIC}` } },
      "secret with/signs",
    ],
    [
      "a form's refresh_token",
      { body: new URLSearchParams({ refresh_token: "refresh-token" }) },
      "refresh-token",
    ],
    ["a written form's client_secret", { body: "client_secret=a%2Fb+c-secret&x=1" }, "a/b c-secret"],
    ["JSON's code", { body: JSON.stringify({ code: "device-code" }) }, "device-code"],
  ] as const
) {
  Deno.test(`${what} is hidden from the words of its answer`, () => {
    const redact = requestRedactor(init);
    assert.equal(redact(`no: ${words}, sorry`), "no: …, sorry");
    assert.equal(textOf(redacted(answer(400, words, "text/plain"), redact)), "…");
  });
}

for (
  const field of [
    "refresh_token",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "token",
    "assertion",
    "client_assertion",
    "subject_token",
  ]
) {
  Deno.test(`the field ${field} is a secret`, () => {
    assert.equal(
      requestRedactor({ body: new URLSearchParams({ [field]: "field-secret" }) })("field-secret"),
      "…",
    );
  });
}

Deno.test("names, and what is too short to be a secret, stay", () => {
  const redact = requestRedactor({
    headers: { authorization: `Basic ${btoa("my-client:invalid")}` },
    body: new URLSearchParams({
      client_id: "my-client",
      grant_type: "refresh_token",
      scope: "openid profile",
    }),
  });
  const words = "invalid_client: my-client may not ask for openid profile with refresh_token";
  assert.equal(redact(words), words);
});

Deno.test("whatever looks like a JWT is hidden, sent or not; a word that begins alike stays", () => {
  const redact = redactorOf([]);
  assert.equal(redact("got eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln, no"), "got …, no");
  assert.equal(redact('"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."'), '"Bearer …"');
  assert.equal(redact("eyJ.a.eyJhIjoxfQ..b.c.d"), "eyJ.a.…");
  assert.equal(redact("eyJhbGciOiJub25lIn0 keyJoin.the.other"), "eyJhbGciOiJub25lIn0 keyJoin.the.other");
});

Deno.test("no escape of JSON hides a secret, in values or in names, at any depth that words are read from", () => {
  const spelled = [..."opaque-token"].map((letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join("");
  const body = `{"${spelled}":[{"message":"bad \\"${spelled}\\""}],"n":1}`;
  const hidden = redacted(answer(400, body), redactorOf(["opaque-token"]));
  assert.deepEqual(JSON.parse(textOf(hidden)), { "…": [{ message: 'bad "…"' }], n: 1 });
});

Deno.test("a content type that repeats a secret is none, whatever the status", () => {
  for (const status of [200, 400]) {
    const { headers } = redacted(
      answer(status, "{}", "x/opaque-token"),
      redactorOf(["opaque-token"]),
    );
    assert.equal(headers.get("content-type"), null);
  }
});

Deno.test("what was asked for stays byte for byte, and so does what repeats nothing", () => {
  const redact = redactorOf(["opaque-token"]);
  for (const status of [200, 201]) {
    const given = answer(status, ' {"refresh_token": "opaque-token"}');
    assert.equal(redacted(given, redact).body, given.body);
  }
  for (const body of [' {"a" : 1.0}', "no\n", ""]) {
    const given = answer(404, body);
    assert.equal(redacted(given, redact).body, given.body);
  }
});

Deno.test("nothing is said from below the depth that words are read from", () => {
  const body = `${"[".repeat(20)}"opaque-token"${"]".repeat(20)}`;
  assert.doesNotMatch(textOf(redacted(answer(400, body), redactorOf(["opaque-token"]))), /opaque/);
});

Deno.test("any hostile body is read in a moment, however deep or repetitive", () => {
  const redact = redactorOf(["opaque-token"]);
  for (const part of ["[", '{"a":', "eyJ", "eyJ-.", "eyJa.", '"\\', "opaque-toke"]) {
    const body = part.repeat(100_000);
    const closed = part === "[" ? body + "]".repeat(100_000) : body;
    const began = performance.now();
    assert.ok(textOf(redacted(answer(500, closed), redact)).length <= closed.length);
    assert.ok(performance.now() - began < 10_000);
  }
});

const JWT = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIzMTgyNzE5MzEyNDU5NTMyODEifQ." +
  "Wm9lLXNpZ25hdHVyZS1vZi1hLXRva2VuLXRoYXQtaXMtbG9uZw";
const OPAQUE = "isat_Zk3vQ9-xTnU7b_PmW2cR8yLdA5sGhJ1eKf4oB6iVtNqXz";

/** Ways to write a token that still reveal it; those that are exact are hidden from data, too. */
const DISGUISES: readonly (readonly [how: string, write: (token: string) => string, exact: boolean])[] = [
  ["as it is", (token) => token, true],
  ["in base64", btoa, true],
  ["in base64 behind one letter", (token) => btoa(`a${token}`), true],
  ["in base64 of a user and a password", (token) => btoa(`ab:${token}:cd`), true],
  ["in base64 for URLs", (token) => btoa(`??>${token}`).replaceAll("+", "-").replaceAll("/", "_"), true],
  ["in hexadecimal digits", (token) => [...token].map((c) => c.charCodeAt(0).toString(16)).join(""), true],
  ["backwards", (token) => [...token].reverse().join(""), false],
  ["in capitals", (token) => token.toUpperCase(), false],
  ["without its first letters", (token) => token.slice(5), false],
  ["without its last letters", (token) => token.slice(0, -9), false],
  ["in part", (token) => token.slice(10, 40), false],
];

for (const [how, write, exact] of DISGUISES) {
  Deno.test(`a token ${how} is hidden from words${exact ? ", and from data" : ""}`, () => {
    for (const token of [JWT, OPAQUE]) {
      const redact = requestRedactor({ headers: { authorization: `Bearer ${token}` } });
      const said = redact.prose(`no: ${write(token)}, sorry`);
      // Fewer than sixteen characters may stay at either end.
      assert.match(said, /^no: \S{0,15}…\S{0,15}, sorry$/, `${token}: ${said}`);
      if (exact) assert.match(redact.data(`is ${write(token)}.`), /^is \S{0,4}…\S{0,6}\.$/);
    }
  });
}

Deno.test("a JWT without its header, which anybody can guess, and its signature alone are hidden from data", () => {
  const redact = requestRedactor({ headers: { authorization: `Bearer ${JWT}` } });
  assert.equal(redact.data(`x ${JWT.slice(JWT.indexOf(".") + 1)} y`), "x … y");
  assert.equal(redact.data(`x ${JWT.slice(JWT.lastIndexOf(".") + 1)} y`), "x … y");
  assert.equal(redact.data(JWT.split(".")[1] ?? ""), JWT.split(".")[1], "what it says of whom is no secret");
});

Deno.test("data keeps another's token, which was asked for", () => {
  const other = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln";
  const redact = requestRedactor({ headers: { authorization: `Bearer ${OPAQUE}` } });
  assert.equal(redact.data(other), other);
  assert.equal(redact(other), "…");
});

Deno.test("of a long token its ends are looked for, in bounded time", () => {
  const token = Array.from({ length: 20_000 }, (_, at) => (at * 7919 % 36).toString(36)).join("") +
    "-end-of-the-token";
  const redact = requestRedactor({ headers: { authorization: `Bearer ${token}` } });
  assert.equal(redact.prose(`no ${token}!`), "no …!");
  assert.equal(redact.prose("no end-OF-the-token!"), "no …!");
  const began = performance.now();
  redact.prose("some words of a server ".repeat(50_000));
  assert.ok(performance.now() - began < 10_000);
});

Deno.test("words of one's own that are no piece of a secret stay", () => {
  const redact = requestRedactor({ headers: { authorization: `Bearer ${JWT}` } });
  const words =
    'User "ada@example.com" cannot list resource "projects" in API group "resourcemanager" at the cluster';
  assert.equal(redact.prose(words), words);
});

Deno.test("no text says a secret, wherever and however often it stands in there", () => {
  const secret = fc.string({ unit: "binary", minLength: 8 });
  fc.assert(
    fc.property(secret, fc.array(fc.string()), (secret, words) => {
      const said = words.join(secret) + secret;
      assert.ok(!redactorOf([secret])(said).includes(secret));
      assert.ok(!redactorOf([secret]).prose(said).includes(secret));
    }),
    { numRuns: 30 },
  );
});

/** Proves each check of an ID token, with `jose` as the signer. */

import assert from "node:assert/strict";
import { exportSPKI, importJWK, SignJWT } from "jose";
import { fetchSigningKeys, type IdTokenChecks, verifyIdToken } from "../../src/oauth/id-token.ts";
import { expectRejection } from "../expect-error.ts";
import { CLIENT, json, NOW, signingKey, TestIssuer } from "./issuer.ts";

const NONCE = "nonce-1";

function verify(issuer: TestIssuer, idToken: string, more: Partial<IdTokenChecks> = {}) {
  const metadata = issuer.discovered;
  return verifyIdToken(issuer.http(), idToken, {
    metadata,
    clientId: CLIENT,
    accessToken: "access-1",
    ...more,
  });
}

/** Fails with what {@link verify} finds wrong, its times included. */
async function verifyTimely(...args: Parameters<typeof verify>): Promise<void> {
  const { untimely } = await verify(...args);
  if (untimely !== undefined) throw untimely;
}

const SECONDS = NOW / 1000;

for (
  const [name, claims, expected] of [
    ["another iss", { iss: "https://evil.example" }, /issuer \(iss\) is "https:\/\/evil\.example"/],
    ["no iss", { iss: undefined }, /issuer \(iss\) is missing/],
    ["an iss with escape sequences", { iss: "\u001b]0;x\u0007" }, /issuer \(iss\) is "\]0;x"/],
    ["another aud", { aud: "client-2" }, /another client \(aud\)/],
    ["no aud", { aud: undefined }, /another client \(aud\)/],
    ["an empty list of aud", { aud: [] }, /another client \(aud\)/],
    ["several aud without azp", { aud: [CLIENT, "x"] }, /several audiences/],
    ["several aud and another's azp", { aud: [CLIENT, "x"], azp: "x" }, /another client \(azp\)/],
    ["one aud and another's azp", { azp: "x" }, /another client \(azp\)/],
    ["aud of ours, a number and a list", { aud: [CLIENT, 7, []] }, /several audiences/],
    ["no sub", { sub: undefined }, /no subject \(sub\)/],
    ["sub null", { sub: null }, /no subject \(sub\)/],
    ["sub a number", { sub: 4711 }, /its sub is not a text/],
    ["sub a list", { sub: ["user-1"] }, /its sub is not a text/],
    ["an empty sub", { sub: "" }, /no subject \(sub\)/],
    ["a wrong nonce", { nonce: "nonce-2" }, /nonce is not the one/],
    ["no nonce", { nonce: undefined }, /lacks the nonce/],
    ["a wrong at_hash", { at_hash: "77QmUPtjPfzWtF2AnpK9RQ" }, /\(at_hash\)/],
    ["no exp", { exp: undefined }, /lacks its expiry \(exp\)/],
    ["no iat", { iat: undefined }, /lacks its time of issue \(iat\)/],
    ["exp beyond every date", { exp: 1e300 }, /expiry \(exp\) is not a time/],
    [
      "exp of a minute ago",
      { exp: SECONDS - 60 },
      /expired at 2026-01-02T03:03:05Z and .* says 2026-01-02T03:04:05Z/,
    ],
    ["iat more than a minute ahead", { iat: SECONDS + 61 }, /issued in the future/],
    ["nbf more than a minute ahead", { nbf: SECONDS + 61 }, /not valid before/],
  ] as const
) {
  Deno.test(`an ID token with ${name} is refused with its own sentence`, async () => {
    const issuer = new TestIssuer();
    const error = await expectRejection(
      verifyTimely(issuer, await issuer.idToken({ nonce: NONCE, ...claims }), { nonce: NONCE }),
      { code: "INVALID_TOKEN", message: /^The ID token of issuer\.example was refused: / },
    );
    assert.match(error.message, expected);
  });
}

// OpenID Connect Core 1.0, 3.1.3.7, 3: as Oracle IDCS sends them.
Deno.test("audiences beside the client are refused without azp unless each of them is trusted", async () => {
  const issuer = new TestIssuer();
  const idcs = "https://idcs.example.com/";
  const token = await issuer.idToken({ aud: [CLIENT, idcs, "other's"] });
  const trusting = (...trustedAudiences: string[]) => ({ trustedAudiences });
  await expectRejection(verifyTimely(issuer, token), {
    hint: /--trust-audience https:\/\/idcs\.example\.com\/ --trust-audience 'other'\\''s'$/,
  });
  await expectRejection(verifyTimely(issuer, token, trusting(idcs)), {
    hint: /them: --trust-audience 'other'\\''s'$/,
  });
  assert.equal((await verify(issuer, token, trusting(idcs, "other's"))).claims.sub, "user-1");
  // Trust in others is none in a token that is for them alone, or was issued to them.
  const theirs = await issuer.idToken({ aud: [idcs] });
  await expectRejection(verifyTimely(issuer, theirs, trusting(idcs)), {
    message: /another client \(aud\)/,
  });
  const issuedToThem = await issuer.idToken({ aud: [CLIENT, idcs], azp: idcs });
  await expectRejection(verifyTimely(issuer, issuedToThem, trusting(idcs)), {
    message: /another client \(azp\)/,
  });
  const unprintable = await issuer.idToken({ aud: [CLIENT, "a\u001b[2J", 7, "x".repeat(300)] });
  await expectRejection(verifyTimely(issuer, unprintable), { hint: /them: --trust-audience AUD$/ });
  // The same client twice is nobody else.
  assert.equal((await verify(issuer, await issuer.idToken({ aud: [CLIENT, CLIENT] }))).claims.sub, "user-1");
});

for (const claim of ["exp", "iat", "nbf"]) {
  Deno.test(`an ID token whose ${claim} is a text is refused`, async () => {
    const issuer = new TestIssuer();
    const key = issuer.key;
    const payload = new TextEncoder().encode(JSON.stringify(issuer.claims({ [claim]: "1" })));
    const { CompactSign } = await import("jose");
    const token = await new CompactSign(payload).setProtectedHeader({ alg: key.alg, kid: "shared" }).sign(
      key.privateKey,
    );
    await expectRejection(verifyTimely(issuer, token), { message: /is not a time/ });
  });
}

Deno.test("an ID token that ended, began or was issued within 60 s of our clock is accepted", async () => {
  const issuer = new TestIssuer();
  for (const claims of [{ exp: SECONDS - 59 }, { iat: SECONDS + 60 }, { nbf: SECONDS + 60 }]) {
    assert.equal((await verify(issuer, await issuer.idToken(claims))).untimely, undefined);
  }
});

Deno.test("a time check that fails while the server's clock is a minute off is CLOCK_SKEW with both times", async () => {
  const issuer = new TestIssuer();
  const token = await issuer.idToken({ iat: SECONDS + 3600, exp: SECONDS + 7200 });
  await expectRejection(verifyTimely(issuer, token, { serverDate: NOW + 3_600_000 }), {
    code: "CLOCK_SKEW",
    message: /2026-01-02T03:04:05Z on this machine and 2026-01-02T04:04:05Z at issuer\.example/,
  });
  await expectRejection(verifyTimely(issuer, token, { serverDate: NOW + 60_000 }), "INVALID_TOKEN");
});

Deno.test("a bad signature is refused as such, even when the times are wrong too", async () => {
  const issuer = new TestIssuer();
  const forged = await issuer.idToken({ exp: 1 }, await signingKey("RS256", "shared"));
  await expectRejection(verifyTimely(issuer, forged, { serverDate: 0 }), {
    message: /signature is wrong/,
  });
});

Deno.test("changed claims under an old signature are refused", async () => {
  const issuer = new TestIssuer();
  const [header, , signature] = (await issuer.idToken()).split(".");
  const [, claims] = (await issuer.idToken({ sub: "root" })).split(".");
  await expectRejection(verifyTimely(issuer, `${header}.${claims}.${signature}`), {
    message: /signature is wrong/,
  });
});

Deno.test("alg none is refused, in any spelling, even when the metadata lists it", async () => {
  const issuer = new TestIssuer();
  issuer.metadata.id_token_signing_alg_values_supported = ["RS256", "none", "None", "HS256"];
  const [, claims, signature] = (await issuer.idToken()).split(".");
  for (const alg of ["none", "None", "NONE", "", null, undefined, ["RS256"]]) {
    const header = btoa(JSON.stringify({ alg })).replaceAll("=", "");
    for (const end of ["", signature]) {
      await expectRejection(verifyTimely(issuer, `${header}.${claims}.${end}`), {
        message: /its algorithm is/,
      });
    }
  }
  assert.equal(issuer.requests.length, 0);
});

Deno.test("HS256 is refused, even when the metadata lists it", async () => {
  const issuer = new TestIssuer();
  issuer.metadata.id_token_signing_alg_values_supported = ["RS256", "HS256"];
  const publicKey = await importJWK(issuer.key.jwk, "RS256", { extractable: true }) as CryptoKey;
  for (
    const secret of [CLIENT.padEnd(32, " "), await exportSPKI(publicKey), JSON.stringify(issuer.key.jwk)]
  ) {
    const token = await new SignJWT(issuer.claims()).setProtectedHeader({ alg: "HS256", kid: "shared" })
      .sign(new TextEncoder().encode(secret));
    await expectRejection(verifyTimely(issuer, token), { message: /algorithm is "HS256"/ });
  }
});

Deno.test("an algorithm that the metadata does not list is refused", async () => {
  const issuer = new TestIssuer();
  const key = await signingKey("ES256", "ec");
  issuer.published.push(key.jwk);
  await expectRejection(verifyTimely(issuer, await issuer.idToken({}, key)), {
    message: /algorithm is "ES256"/,
  });
});

Deno.test("RS256 alone is taken where the metadata lists no algorithms", async () => {
  const issuer = new TestIssuer();
  const key = await signingKey("ES256", "ec");
  issuer.published.push(key.jwk);
  delete issuer.metadata.id_token_signing_alg_values_supported;
  await expectRejection(verifyTimely(issuer, await issuer.idToken({}, key)), {
    message: /algorithm is "ES256"/,
  });
  assert.equal((await verify(issuer, await issuer.idToken())).claims.sub, "user-1");
});

for (
  const alg of [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
  ]
) {
  Deno.test(`${alg} is verified, with the at_hash of its own hash`, async () => {
    const issuer = new TestIssuer();
    issuer.metadata.id_token_signing_alg_values_supported = [alg];
    const key = await signingKey(alg);
    issuer.published = [key.jwk];
    const hash = alg.startsWith("Ed") ? "SHA-512" : `SHA-${alg.slice(2)}`;
    const digest = new Uint8Array(await crypto.subtle.digest(hash, new TextEncoder().encode("access-1")));
    const half = btoa(String.fromCharCode(...digest.subarray(0, digest.length / 2)));
    const at_hash = half.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const token = await issuer.idToken({ at_hash }, key);
    assert.equal((await verify(issuer, token)).claims.at_hash, at_hash);
    await expectRejection(verifyTimely(issuer, token, { accessToken: "access-2" }), {
      message: /at_hash/,
    });
  });
}

Deno.test("at_hash matches the example of OpenID Connect Core 1.0, A.3", async () => {
  const issuer = new TestIssuer();
  const token = await issuer.idToken({ at_hash: "77QmUPtjPfzWtF2AnpK9RQ" });
  assert.ok(await verify(issuer, token, { accessToken: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y" }));
});

Deno.test("an RSA key of 1024 bits is refused", async () => {
  const issuer = new TestIssuer();
  const pair = await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 1024,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  );
  const { kty, n, e } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  issuer.published = [{ kty, n, e, kid: "short" } as never];
  const [, claims] = (await issuer.idToken()).split(".");
  const signed = `${btoa(JSON.stringify({ alg: "RS256", kid: "short" })).replaceAll("=", "")}.${claims}`;
  const bytes = new Uint8Array(
    await crypto.subtle.sign("RSASSA-PKCS1-v1_5", pair.privateKey, new TextEncoder().encode(signed)),
  );
  const signature = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll(
    "=",
    "",
  );
  await expectRejection(verifyTimely(issuer, `${signed}.${signature}`), {
    message: /shorter than 2048 bits/,
  });
});

for (
  const [name, token, expected] of [
    ["no JWT", "opaque", /not a signed JWT/],
    ["five parts (encrypted)", "a.b.c.d.e", /not a signed JWT/],
    ["an unreadable header", "!.e30.", /header is unreadable/],
    ["a header that is an array", "W10.e30.", /header is unreadable/],
  ] as const
) {
  Deno.test(`an ID token with ${name} is refused`, async () => {
    await expectRejection(verifyTimely(new TestIssuer(), token), {
      code: "INVALID_TOKEN",
      message: expected,
    });
  });
}

Deno.test("a header that demands an extension is refused", async () => {
  const issuer = new TestIssuer();
  const token = await issuer.idToken({}, issuer.key, { crit: ["b64"], b64: true });
  await expectRejection(verifyTimely(issuer, token), { message: /crit/ });
});

Deno.test("a key in the token's own header is never used", async () => {
  const issuer = new TestIssuer();
  const own = await signingKey("RS256", "own");
  const token = await issuer.idToken({}, own, { jwk: own.jwk, jku: "https://evil.example/keys" });
  await expectRejection(verifyTimely(issuer, token), { message: /key that the issuer does not publish/ });
  assert.deepEqual(issuer.paths(), ["/keys"]);
});

Deno.test("with cached keys nobody is asked", async () => {
  const issuer = new TestIssuer();
  const { keys } = await verify(issuer, await issuer.idToken());
  const again = await verify(issuer, await issuer.idToken(), { keys: JSON.parse(JSON.stringify(keys)) });
  assert.deepEqual(again.keys, keys);
  assert.deepEqual(issuer.paths(), ["/keys"]);
});

for (const kid of ["rotated", "shared", undefined]) {
  Deno.test(`a key rotated just before signing works, under ${kid ? `the kid "${kid}"` : "no kid"}`, async () => {
    const issuer = new TestIssuer();
    const { keys } = await verify(issuer, await issuer.idToken());
    const key = await signingKey("RS256", kid ?? "unnamed");
    issuer.published = [key.jwk];
    const token = await issuer.idToken({}, key, { kid });
    const fresh = await verify(issuer, token, { keys });
    assert.equal(fresh.keys.keys[0]?.n, key.jwk.n);
    assert.deepEqual(issuer.paths(), ["/keys", "/keys"]);
  });
}

Deno.test("an unknown kid costs one request, then the token is refused", async () => {
  const issuer = new TestIssuer();
  const { keys } = await verify(issuer, await issuer.idToken());
  await expectRejection(
    verifyTimely(issuer, await issuer.idToken({}, await signingKey("RS256", "unknown")), {
      keys,
    }),
    { message: /key that the issuer does not publish/ },
  );
  assert.deepEqual(issuer.paths(), ["/keys", "/keys"]);
});

Deno.test("no kid works with one key and is refused with several that fit", async () => {
  const issuer = new TestIssuer();
  const token = await issuer.idToken({}, issuer.key, { kid: undefined });
  const encryption = { ...(await signingKey("RS256", "enc")).jwk, use: "enc" };
  issuer.published = [encryption, issuer.key.jwk, (await signingKey("ES256", "ec")).jwk];
  assert.equal((await verify(issuer, token)).claims.sub, "user-1");
  issuer.published.push((await signingKey("RS256", "second")).jwk);
  await expectRejection(verifyTimely(issuer, token), { message: /does not say which/ });
});

Deno.test("of the key set only public members are kept", async () => {
  const issuer = new TestIssuer();
  issuer.published = [
    { ...issuer.key.jwk, d: "private", x5c: ["certificate"], key_ops: ["verify"] },
    7 as never,
  ];
  const { keys, fetchedAt } = await fetchSigningKeys(
    issuer.http(),
    issuer.discovered,
  );
  assert.equal(fetchedAt, NOW);
  assert.deepEqual(keys.map((key) => Object.keys(key).sort()), [[
    "alg",
    "e",
    "key_ops",
    "kid",
    "kty",
    "n",
    "use",
  ]]);
});

Deno.test("a key set that is none is refused; one that cannot be had is NETWORK", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/keys"] = [() => json({ keys: "none" }), () => json({}, { status: 503 })];
  const token = await issuer.idToken();
  await expectRejection(verifyTimely(issuer, token), "INVALID_TOKEN");
  await expectRejection(verifyTimely(issuer, token), "NETWORK");
});

Deno.test("an ID token of another subject than the one expected is refused", async () => {
  const issuer = new TestIssuer();
  const expected = { issuer: String(issuer.metadata.issuer), subject: "user-2" };
  await expectRejection(verifyTimely(issuer, await issuer.idToken(), { expected }), {
    message: /another subject/,
  });
});

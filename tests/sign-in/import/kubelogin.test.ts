/** Proves which sign-in kubelogin's flags mean, and whose the files of its cache are. */

import assert from "node:assert/strict";
import {
  cachedOf,
  cachedSignIns,
  kubeloginCacheFolder,
  kubeloginFlags,
  kubeloginSignIn,
  tokensOf,
} from "../../../src/sign-in/import/kubelogin.ts";
import { inScratch } from "../../scratch.ts";

const env = (name: string) => name === "HOME" ? "/home/ada" : undefined;
const NAMED = ["--oidc-issuer-url=https://x.example/r", "--oidc-client-id=k"];

function read(...more: string[]) {
  const found = kubeloginSignIn(kubeloginFlags([...NAMED, ...more]), env);
  return "problem" in found ? assert.fail(found.problem) : found;
}

Deno.test("issuer, client, scopes, parameters, redirect URI and authorities are the same", () => {
  assert.deepEqual(read().signIn, {
    login: {
      issuer: "https://x.example/r",
      clientId: "k",
      scopes: "openid",
      authParam: undefined,
      prompt: undefined,
      redirectUri: "http://localhost:8000",
      device: false,
    },
    clientSecret: undefined,
    authority: { files: [], data: [] },
    token: undefined,
  });
  const { signIn, notes } = read(
    ...["--oidc-extra-scope=email,groups", "--oidc-extra-scope", "offline_access"],
    ...["--oidc-auth-request-extra-params=prompt=consent,kc_idp_hint=github", "--oidc-client-secret=s"],
    ...["--certificate-authority=~/ca.pem", "--certificate-authority-data=QQ==", "--oidc-use-access-token"],
    ...["--listen-address=127.0.0.1:12345", "--insecure-skip-tls-verify", "--browser-command=firefox"],
  );
  assert.equal(signIn.login.scopes, "openid,email,groups,offline_access");
  assert.deepEqual(signIn.login.authParam, ["kc_idp_hint=github"]);
  assert.equal(signIn.login.prompt, "consent");
  assert.equal(signIn.login.redirectUri, "http://localhost:12345");
  assert.equal(signIn.clientSecret, "s");
  assert.deepEqual(signIn.authority, { files: ["/home/ada/ca.pem"], data: ["QQ=="] });
  assert.equal(signIn.token, "access");
  assert.equal(notes.length, 2);
  assert.equal(read("--grant-type=device-code").signIn.login.device, true);
  assert.equal(
    read("--oidc-redirect-url=http://127.0.0.1:9/x").signIn.login.redirectUri,
    "http://127.0.0.1:9/x",
  );
});

Deno.test("Google is asked for a refresh token in its own way, as kubelogin asks", () => {
  const google = ["--oidc-issuer-url=https://accounts.google.com", "--oidc-client-id=k"];
  const found = kubeloginSignIn(kubeloginFlags(google), env);
  assert.ok("signIn" in found);
  assert.deepEqual(found.signIn.login.authParam, ["access_type=offline"]);
});

Deno.test("its cache is where its flags and variables say, and nowhere for another storage", () => {
  const of = (...args: string[]) => kubeloginCacheFolder(env, kubeloginFlags(args));
  assert.equal(of(), "/home/ada/.kube/cache/oidc-login");
  assert.equal(of("--token-cache-dir=~/x"), "/home/ada/x");
  assert.equal(of("--token-cache-storage=keyring"), undefined);
  const other = (name: string) => name === "KUBECACHEDIR" ? "/cache" : env(name);
  assert.equal(kubeloginCacheFolder(other), "/cache/oidc-login");
});

Deno.test("a file of the cache is known by its ID token, the newest first, and what is damaged is left out", () =>
  inScratch(async (folder) => {
    const jwt = (claims: object) => {
      const part = (value: object) =>
        new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url" });
      return `${part({ alg: "RS256" }).replace(/=+$/, "")}.${part(claims).replace(/=+$/, "")}.c2ln`;
    };
    const keep = (digit: string, value: unknown) =>
      Deno.writeTextFile(
        `${folder}/${digit.repeat(64)}`,
        typeof value === "string" ? value : JSON.stringify(value),
      );
    const claims = { iss: "https://x.example/r", aud: ["k", "other"], sub: "1", email: "ada@example.com" };
    await keep("a", { id_token: jwt({ ...claims, iat: 1 }), refresh_token: "old" });
    await keep("b", { id_token: jwt({ ...claims, iat: 2 }), refresh_token: "new" });
    await keep("c", { id_token: jwt({ ...claims, iat: 3, iss: "https://y.example" }), refresh_token: "y" });
    await keep("d", "{");
    await keep("e", { id_token: "x" });
    await keep("f", { id_token: jwt({ ...claims, aud: "k", iat: 0 }), refresh_token: "a\u001b[2J" });
    await Deno.writeTextFile(`${folder}/${"b".repeat(64)}.lock`, "");
    const cached = await cachedSignIns(folder);
    assert.equal(cached.length, 4);
    const found = cachedOf(cached, read().signIn);
    assert.equal(tokensOf(found)?.refreshToken, "new");
    assert.equal(tokensOf(cached.find(({ issued }) => issued === 0)), undefined);
    assert.deepEqual(await cachedSignIns(`${folder}/nothing`), []);
  }));

/** Tests the cloud as a whole: its certificates, its control from outside, its task, and that its close is one. */

import assert from "node:assert/strict";
import { createSecureContext } from "node:tls";
import { X509Certificate } from "node:crypto";

import { assertMissing } from "../scratch.ts";
import { connectCloud } from "./admin.ts";
import { signInByHttp } from "./browser.ts";
import type { Cookie } from "./browser.ts";
import { makeCertificates } from "./certificates.ts";
import { startCloud } from "./cloud.ts";
import { failsWith, makeRelyingParty } from "./relying-party.ts";

Deno.test("after the close no port answers and the CA file is gone; the ports are free for another cloud", async () => {
  const cloud = await startCloud();
  const { issuer, apiHost, caFile, caPem, admin } = cloud;
  assert.equal(await Deno.readTextFile(caFile), caPem);
  await cloud.close();
  for (const url of [issuer, `https://${apiHost}`, `${admin}/info`]) {
    await assert.rejects(fetch(url), failsWith(/refused/));
  }
  await assertMissing(caFile);

  const [authPort, apiPort] = [Number(new URL(issuer).port), Number(apiHost.split(":")[1])];
  await using again = await startCloud({ authPort, apiPort, host: "localhost" });
  assert.equal(again.issuer, `https://localhost:${authPort}`);
  using client = await makeRelyingParty(again);
  await client.signIn("ada@example.com");
});

Deno.test("a client that does not know the authority refuses the cloud", async () => {
  await using cloud = await startCloud();
  await assert.rejects(fetch(cloud.issuer), failsWith(/UnknownIssuer|certificate/));
});

Deno.test("the server's certificate is for all three loopback names, and the authority's may sign", async () => {
  const { caPem, certificatePem, keyPem } = await makeCertificates(new Date());
  const [authority, server] = [new X509Certificate(caPem), new X509Certificate(certificatePem)];
  assert.equal(authority.ca, true);
  assert.equal(server.ca, false);
  assert.match(
    String(server.subjectAltName),
    /DNS:localhost, IP Address:127\.0\.0\.1, IP Address:(::1|0:0:0:0:0:0:0:1)/,
  );
  assert.equal(server.issuer, authority.subject);
  createSecureContext({ ca: caPem, cert: certificatePem, key: keyPem });
});

Deno.test("another process can read and change everything through the control address", async () => {
  await using cloud = await startCloud();
  using client = await makeRelyingParty(cloud);
  const remote = await connectCloud(cloud.admin);
  assert.equal(remote.issuer, cloud.issuer);
  assert.equal(remote.caPem, cloud.caPem);
  assert.deepEqual(remote.users.map(({ email }) => email), cloud.users.map(({ email }) => email));

  await remote.setTokenLife(9);
  const tokens = await client.signIn("ada@example.com");
  assert.equal(tokens.expires_in, 9);
  assert.equal((await remote.counts())["token:authorization_code"], 1);
  await remote.resetCounts();
  assert.equal((await remote.counts())["total"], 0);
  await remote.setFaults({ token: { status: 500 } });
  assert.deepEqual(cloud.faults, { token: { status: 500 } });
  await remote.setFaults({});
  await remote.setControlPlanes({ groups: "datumapis" });
  assert.equal(cloud.controlPlanes.groups, "datumapis");
  await remote.revokeAll("ada@example.com");
  await assert.rejects(client.refresh(String(tokens.refresh_token)));
  await assert.rejects(remote.revokeAll("nobody@example.com"), /nobody@example\.com/);
});

Deno.test("the walker brings the browser's answer back from the loopback address", async () => {
  await using cloud = await startCloud();
  const seen: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(request.url);
    return new Response("signed in", { status: 201 });
  });
  const url = new URL(`${cloud.issuer}/oauth/v2/authorize`);
  url.search = new URLSearchParams({
    client_id: cloud.clientId,
    response_type: "code",
    scope: "openid",
    redirect_uri: `http://127.0.0.1:${server.addr.port}/callback`,
    state: "a-state",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
  }).toString();
  const answer = await signInByHttp(cloud, url.href, "ada@example.com");
  assert.equal(answer.status, 201);
  assert.equal(await answer.text(), "signed in");
  const cancelled = await signInByHttp(cloud, url.href, "ada@example.com", { cancel: true });
  await cancelled.text();
  const [first, second] = seen.map((url) => new URL(url).searchParams);
  assert.ok(first?.get("code"));
  assert.equal(first?.get("state"), "a-state");
  assert.equal(first?.get("iss"), cloud.issuer);
  assert.equal(second?.get("error"), "access_denied");
  const cookies: Cookie[] = [];
  for (const email of ["ada@example.com", "grace@example.com", "ada@example.com"]) {
    await (await signInByHttp(cloud, url.href, email, { cookies })).text();
    assert.ok(new URL(String(seen.at(-1))).searchParams.get("code"), `${email} in the browser of another`);
  }
  assert.ok(cookies.length > 0);
  await assert.rejects(signInByHttp(cloud, url.href, "nobody@example.com"), /nobody@example\.com/);
});

Deno.test("the task prints where everything is, without a warning, and ends at a signal", async () => {
  const task = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", new URL("./main.ts", import.meta.url).pathname],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = task.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("--certificate-authority")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  const remote = await connectCloud(/control +(\S+)/.exec(text)?.[1] ?? "");
  assert.match(
    text.replace(/ \\\n +/, " "),
    new RegExp(
      `datumctl login --hostname ${remote.authHost} --api-hostname ${remote.apiHost} ` +
        `--client-id ${remote.clientId} --certificate-authority ${remote.caFile}\n`,
    ),
  );
  task.kill("SIGTERM");
  while (!(await reader.read()).done);
  assert.equal(await new Response(task.stderr).text(), "");
  assert.equal((await task.status).code, 0);
  await assertMissing(remote.caFile);
});

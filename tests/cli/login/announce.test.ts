/** Proves that what is asked for comfort after a sign-in does not hold it, whatever the API host does. */

import assert from "node:assert/strict";
import { makeCertificates } from "../../cloud/certificates.ts";
import { openSandbox } from "../../sessions/sandbox.ts";
import { runLine } from "../surroundings.ts";

Deno.test("an API host that answers a blank at a time holds no sign-in longer than one request may take", async () => {
  await using sandbox = await openSandbox();
  const { caPem, certificatePem: cert, keyPem: key } = await makeCertificates(new Date());
  const caFile = `${sandbox.folder}/ca.pem`;
  await Deno.writeTextFile(caFile, caPem);
  const blank = new TextEncoder().encode(" ");
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} }, (request) => {
    if (new URL(request.url).pathname.endsWith("/exchange")) {
      return Response.json({ access_token: "minted", expires_in: 3600 });
    }
    asked++;
    let timer: ReturnType<typeof setInterval>;
    const drip = new ReadableStream<Uint8Array>({
      start(controller) {
        let left = 300; // so that the test ends even where the question does not
        timer = setInterval(() => {
          if (left-- > 0) return controller.enqueue(blank);
          clearInterval(timer);
          controller.close();
        }, 50);
      },
      cancel: () => clearInterval(timer),
    });
    return new Response(drip, { headers: { "content-type": "application/json" } });
  });
  const began = performance.now();
  const words = ["login", "--with-token", "--hostname", "auth.example.com", "--keyring", "file"];
  const host = `127.0.0.1:${server.addr.port}`;
  const { code, stderr } = await runLine(
    [...words, "--api-hostname", host, "--certificate-authority", caFile, "--request-timeout", "1s"],
    { place: sandbox.place, stdin: "dtmp_abcdefgh\n" },
  );
  assert.equal(code, 0, stderr);
  assert.ok(asked > 0, "it was asked");
  assert.ok(performance.now() - began < 10_000);
  assert.match(stderr, /Next: datumctl auth update-kubeconfig/);
  await server.shutdown();
});

/** Proves, with generated files, that no certificate authority's file breaks a sign-in. */

import fc from "../fast-check.ts";
import { certificatesOf, openNetwork } from "../../src/system/network.ts";
import { makeCertificates } from "../cloud/certificates.ts";
import { damaged, ours, RUNS } from "../fuzz.ts";

Deno.test("no authority's file breaks the program: certificates that can be used, or USAGE", async () => {
  const { caPem, keyPem } = await makeCertificates(new Date());
  const file = fc.constantFrom(
    caPem,
    `# SECRET\n${caPem}${caPem}`,
    caPem.replaceAll("\n", "\r\n"),
    keyPem,
    "SECRET",
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged(file), file), async (text) => {
      await ours(() => {
        const certificates = certificatesOf(text).join("\n");
        openNetwork(certificates)[Symbol.dispose]();
      });
    }),
    { numRuns: RUNS },
  );
});

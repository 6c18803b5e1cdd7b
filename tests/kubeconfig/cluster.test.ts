/** Proves where kubectl can tell its plugin which server asks, and where the authorities are too large for that. */

import assert from "node:assert/strict";
import { clustersServed, LARGEST_AUTHORITY, tooLargeToTell } from "../../src/kubeconfig/cluster.ts";
import { loadKubeconfig } from "../../src/kubeconfig/file.ts";
import { inScratch } from "../scratch.ts";

const SMALL = "x".repeat(LARGEST_AUTHORITY);
const LARGE = `${SMALL}xxx`;

/** Writes a kubeconfig whose clusters have these fields, each with a context of a user that it names. */
async function load(folder: string, clusters: Record<string, readonly [user: string, fields: object]>) {
  const path = `${folder}/config`;
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      clusters: Object.entries(clusters).map(([name, [, cluster]]) => ({ name, cluster })),
      contexts: Object.entries(clusters).map(([name, [user]]) => ({
        name,
        context: { cluster: name, user },
      })),
    }),
  );
  return await loadKubeconfig([path]);
}

Deno.test("an entry tells which server asks while every authority it serves is small, in the data or in a file", async () => {
  await inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/small.pem`, SMALL);
    await Deno.writeTextFile(`${folder}/large.pem`, LARGE);
    await Deno.mkdir(`${folder}/folder.pem`);
    const rows: readonly (readonly [fields: object, fits: boolean])[] = [
      [{}, true],
      [{ "certificate-authority-data": btoa(SMALL) }, true],
      [{ "certificate-authority-data": btoa(LARGE) }, false],
      [{ "certificate-authority": "small.pem" }, true],
      [{ "certificate-authority": `${folder}/small.pem` }, true],
      [{ "certificate-authority": "large.pem" }, false],
      [{ "certificate-authority": "folder.pem" }, false],
      [{ "certificate-authority": "absent.pem" }, true],
      [{ "certificate-authority": "large.pem", "certificate-authority-data": btoa("x") }, true],
    ];
    for (const [fields, fits] of rows) {
      const told = fits ? undefined : "theirs";
      const kubeconfig = await load(folder, { theirs: ["me", fields], another: ["other", LARGE_DATA] });
      const words = JSON.stringify(fields).slice(0, 80);
      assert.equal(
        await tooLargeToTell(kubeconfig, "me", { cluster: "new", server: "https://x" }),
        told,
        words,
      );
      assert.equal(await tooLargeToTell(kubeconfig, "new", { cluster: "theirs" }), told, words);
      assert.equal(
        await tooLargeToTell(kubeconfig, "me", { cluster: "theirs", server: "https://x" }),
        undefined,
      );
    }
    const kubeconfig = await load(folder, {});
    const named = { cluster: "new", server: "https://x", certificateAuthority: SMALL };
    assert.equal(await tooLargeToTell(kubeconfig, "me", named), undefined);
    const larger = { ...named, certificateAuthority: LARGE };
    assert.equal(await tooLargeToTell(kubeconfig, "me", larger), "new");
  });
});

const LARGE_DATA = { "certificate-authority-data": btoa(LARGE) };

Deno.test("a user entry serves the clusters of its contexts, each once, as the first file has them", async () => {
  await inScratch(async (folder) => {
    const [first, second] = [`${folder}/first`, `${folder}/second`];
    const cluster = (name: string, server: string) => ({ name, cluster: { server } });
    const context = (name: string, cluster: string, user: string) => ({ name, context: { cluster, user } });
    await Deno.writeTextFile(
      first,
      JSON.stringify({
        clusters: [cluster("a", "https://first")],
        contexts: [context("one", "a", "me"), context("two", "b", "me"), context("three", "absent", "me")],
      }),
    );
    await Deno.writeTextFile(
      second,
      JSON.stringify({
        clusters: [cluster("a", "https://second"), cluster("b", "https://b"), cluster("c", "https://c")],
        contexts: [context("four", "b", "me"), context("one", "c", "me"), context("five", "c", "other")],
      }),
    );
    const served = clustersServed(await loadKubeconfig([first, second]), "me");
    assert.deepEqual(served.map(({ fields }) => fields["server"]), ["https://first", "https://b"]);
  });
});

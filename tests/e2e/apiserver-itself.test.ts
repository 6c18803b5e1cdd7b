/** Proves that the tests' API server is whole, forgets on demand, and leaves nothing behind however it ends. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { pause } from "../../src/system/clock.ts";
import { exists } from "../../src/system/files.ts";
import { type KubernetesObject, startApiServer } from "../apiserver/apiserver.ts";
import { goAtHand } from "../apiserver/program.ts";

const ignore = await goAtHand() === undefined;

const ZONES = "/apis/dns.networking.miloapis.com/v1alpha1/namespaces/default/dnszones";

function zone(name: string, spec: Record<string, unknown> = {}): KubernetesObject {
  return {
    apiVersion: "dns.networking.miloapis.com/v1alpha1",
    kind: "DNSZone",
    metadata: { name },
    spec: { domainName: `${name}.example.com`, ...spec },
  };
}

/** Waits until something holds; what it takes is up to the machine. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await pause(50);
}

Deno.test({
  name: "the real API server is whole",
  ignore,
  async fn(context) {
    await using server = await startApiServer({ trusted: [] });
    assert.ok(server !== undefined);
    const { admin, url, caPem } = server;
    using client = Deno.createHttpClient({ caCerts: [caPem] });
    await context.step(
      "the kinds of Datum's shapes are whole",
      async () => {
        const status = {
          nameservers: 2,
          conditions: [{
            type: "Accepted",
            status: "True",
            reason: "Checked",
            message: "",
            lastTransitionTime: "2026-01-02T03:04:05Z",
          }],
        };
        await admin.apply({ ...zone("one", { serial: 5 }), status }, zone("two"));
        const one = await admin.send("GET", `${ZONES}/one`);
        assert.deepEqual(one.spec, {
          domainName: "one.example.com",
          dnsZoneClassName: "datum-external-global-dns",
          nameservers: 2,
          ttl: 300,
          serial: 5,
          signed: false,
        });
        assert.deepEqual(one.status, status);
        const change = (spec: unknown) =>
          admin.send("PATCH", `${ZONES}/one`, { spec }, "application/merge-patch+json");
        await assert.rejects(change({ serial: 4 }), /the serial of a zone never goes back/);
        await assert.rejects(change({ domainName: "b.example.com" }), /cannot be changed/);
        await assert.rejects(change({ nameservers: 9 }), /less than or equal to 8/);
        const scale = await admin.send("GET", `${ZONES}/one/scale`);
        assert.deepEqual([scale.kind, scale.spec], ["Scale", { replicas: 2 }]);
        const selected = await admin.send("GET", `${ZONES}?fieldSelector=spec.domainName%3Dtwo.example.com`);
        assert.deepEqual((selected.items as KubernetesObject[]).map(({ metadata }) => metadata.name), [
          "two",
        ]);

        const table = await (await fetch(url + ZONES, {
          client,
          headers: {
            authorization: `Bearer ${admin.token}`,
            accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
          },
        })).json();
        assert.deepEqual(
          table.columnDefinitions.map((
            { name, type, priority }: Record<string, unknown>,
          ) => [name, type, priority]),
          [
            ["Name", "string", 0],
            ["Domain", "string", 0],
            ["Class", "string", 0],
            ["Nameservers", "integer", 0],
            ["Signed", "boolean", 0],
            ["Weight", "number", 1],
            ["Checked", "date", 1],
            ["Accepted", "string", 0],
            ["Age", "date", 0],
          ],
        );
        const served = await admin.send("GET", "/apis/dns.networking.miloapis.com/v1alpha1");
        const [{ shortNames, categories } = {}] = served.resources as readonly Record<string, unknown>[];
        assert.deepEqual([shortNames, categories], [["dz", "zone"], ["datum", "networking"]]);
      },
    );
    await context.step(
      "deletions end: a namespace is emptied, and what an owner owns goes before or after it",
      async () => {
        const gone = async (path: string) =>
          await admin.send("GET", path).then(() => false, (thrown) => /"code":404/.test(String(thrown)));
        await admin.apply(
          { apiVersion: "v1", kind: "Namespace", metadata: { name: "short-lived" } },
          { ...zone("inside"), metadata: { name: "inside", namespace: "short-lived" } },
        );
        await admin.send("DELETE", "/api/v1/namespaces/short-lived");
        for (const propagationPolicy of ["Foreground", "Background"]) {
          await admin.apply(zone("owner"));
          const { metadata } = await admin.send("GET", `${ZONES}/owner`) as unknown as KubernetesObject;
          const { apiVersion, kind } = zone("owner");
          await admin.apply({
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: {
              name: "owned",
              ownerReferences: [{
                ...{ apiVersion, kind, name: "owner", uid: metadata.uid },
                blockOwnerDeletion: true,
              }],
            },
          });
          await admin.send("DELETE", `${ZONES}/owner`, { propagationPolicy });
          await until(() => gone(`${ZONES}/owner`));
          await until(() => gone("/api/v1/namespaces/default/configmaps/owned"));
        }
        await until(() => gone("/api/v1/namespaces/short-lived"));
      },
    );
    await context.step(
      "a restart ends watches of before with 410, and a compaction what continues an earlier list",
      async () => {
        /** The first line of an answer, asked for again while the server is still reading what is stored. */
        const first = async (path: string) => {
          for (;;) {
            const answer = await fetch(url + path, {
              client,
              headers: { authorization: `Bearer ${admin.token}` },
            });
            const [line = ""] = (await answer.text()).split("\n");
            if (line !== "" && answer.status !== 429 && answer.status < 500) return JSON.parse(line);
            await pause(50);
          }
        };
        const names = ["a", "b", "c"];
        await admin.apply(...names.map((name) => zone(name)));
        const list = await admin.send("GET", `${ZONES}?limit=1`) as unknown as {
          readonly metadata: { readonly resourceVersion: string; readonly continue: string };
        };
        const { resourceVersion, continue: token } = list.metadata;
        await admin.apply(zone("a", { serial: 1 }));
        await server.restart();
        const watched = await first(
          `${ZONES}?watch=true&timeoutSeconds=5&resourceVersion=${resourceVersion}`,
        );
        assert.deepEqual([watched.type, watched.object.code, watched.object.reason], [
          "ERROR",
          410,
          "Expired",
        ]);

        const rest = `${ZONES}?limit=1&continue=${token}`;
        assert.equal(
          (await admin.send("GET", rest)).kind,
          "DNSZoneList",
          "what is stored outlives a restart",
        );
        await server.compact();
        const { code, reason, metadata } = await first(rest);
        assert.deepEqual([code, reason], [410, "Expired"]);
        const anew = await admin.send("GET", `${ZONES}?limit=1&continue=${metadata.continue}`);
        assert.equal(
          (anew.items as KubernetesObject[])[0]?.metadata.name,
          "b",
          "an inconsistent list goes on",
        );
      },
    );
  },
});

/** Whether a process is there and is one that runs that folder's server. */
async function runs(pid: number, folder: string): Promise<boolean> {
  const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  return commandLine.includes(folder);
}

Deno.test({
  name: "nothing is left of a server that was disposed of, nor of one whose test was killed",
  ignore: ignore || Deno.build.os !== "linux",
  async fn() {
    let [folder, pid] = ["", 0];
    {
      await using server = await startApiServer({ trusted: [] });
      assert.ok(server !== undefined);
      [folder, pid] = [server.caFile.replace(/\/[^/]*$/, ""), server.pid];
      assert.deepEqual([await exists(server.caFile), await runs(pid, folder)], [true, true]);
    }
    assert.deepEqual([await exists(folder), await runs(pid, folder)], [false, false]);

    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["eval", "--quiet", "--config", `${ROOT}deno.json`],
        `import { startApiServer } from "${ROOT}tests/apiserver/apiserver.ts";
         const { caFile, pid } = await startApiServer({ trusted: [] });
         console.log(JSON.stringify({ caFile, pid }));
         await new Promise(() => setInterval(() => {}, 1000));`,
      ],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const told = JSON.parse(new TextDecoder().decode((await reader.read()).value));
    await reader.cancel();
    [folder, pid] = [told.caFile.replace(/\/[^/]*$/, ""), told.pid];
    assert.ok(await runs(pid, folder));
    child.kill("SIGKILL");
    await child.status;
    await until(async () => !await runs(pid, folder));
    assert.equal(await exists(folder), false);
  },
});

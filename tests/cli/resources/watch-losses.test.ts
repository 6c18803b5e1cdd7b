/** Proves that `get --watch` prints every change once and in order, through lost connections and an expired token. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import { pause } from "../../../src/system/clock.ts";
import { byUserinfo, startApiServer } from "../../apiserver/apiserver.ts";
import { signInByHttp } from "../../cloud/browser.ts";
import { atHand } from "../../kube/live-server.ts";
import { Writer } from "../../kube/read/writer.ts";
import { printedAddress, whenPrinted } from "../../when-printed.ts";
import { good } from "../run-line.ts";
import { ADA, openWorld } from "../world.ts";

const PATH = "/api/v1/namespaces/watched/configmaps";

/** Makes what a watch printed comparable with the changes that were made. */
type Reading = (stdout: string) => string[];

/** The flags of a watch, how to read what it prints, and how its changes look then. */
const FORMS: readonly (readonly [flags: string, read: Reading, shown: (change: string) => string])[] = [
  [
    "-o json --output-watch-events",
    (stdout) =>
      lines(stdout).map((line) => {
        const { type, object: { metadata, data } } = JSON.parse(line);
        return `${type} ${metadata.name} ${data.n}`;
      }),
    (change) => change,
  ],
  [
    "-o json",
    (stdout) =>
      stdout.split(/(?<=^\}\n)/m).map((document) => {
        const { metadata, data } = JSON.parse(document);
        return `${metadata.name} ${data.n}`;
      }),
    (change) => change.replace(/^\w+ /, ""),
  ],
  [
    "",
    (stdout) => lines(stdout).slice(1).map((line) => line.split(" ")[0] ?? ""),
    (change) => change.split(" ")[1] ?? "",
  ],
  [
    "--output-watch-events",
    (stdout) => lines(stdout).slice(1).map((line) => line.split(/ +/).slice(0, 2).join(" ")),
    (change) => change.split(" ").slice(0, 2).join(" "),
  ],
];

function lines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

/** Until something is so, or thirty seconds are over. */
async function until(isSo: () => boolean): Promise<void> {
  for (let left = 600; left > 0 && !isSo(); left -= 1) await pause(50);
}

Deno.test({
  name: "1,000 changes are printed through lost connections and an expired token, until Ctrl-C",
  ignore: !atHand,
}, async () => {
  await using world = await openWorld();
  const { cloud } = world;
  await using server = await startApiServer({
    trusted: [],
    introspect: byUserinfo(cloud),
    certificates: cloud.certificates,
  });
  assert.ok(server !== undefined);
  const { admin, proxy } = server;
  const at = `--hostname ${cloud.authHost} --api-hostname ${proxy.host} --client-id ${cloud.clientId}`;
  const login = `login ${at} --certificate-authority ${cloud.caFile} --keyring file --browser-command true`;
  good(
    await whenPrinted(
      printedAddress,
      (address) => signInByHttp(cloud, address, ADA),
      (onStderr) => world.run(login, { onStderr }),
    ),
  );
  await admin.send("POST", "/api/v1/namespaces", { metadata: { name: "watched" } });

  const interrupted = new AbortController();
  const printed = FORMS.map(() => "");
  const watches = FORMS.map(([flags], at) =>
    world.run(`get cm -l n -w -n watched --platform-wide ${flags}`.trim(), {
      interrupted: interrupted.signal,
      now: Date.now,
      sleep: (milliseconds, signal) => pause(milliseconds / 10, signal),
      onStdout: (soFar) => printed[at] = soFar,
    })
  );
  const begun = () =>
    proxy.requests.filter(({ path, status }) => path.includes("watch=true") && status === 200).length;
  await until(() => begun() === FORMS.length);
  assert.equal(begun(), FORMS.length);
  const writer = new Writer(admin, PATH);
  for (let count = 0; count < 1_000; count += 1) {
    if (count % 300 === 150) proxy.drop();
    if (count === 600) {
      const [shown = ""] = proxy.requests.flatMap(({ authorization = [] }) => authorization);
      proxy.revoke(shown.replace("Bearer ", ""));
      proxy.drop();
    }
    await writer.change();
  }
  const isAll = () => FORMS.every(([, read], at) => read(printed[at] ?? "").length >= writer.changes.length);
  await until(isAll);
  for (const [at, [flags, read, shown]] of FORMS.entries()) {
    assert.deepEqual(read(printed[at] ?? ""), writer.changes.map(shown), flags);
  }
  assert.ok(proxy.requests.some(({ status }) => status === 401), "no token was refused");
  interrupted.abort(new AppError("INTERRUPTED", "Interrupted."));
  for (const { code, stdout, stderr } of await Promise.all(watches)) {
    assert.equal(code, 130);
    assert.ok(printed.includes(stdout), "something was printed after Ctrl-C");
    // What was lost meanwhile is told, and nothing of the end.
    assert.doesNotMatch(stderr, /error|nterrupted\.$/m);
  }
});

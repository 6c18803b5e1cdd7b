/** Proves with real kubectl, a terminal and the compiled program what issuers' own words for an end come to. */

import assert from "node:assert/strict";
import { leadsTo, signInByHttp } from "../cloud/browser.ts";
import { expireSession } from "../e2e/expired-session.ts";
import { kubectl } from "./kubectls.ts";
import { openPanes, type Pane, panesAtHand } from "./panes.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const API = "client.authentication.k8s.io/v1";
const inTerminals = { ignore: kubectl === "" || !panesAtHand };
const withKubectl = { ignore: kubectl === "" };

/** Signs Ada in for tokens that are over at once, and writes the kubeconfig. */
async function signedIn(world: World): Promise<string> {
  assert.equal((await world.login(ADA)).code, 0);
  await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
  await expireSession(world);
  return `${ADA}@${world.cloud.apiHost}`;
}

const namespaces = (world: World) => world.start(kubectl, ["get", "namespaces"]).finished;

const CLAIMED = "Refresh token is invalid or has already been claimed by another client.";

/** What ends a session, and in whose words: what the issuer really does, or the answer that is put in its place. */
const ENDS: readonly (readonly [name: string, end: (world: World) => Promise<void> | void, words: string])[] =
  [
    [
      "revoked at an issuer that is ZITADEL",
      ({ cloud }) => cloud.revokeAll(ADA),
      "invalid_request: Errors.OIDCSession.RefreshTokenInvalid",
    ],
    [
      "claimed, in Dex's words",
      answering("invalid_request", CLAIMED),
      `invalid_request: ${CLAIMED.slice(0, -1)}`,
    ],
    [
      "wanting a second factor, in Entra's words",
      answering("interaction_required", "AADSTS50076: Due to a configuration change"),
      "interaction_required: AADSTS50076: Due to a configuration change",
    ],
  ];

/** The first refresh is answered so; what comes after it is as it should be. */
function answering(error: string, error_description: string): (world: World) => Promise<void> {
  return ({ cloud }) =>
    cloud.setFaults({ token: { status: 400, json: { error, error_description }, times: 1 } });
}

for (const [name, end, words] of ENDS) {
  testInWorld(`a refresh token ${name}: kubectl in a terminal signs in once and goes on`, async (world) => {
    await signedIn(world);
    await end(world);
    await using panes = openPanes(world);
    const browser = `${world.home}/browser`;
    await Deno.writeTextFile(browser, '#!/bin/sh\necho "$1" >> "$0.opened"\n', { mode: 0o700 });
    const pane: Pane = await panes.open([kubectl, "get", "namespaces"], { BROWSER: browser });
    await pane.shows(/Open this address to sign in/);
    for (const most = performance.now() + 60_000;;) {
      const opened = await Deno.readTextFile(`${browser}.opened`).catch(() => "");
      if (opened.endsWith("\n")) {
        await (await signInByHttp(world.cloud, await leadsTo(opened.trim()), ADA)).body?.cancel();
        break;
      }
      assert.ok(performance.now() < most, "no browser within 60 s");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(await pane.ended(), 0, await pane.text());
    assert.match(await pane.text(), /^project-web +Active/m);
    assert.equal(world.cloud.counts().authorization, 1);
  }, inTerminals);

  testInWorld(
    `a refresh token ${name}: without a terminal, exit 4 and the line; auth list says so`,
    async (world) => {
      const session = await signedIn(world);
      await end(world);
      const failed = await namespaces(world);
      assert.match(failed.stderr, /failed with exit code 4/);
      assert.equal(failed.stderr.match(/^error: /gm)?.length, 1, failed.stderr);
      assert.ok(failed.stderr.includes(words), failed.stderr);
      assert.ok(
        failed.stderr.includes(`\nSign in again: datumctl login --profile ${session}\n`),
        failed.stderr,
      );
      assert.equal(world.cloud.counts().token, 1, "the issuer is asked once");
      assert.match(await world.ok(["auth", "list", "-o", "wide"]), / cannot be renewed: sign in again\n$/);
      assert.equal((await world.login(ADA, ["--profile", session])).code, 0);
      const after = await namespaces(world);
      assert.equal(after.code, 0, after.stderr);
    },
    withKubectl,
  );
}

testInWorld(
  "what is refused otherwise keeps the session: kubectl is told what to check and how to sign in",
  async (world) => {
    const session = await signedIn(world);
    for (
      const [status, error, hint] of [
        [400, "invalid_request", `sign in again: datumctl login --profile ${session}\n`],
        [
          401,
          "invalid_client",
          "The client, or its realm, may be disabled at the issuer: ask whoever runs it.\n",
        ],
      ] as const
    ) {
      const refused = { status, json: { error, error_description: "Errors.App.NotActive" } };
      await world.cloud.setFaults({ token: refused });
      const failed = await world.datumctl(["auth", "get-token"]);
      assert.equal(failed.code, 1, failed.stderr);
      assert.ok(failed.stderr.endsWith(hint), failed.stderr);
      assert.doesNotMatch(await world.ok(["auth", "list", "-o", "wide"]), /cannot be renewed/);
    }
    await world.cloud.setFaults({ token: { status: 408, json: { error: "invalid_grant" } } });
    assert.equal((await world.datumctl(["auth", "get-token"])).code, 6);
    await world.cloud.setFaults({});
    await world.ok(["auth", "get-token"]);
  },
);

testInWorld(
  "of a service account whose key was removed kubectl is told which key, and how to replace it",
  async (world) => {
    const { cloud } = world;
    const key = await cloud.addServiceAccount();
    const at = world.loginFlags.filter((word, index, all) =>
      word !== "--client-id" && all[index - 1] !== "--client-id"
    );
    await world.ok(["login", ...at, "--credentials", "-", "--profile", "ci"], { stdin: JSON.stringify(key) });
    await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
    assert.equal((await namespaces(world)).code, 0);
    cloud.removeServiceAccountKey(key.client_id);
    const forced = await world.datumctl(["auth", "get-token", "--force-refresh"]);
    assert.equal(forced.code, 4, forced.stderr);
    assert.ok(
      forced.stderr.includes(
        `does not accept the key ${key.private_key_id}, which may have been removed, have expired or belong to ` +
          "another issuer (status 404, invalid_request: Errors.AuthNKey.NotFound).",
      ),
      forced.stderr,
    );
    assert.match(
      forced.stderr,
      /\nSign in with a current key: datumctl login --profile ci --credentials FILE/,
    );
    const asked = world.cloud.counts();
    assert.equal(asked.discovery, 1, "the endpoint that says so is there: nobody looks for another");
  },
  withKubectl,
);

testInWorld("a key file without a scope signs in, for ZITADEL gives no token without one", async (world) => {
  const { cloud } = world;
  const key = await cloud.addServiceAccount({ scope: null });
  const info = JSON.stringify({ kind: "ExecCredential", apiVersion: API, spec: { interactive: false } });
  const path = `${world.temporary}/key.json`;
  await Deno.writeTextFile(path, JSON.stringify(key), { mode: 0o600 });
  const env = {
    DATUMCTL_CREDENTIALS_FILE: path,
    DATUMCTL_HOSTNAME: cloud.authHost,
    DATUMCTL_API_HOSTNAME: cloud.apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: cloud.caFile,
    KUBERNETES_EXEC_INFO: info,
  };
  const { code, stdout, stderr } = await world.datumctl(["auth", "get-token"], { env });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).kind, "ExecCredential");
});

/** Proves that no kubeconfig leads a session's token to a server that the session is not for, whatever command reads it. */

import assert from "node:assert/strict";
import { signInByHttp } from "../cloud/browser.ts";
import { kubeconfigText, strangeKubeconfigs } from "../cloud/strange-kubeconfigs.ts";
import { startStranger, type Stranger } from "../cloud/stranger.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { BOUND } from "../sessions/sandbox.ts";
import { rememberServer } from "../../src/sessions/remember-servers.ts";
import { openCloudfleetWorld } from "./cloudfleet-world.ts";
import { good, type Ran } from "./run-line.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";
import { openStudioWorld } from "./studio-world.ts";
import { ADA, at, openWorld } from "./world.ts";

/** Each asks a server with a token. */
const ASKING = [
  "get --raw /version",
  "get --raw /apis/whatever",
  "api-resources",
  "api-versions",
  "auth whoami",
  "auth can-i --list",
  "auth can-i get pods",
];
/** These ask none, or the session's own. */
const TELLING = ["whoami", "whoami -o json", "ctx", "ctx -o json", "ctx list", "projects list"];

/** Who acts, and how commands are run as them. */
interface Acting {
  readonly run: (words: string, env: Readonly<Record<string, string>>) => Promise<Ran>;
  /** The one server that the session is for. */
  readonly origin: string;
  /** How entries name the session. */
  readonly entries: readonly (readonly string[])[];
}

/** Runs every command by every strange kubeconfig. Each that asks is refused, and the stranger sees nobody. */
async function lead(acting: Acting, stranger: Stranger, path: string): Promise<void> {
  const { run, origin, entries } = acting;
  for (const { name, cluster, told } of strangeKubeconfigs({ origin }, stranger)) {
    for (const words of entries) {
      await Deno.writeTextFile(path, kubeconfigText(cluster, words));
      for (const line of [...ASKING, "get --raw /version --context c", "api-resources --context c"]) {
        const { code, stdout, stderr } = await run(line, { KUBECONFIG: path });
        assert.deepEqual([code, stdout], [4, ""], `${name}, ${line}: ${stderr}`);
        assert.ok(stderr.includes(told), `${name}, ${line}: ${stderr}`);
        assert.ok(stderr.includes(origin.replace("https://", "")), `${name}, ${line}: ${stderr}`);
        assert.match(stderr, /datumctl auth update-kubeconfig |DATUMCTL_API_HOSTNAME=|that field/, name);
      }
      for (const line of TELLING) await run(line, { KUBECONFIG: path });
      assert.deepEqual(stranger.requests, [], name);
      assert.deepEqual([stranger.tokens, stranger.connects], [[], []], name);
    }
  }
}

Deno.test("a person's session at a Datum: no kubeconfig leads its token elsewhere", async () => {
  await using world = await openWorld();
  await using stranger = await startStranger();
  await world.login(ADA);
  const { apiHost } = world.cloud;
  await lead(
    {
      run: (words, env) => world.run(words, { env }),
      origin: `https://${apiHost}`,
      entries: [[`--session=${at(world, ADA)}`], [`--active-for=${apiHost}`]],
    },
    stranger,
    world.kubeconfig,
  );
});

Deno.test("a token of a variable: no kubeconfig leads it elsewhere", async () => {
  await using world = await openWorld();
  await using stranger = await startStranger();
  await world.login(ADA);
  const { apiHost } = world.cloud;
  const given = {
    DATUMCTL_TOKEN: (await world.ok("auth get-token")).trim(),
    DATUMCTL_API_HOSTNAME: apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: world.cloud.caFile,
  };
  await lead(
    {
      run: (words, env) => world.run(words, { env: { ...given, ...env } }),
      origin: `https://${apiHost}`,
      entries: [["--session=env:DATUMCTL_TOKEN"], [`--active-for=${apiHost}`]],
    },
    stranger,
    world.kubeconfig,
  );
});

Deno.test("a session outside Datum, once a server was named: no kubeconfig leads its token elsewhere", async () => {
  await using world = await openCloudfleetWorld();
  await using stranger = await startStranger();
  await world.addAdministrator("ci");
  const { id, endpoint } = world.cloudfleet.clusters[0] ?? assert.fail("there is no cluster");
  await world.ok(`clusters kubeconfig ${id} --profile ci`);
  await lead(
    {
      run: (words, env) => world.run(`${words} --profile ci`, { env }),
      origin: String(endpoint),
      entries: [["--session=ci", `--active-for=${world.cloudfleet.issuer}`], ["--session=ci"]],
    },
    stranger,
    `${world.sandbox.folder}/strange`,
  );
});

Deno.test("a person's session of an OpenID issuer, once a server was named: no kubeconfig leads its token elsewhere", async () => {
  await using world = await openWorld();
  await using stranger = await startStranger();
  const { cloud } = world;
  cloud.setControlPlanes({ acceptedTokens: "id" });
  good(
    await whenPrinted(
      printedAddress,
      (address) => signInByHttp(cloud, address, ADA),
      (onStderr) =>
        world.run(
          `login --issuer ${cloud.issuer} --client-id ${cloud.clientId} --profile plain ` +
            `--certificate-authority ${cloud.caFile} --keyring file --browser-command true`,
          { onStderr },
        ),
    ),
  );
  const origin = `https://${cloud.apiHost}`;
  await world.ok(`auth update-kubeconfig --server ${origin} --context plain`);
  for (const where of ["", " --context plain"]) {
    assert.match(await world.ok(`api-resources -o name${where}`), /^configmaps$/m);
    assert.equal(await world.ok(`auth can-i list ns${where}`), "yes\n");
  }
  await lead(
    {
      run: (words, env) => world.run(words, { env }),
      origin,
      entries: [["--session=plain", `--active-for=${cloud.issuer}`], [`--active-for=${cloud.issuer}`]],
    },
    stranger,
    `${world.sandbox.folder}/strange`,
  );
});

Deno.test("who looks is told which host would be asked, and no project that another host's path names", async () => {
  await using world = await openWorld();
  await using stranger = await startStranger();
  await world.login(ADA);
  const { apiHost } = world.cloud;
  const path = "/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane";
  const lookAt = async (server: string) => {
    await Deno.writeTextFile(
      world.kubeconfig,
      kubeconfigText({ server: `${server}${path}` }, [`--session=${at(world, ADA)}`]),
    );
    const [whoami, ctx] = [await world.run("whoami"), await world.run("ctx")];
    const json = JSON.parse((await world.run("ctx -o json")).stdout);
    return { whoami, ctx, json, name: (await world.run("ctx -o name")).stdout.trim() };
  };
  const own = await lookAt(`https://${apiHost}`);
  assert.deepEqual([own.json.project, own.json.server, own.json.host], ["web", null, apiHost]);
  assert.match(own.ctx.stdout, new RegExp(`^Project: +web\nSet by: .*\nHost: +${apiHost}\n`));
  assert.equal(own.whoami.stderr + own.ctx.stderr, "");

  const host = stranger.https.replace("https://", "");
  const strange = await lookAt(stranger.https);
  assert.deepEqual(
    [strange.json.project, strange.json.server, strange.json.host, strange.name],
    [null, `${stranger.https}${path}`, host, `${stranger.https}${path}`],
  );
  for (const { code, stdout, stderr } of [strange.whoami, strange.ctx]) {
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /Project/);
    assert.ok(stdout.includes(`API server:`) && stdout.includes(`${stranger.https}${path}`), stdout);
    assert.ok(
      stderr.includes(
        `warning: The session "${at(world, ADA)}" serves ${apiHost}, but this kubeconfig leads`,
      ),
    );
  }
  assert.match(strange.ctx.stdout, new RegExp(`Host: +${host}\n`));

  await world.ok(
    `auth update-kubeconfig --project web --hostname ${host} --skip-validation --no-switch ` +
      `--exec-command datumctl --kubeconfig ${world.sandbox.folder}/tunnel`,
  );
  const named = await lookAt(stranger.https);
  assert.deepEqual(
    [named.json.project, named.json.server, named.json.host, named.name],
    ["web", `${stranger.https}${path}`, host, "web"],
  );
  assert.equal(named.whoami.stderr + named.ctx.stderr, "");
});

Deno.test("a context is followed only where its user entry is ours and of the session that acts", async () => {
  await using world = await openWorld();
  await using stranger = await startStranger();
  await world.login(ADA);
  const { apiHost } = world.cloud;
  const server = `https://${apiHost}`;
  for (
    const words of [[], ["--session=grace@example.com@api.datum.net"], ["--active-for=api.other.example"]]
  ) {
    await Deno.writeTextFile(world.kubeconfig, kubeconfigText({ server }, words));
    for (const line of ASKING) {
      const { code, stderr } = await world.run(line);
      assert.deepEqual([code, /No organization or project is in use/.test(stderr)], [2, true], line);
    }
  }
  assert.deepEqual(stranger.requests, []);
});

Deno.test("a way that datumctl does not go is told, and not left out", async () => {
  await using world = await openWorld();
  await using stranger = await startStranger();
  await world.login(ADA);
  const name = at(world, ADA);
  const { apiHost } = world.cloud;
  const origin = `https://${apiHost}`;
  await rememberServer(world.sandbox.store, name, { named: { origin, proxy: stranger.proxy } }, BOUND);
  const cluster = { server: origin, "proxy-url": stranger.proxy };
  await Deno.writeTextFile(world.kubeconfig, kubeconfigText(cluster, [`--session=${name}`]));
  onlyPrintedError(await world.run("get --raw /version --error-format json"), {
    code: "KUBECONFIG",
    message: /has proxy-url, which datumctl does not follow/,
  });
  assert.deepEqual(stranger.connects, []);
});

Deno.test("a variable's session is for its own host: update-kubeconfig sends its token nowhere else", async () => {
  await using world = await openWorld();
  await using stranger = await startStranger();
  await world.login(ADA);
  const env = {
    DATUMCTL_TOKEN: (await world.ok("auth get-token")).trim(),
    DATUMCTL_API_HOSTNAME: world.cloud.apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: world.cloud.caFile,
  };
  const host = stranger.https.replace("https://", "");
  for (const words of [`--server ${stranger.https}`, `--project web --hostname ${host}`]) {
    for (const more of ["", "--skip-validation", "--dry-run"]) {
      const { code, stderr } = await world.run(`auth update-kubeconfig ${words} ${more}`, { env });
      assert.equal(code, 4, stderr);
      assert.ok(stderr.includes(`Set DATUMCTL_API_HOSTNAME=${host} if that`), stderr);
    }
  }
  assert.deepEqual(stranger.requests, []);
  await world.ok("auth update-kubeconfig --project web --exec-command datumctl", { env });
  assert.match(await world.ok("get --raw /version --project web", { env }), /"minor"/);
});

/** A server that answers everything and notes what it is sent. */
function startListener() {
  const seen: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(`${new URL(request.url).pathname} ${request.headers.get("authorization")}`);
    return Response.json({});
  });
  return { seen, url: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
}

/** A kubeconfig whose current context leads to a server with these words of get-token. */
function kubeconfigTo(server: string, ...words: string[]): string {
  const args = ["auth", "get-token", "--output=client.authentication.k8s.io/v1", ...words];
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "datumctl",
    interactiveMode: "Never",
    args,
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: { exec } }],
  });
}

const LINES = [
  "get --raw /x",
  "get --raw /x --context c",
  "api-resources",
  "api-versions",
  "auth whoami",
  "auth can-i --list",
  "auth can-i get pods",
];

Deno.test("Studio's token goes to no server that a kubeconfig names, whatever its session's file says it is", async () => {
  await using world = await openStudioWorld();
  await world.login(["--profile", "mine"]);
  const listener = startListener();
  try {
    const { file } = await world.store.paths("mine");
    const stored = JSON.parse(await Deno.readTextFile(file));
    const path = `${world.home}/kubeconfig`;
    for (const words of [`--active-for=${world.host}`, "--session=mine"]) {
      await Deno.writeTextFile(path, kubeconfigTo(listener.url, words));
      for (const fields of [{}, { kind: "user", provider: "oidc" }]) {
        await Deno.writeTextFile(file, JSON.stringify({ ...stored, ...fields }));
        for (const line of LINES) {
          const { code, stderr } = await world.run(line.split(" "), { env: { KUBECONFIG: path } });
          assert.equal(code, 2, `${line}: ${stderr}`);
          assert.match(
            stderr,
            /"mine" belongs to DataChain Studio; its token cannot be used with a Kubernetes API/,
          );
        }
      }
    }
    assert.deepEqual(listener.seen, []);
  } finally {
    await listener.close();
  }
});

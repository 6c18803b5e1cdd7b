/** Where the documentation's examples run: every cloud on this machine, people who are signed in, and their files. */

import assert from "node:assert/strict";
import { helmPath } from "../../scripts/npm-packages.ts";
import { byUserinfo, startApiServer } from "../apiserver/apiserver.ts";
import { goAtHand } from "../apiserver/program.ts";
import { approveDeviceByHttp, signInByHttp } from "../cloud/browser.ts";
import { startCloudfleet } from "../cloud/cloudfleet.ts";
import { listenWithDeno } from "../cloud/listener.ts";
import { startStockIssuer } from "../cloud/stock-issuer.ts";
import { startStudio } from "../cloud/studio.ts";
import { githubVariables } from "../cloud/variables.ts";
import { writeScript } from "../scratch.ts";
import type { Block } from "./doc-blocks.ts";
import { type Home, namesHere, type Places, type Room } from "./doc-names.ts";
import { CLIENT_SECRET, filesOf, putObjects, ROBOT, zoneNamed } from "./doc-things.ts";
import { native } from "./issuer-stage.ts";
import { kubectl } from "./kubectls.ts";
import { type Finished, openWorld } from "./world.ts";

/** False, after a printed line, where the real API server or kubectl is missing. */
export const stageAtHand: boolean = kubectl !== "" && await goAtHand() !== undefined;

/** All that the examples take. */
export interface DocStage extends AsyncDisposable {
  /** A fresh home, as its room wants it; with sign-ins of its own where an example ends them. */
  home(room: Room, own: boolean): Promise<Home>;
  /** Runs an example to its end, with names of this machine in place of those that stand there. */
  run(block: Block, home: Home, how?: How): Promise<Finished>;
}

/** What an example takes beside its home. */
export interface How {
  /** Typed before it in the same shell. */
  readonly before?: string | undefined;
  /** What a person types at its questions, on a terminal; without it there is no terminal. */
  readonly typed?: string | undefined;
  /** Which shell it is for; the one that its fence names unless given, else any. */
  readonly shell?: "bash" | "zsh" | "fish" | undefined;
}

type Variables = Readonly<Record<string, string>>;

/** What somebody did in a home before the examples: one line for each step. */
const SIGNED_IN: Readonly<Record<Room, string>> = {
  nobody: "",
  datum: [
    "datumctl login --profile grace@example.com@api.datum.net",
    "datumctl login",
    "datumctl auth update-kubeconfig --project web",
    "datumctl ctx use acme/web",
  ].join("\n"),
  several: [
    "datumctl login --profile ci",
    "datumctl login --profile work",
    "datumctl auth update-kubeconfig --project web --context staging",
    "datumctl auth update-kubeconfig --project web",
  ].join("\n"),
  issuer: [
    "datumctl login --issuer https://login.example.com --client-id kubernetes",
    "datumctl auth update-kubeconfig --server https://k8s.example.com:6443 --context k8s.example.com",
    "kubectl config set-cluster my-cluster --server https://k8s.example.com:6443",
  ].join("\n"),
  kubelogin: [
    "kubectl config set-cluster my-cluster --server https://k8s.example.com:6443",
    "kubectl config set-context my-cluster --cluster my-cluster --user oidc",
    "kubectl config use-context my-cluster",
    "kubectl config set-credentials oidc --exec-api-version client.authentication.k8s.io/v1 " +
    "--exec-interactive-mode IfAvailable --exec-command kubectl --exec-arg oidc-login,get-token," +
    "--oidc-issuer-url=https://login.example.com,--oidc-client-id=kubernetes,--oidc-extra-scope=email",
  ].join("\n"),
  cloudfleet: [
    "datumctl auth add-profile token ci ORGANIZATION_ID TOKEN_ID < ci.secret",
    "datumctl clusters kubeconfig CLUSTER_ID --profile ci",
  ].join("\n"),
  variables: "",
  studio: "datumctl login --provider studio",
  "new-at-studio": "",
};

/** Programs that an example starts and that are not here; each does with the session what the real one would. */
const STAND_INS: Readonly<Record<string, string>> = {
  k9s: 'exec kubectl "$@" get namespaces',
  terraform: "exec kubectl get namespaces",
  pass: "cat secret.txt",
  generate: "cat zone.yaml",
  // The editor of a person who changes one word.
  code: 'for file; do :; done; exec sed -i "s/nameservers: 2/nameservers: 5/; s/blue/green/" "$file"',
  datachain: '[ -n "$DATACHAIN_STUDIO_TOKEN" ]',
  docker: [
    'case "$1" in',
    'pull) printf %s "${2%%/*}" | docker-credential-datumctl get | grep -q Secret ;;',
    'login) [ -n "$(cat)" ] ;;',
    "esac",
  ].join("\n"),
};

/** The shell's words for what goes on until Ctrl-C: it is ended once it has written to a file, or to stdout (`-`). */
const PRELUDE = `until_told() {
  file=$1; shift
  [ "$file" != - ] || file=told.txt
  "$@" > told.txt & told=$!
  until [ -s "$file" ] || [ -S "$file" ]; do kill -0 $told; sleep 0.1; done
  kill -TERM $told
  wait $told || case $? in 130|143) ;; *) return 1 ;; esac
  rm -f "$file"
}
trap 'jobs -p > jobs.txt; kill $(cat jobs.txt) 2>/dev/null || :' EXIT
`;

/** How each shell runs a text. */
const SHELLS: Readonly<Record<"sh" | "bash" | "zsh" | "fish", (text: string) => readonly string[]>> = {
  sh: (text) => ["sh", "-euc", PRELUDE + text],
  bash: (text) => ["bash", "-ec", PRELUDE + text],
  zsh: (text) => ["zsh", "-ec", PRELUDE + text],
  fish: (text) => ["fish", "-c", text],
};

/** True where an example looks at objects of the one API server, or changes them: these run one after another. */
export function takesObjects({ text }: Block): boolean {
  return OBJECTS.test(text);
}

/** Opens the stage; all of it ends with it. */
export async function openDocStage(): Promise<DocStage> {
  await using undo = new AsyncDisposableStack();
  // Homes are copied, so that one refresh token is used in several of them.
  const world = undo.use(
    await openWorld({ cloud: { rotation: false, redirectUris: ["http://localhost"] } }) ??
      assert.fail("no world"),
  );
  const { cloud } = world;
  const { issuer, caPem, clientId, certificates } = cloud;
  const server = undo.use(
    await startApiServer({
      trusted: [{ issuer, caPem, audiences: [clientId] }],
      introspect: byUserinfo(cloud),
      certificates,
    }) ?? assert.fail("no API server"),
  );
  await server.admin.apply(ROBOT);
  const secretClient = native({
    client_id: clientId,
    token_endpoint_auth_method: "client_secret_basic",
    client_secret: CLIENT_SECRET,
    redirect_uris: ["http://127.0.0.1/callback", "http://localhost/callback"],
  });
  const issuerOfSecrets = undo.use(await startStockIssuer({ certificates, clients: [secretClient] }));
  const cloudfleet = undo.use(await startCloudfleet({ certificates }));
  const studio = undo.use(await startStudio({ interval: 1 }));
  const web = listenWithDeno(
    certificates,
    "127.0.0.1",
    0,
    () => Promise.resolve(Response.json(zoneNamed("example-com"))),
  );
  undo.defer(() => web.down());
  await Deno.writeTextFile(`${world.home}/ca.pem`, caPem + studio.caPem);
  const bin = `${world.home}/bin`;
  await Deno.mkdir(bin);
  await Deno.symlink(world.binary, `${bin}/datumctl`);
  await Deno.symlink(kubectl, `${bin}/kubectl`);
  await Deno.symlink(await helmPath() ?? assert.fail("no helm"), `${bin}/helm`);
  for (const [name, body] of Object.entries(STAND_INS)) await writeScript(`${bin}/${name}`, body);

  const places: Places = { world, server, issuerOfSecrets, cloudfleet, studio, web };
  const files = await filesOf(cloud);
  const templates = new Map<Room, Promise<Home>>();
  let [homes, namespaces, dirty] = [0, 0, true];

  const perform = async (script: string, home: Home, { typed, shell }: How = {}): Promise<Finished> => {
    const opened = new Set<string>();
    const walks: Promise<unknown>[] = [];
    const walkAll = (soFar: string) => {
      for (const [address] of soFar.matchAll(ADDRESS)) {
        if (opened.has(address)) continue;
        opened.add(address);
        const email = opened.size === 1 && script.includes("--profile grace") ? GRACE : ADA;
        const walk = walkTo(places, address, email);
        walk.catch(() => {}); // It is looked at below.
        walks.push(walk);
      }
    };
    const whole = SHELLS[shell ?? "sh"](script);
    // A terminal for those that ask.
    const argv = typed === undefined
      ? whole
      : ["script", "--quiet", "--return", "--command", whole.map(quoted).join(" "), "/dev/null"];
    const finished = await world.start("timeout", ["40", ...argv], {
      cwd: `${home.path}/work`,
      env: variablesOf(places, home, bin),
      stdin: typed,
      timeout: 600_000,
      onStderr: walkAll,
      onStdout: walkAll,
    }).finished;
    // A walk that fails says why the sign-in did not end.
    const failed = (await Promise.allSettled(walks)).filter((walk) => walk.status === "rejected");
    return { ...finished, stderr: finished.stderr + failed.map(({ reason }) => `\n${reason}`).join("") };
  };

  const build = async (room: Room): Promise<Home> => {
    const path = `${world.home}/home-${++homes}`;
    await Deno.mkdir(`${path}/work/zones`, { recursive: true });
    await Deno.mkdir(`${path}/run`, { mode: 0o700 });
    const token = room === "cloudfleet" || room === "variables" || room === "nobody"
      ? cloudfleet.addToken({ name: `token-${homes}`, role: "Administrator" })
      : undefined;
    const own = { "ci.secret": token?.secret ?? "", "token.secret": token?.secret ?? "" };
    for (const [name, text] of Object.entries({ ...files, ...own })) {
      await Deno.mkdir(`${path}/work/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${path}/work/${name}`, text, { mode: 0o600 });
    }
    const home = { room, path, tokenId: token?.id ?? "", secret: token?.secret ?? "" };
    const { code, stderr } = await perform(namesHere(SIGNED_IN[room], places, home), home);
    assert.equal(code, 0, `${room}: ${stderr}`);
    return home;
  };

  const undoLater = undo.move();
  return {
    async home(room, own) {
      // A token of Cloudfleet is changed by some of the examples.
      if (own || room === "cloudfleet" || room === "variables") return await build(room);
      if (!templates.has(room)) templates.set(room, build(room));
      const template = await templates.get(room) ?? assert.fail();
      const path = `${world.home}/home-${++homes}`;
      const { success } = await new Deno.Command("cp", { args: ["-a", template.path, path] }).output();
      assert.ok(success);
      return { ...template, path };
    },
    async run(block, home, how = {}) {
      const creates = /^datumctl create /.test(block.text);
      if (takesObjects(block)) {
        if (dirty || creates) await putObjects(server, !creates);
        dirty = creates || WRITES.test(block.text);
      }
      // Nobody takes a namespace away here, so that each is made but once.
      const text = block.text.replaceAll(
        "create namespace shop",
        () => `create namespace shop-${++namespaces}`,
      );
      const { before = "", typed, shell = shellOf(block) } = how;
      return await perform(namesHere(`${before}\n${text}`, places, home), home, { typed, shell });
    },
    [Symbol.asyncDispose]: () => undoLater.disposeAsync(),
  };
}

const ADDRESS = /https:\/\/\S+[?&](?:response_type|(?:user_)?code)=\S+(?=\s)/g;
const ADA = "ada@example.com";
const GRACE = "grace@example.com";
const OBJECTS =
  /datumctl (?:get|describe|explain|events|wait|diff|apply|edit|patch|label|annotate|delete|create|exec) |kubectl|helm/;
const WRITES = /datumctl (?:apply|edit|patch|label|annotate|delete|create)|kubectl apply|helm/;

function variablesOf({ world, cloudfleet, studio }: Places, home: Home, bin: string) {
  const { room, path, tokenId, secret } = home;
  const ofRoom: Partial<Record<Room, Variables>> = {
    variables: {
      CLOUDFLEET_ORGANIZATION_ID: cloudfleet.organizationId,
      CLOUDFLEET_ACCESS_TOKEN_ID: tokenId,
      CLOUDFLEET_ACCESS_TOKEN_SECRET: secret,
      REGISTRY: `${cloudfleet.organizationId}.europe.registry.cloudfleet.dev`,
    },
    studio: { DATUMCTL_PROVIDER: "studio" },
  };
  return {
    PATH: `${path}/.local/bin:${bin}:${world.env.PATH}`,
    HOME: path,
    XDG_RUNTIME_DIR: `${path}/run`,
    KUBECONFIG: undefined,
    EDITOR: "code",
    NO_COLOR: "1",
    SSL_CERT_FILE: `${world.home}/ca.pem`,
    DATACHAIN_STUDIO_URL: studio.url,
    CLOUDFLEET_ISSUER: cloudfleet.issuer,
    CLOUDFLEET_API_URL: cloudfleet.apiUrl,
    ...githubVariables(world.cloud),
    ...ofRoom[room],
  };
}

/** The shell that a fence names; undefined for any. */
function shellOf({ language }: Block): How["shell"] {
  return (["bash", "zsh", "fish"] as const).find((shell) => shell === language);
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** What a person does with an address that was printed. */
async function walkTo({ world, cloudfleet, studio }: Places, address: string, email: string): Promise<void> {
  const { host, searchParams } = new URL(address);
  if (studio.url.endsWith(host)) return studio.approve(searchParams.get("code") ?? "");
  const at = host === world.cloud.authHost ? world.cloud : cloudfleet;
  if (address.includes("user_code=")) return await approveDeviceByHttp(at, address, email);
  await (await signInByHttp(at, address, email)).body?.cancel();
}

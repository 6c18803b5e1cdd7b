/** Proves in surroundings like a CI system's that each kind of machine gets real kubectl working, and leaves no secret. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Cloudfleet, startCloudfleet } from "../cloud/cloudfleet.ts";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { addressVariables, githubVariables } from "../cloud/variables.ts";
import type { RunOptions } from "./world.ts";
import { kubectl } from "./kubectls.ts";
import { actionlint } from "../linters.ts";
import { inScratch } from "../scratch.ts";
import { leaksBelow, leaksIn, needlesOf } from "./leaks.ts";
import { openWorld, testInWorld, type World } from "./world.ts";

const AUDIENCE = "https://k8s.example.com";

const canMount = Deno.build.os === "linux" && Deno.uid() === 0 &&
  await new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
const noCurl = ["bash", "curl", "jq"].some((program) =>
  findProgram(program, Deno.env.get("PATH")) === undefined
);
// deno-lint-ignore no-console
if (!canMount) console.error("skipped: machines with a read-only home, for unshare is not permitted here");
// deno-lint-ignore no-console
if (noCurl) console.error("skipped: the lines of shells, for curl or jq is missing here");

/** What a job finds: a cloud that knows it, files of secrets outside of its home, programs on its PATH. */
interface Job {
  readonly secrets: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The flags of `login` that name the cloud. */
  readonly at: string;
  readonly server: string;
}

/** Prepares a world for jobs: no keyring, no browser, no word of the person's session. */
async function prepareJob(world: World): Promise<Job> {
  const { cloud, temporary } = world;
  cloud.setControlPlanes({ acceptedTokens: "both", workloadAudiences: [AUDIENCE] });
  const at =
    `--hostname ${cloud.authHost} --api-hostname ${cloud.apiHost} --certificate-authority ${cloud.caFile}`;
  const secrets = await Deno.makeTempDir({ prefix: "datumctl-secrets-" });
  const bin = `${temporary}/bin`;
  await Deno.mkdir(bin);
  await Deno.symlink(world.binary, `${bin}/datumctl`);
  await Deno.symlink(kubectl, `${bin}/kubectl`);
  const secret = (name: string, text: string) =>
    Deno.writeTextFile(`${secrets}/${name}`, text, { mode: 0o600 });
  await secret("datum-key.json", JSON.stringify(await cloud.addServiceAccount()));
  await secret("datum-token", `${cloud.addPersonalAccessToken()}\n`);
  await secret("projected-token", `${await cloud.ciIssuers.gitlab.idToken(AUDIENCE)}\n`);
  await secret("exchanged-token", `${await cloud.ciIssuers.gitlab.idToken(cloud.issuer)}\n`);
  return {
    secrets,
    env: {
      CI: "true",
      PATH: `${bin}:${world.env.PATH}`,
      DATUMCTL_KEYRING: undefined,
      BROWSER: undefined,
      CURL_CA_BUNDLE: cloud.caFile,
      AT: at,
      S: secrets,
    },
    at,
    server: `https://${cloud.apiHost}/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane`,
  };
}

const placeOfCloudfleet = ({ issuer, apiUrl, caFile }: Cloudfleet) => ({
  CLOUDFLEET_ISSUER: issuer,
  CLOUDFLEET_API_URL: apiUrl,
  DATUMCTL_CERTIFICATE_AUTHORITY: caFile,
});

/** Runs lines of a shell without a terminal and with an empty standard input. */
const shell = (world: World, script: string, env: RunOptions["env"]) =>
  world.start("bash", ["-euo", "pipefail", "-c", script], env === undefined ? {} : { env }).finished;

// ---- a home that cannot be written ----

/** A kind of machine: how it signs in, which variables its job has, and whether a session was asked for. */
interface Kind {
  readonly what: string;
  readonly login: string;
  readonly env?: (world: World, job: Job) => Promise<Record<string, string>> | Record<string, string>;
  readonly session: boolean;
  /** What writes the kubeconfig entry, where that is not `auth update-kubeconfig`. */
  readonly entry?: string;
}

const exchanged = (world: World) =>
  `--audience ${world.cloud.issuer} --exchange --client-id ${world.cloud.clientId}`;

const entryOf = ({ clusters }: Cloudfleet) =>
  `datumctl clusters kubeconfig ${clusters[0]?.id}
   kubectl config use-context "$(kubectl config get-contexts --output name)"`;

const kindsOf = (world: World, cloudfleet: Cloudfleet): readonly Kind[] => [
  {
    what: "a service account",
    login: "datumctl login -v $AT --credentials $S/datum-key.json",
    session: true,
  },
  {
    what: "a personal access token",
    login: "datumctl login -v $AT --with-token < $S/datum-token",
    session: true,
  },
  {
    what: "a GitHub job",
    login: `datumctl login -v $AT --workload github --audience ${AUDIENCE}`,
    env: ({ cloud }) => githubVariables(cloud),
    session: true,
  },
  {
    what: "a GitHub job, exchanged",
    login: `datumctl login -v $AT --workload github ${exchanged(world)}`,
    env: ({ cloud }) => githubVariables(cloud),
    session: true,
  },
  {
    what: "a GitLab job",
    login: `datumctl login -v $AT --workload gitlab --audience ${AUDIENCE}`,
    env: async ({ cloud }) => ({ DATUMCTL_ID_TOKEN: await cloud.ciIssuers.gitlab.idToken(AUDIENCE) }),
    session: true,
  },
  {
    what: "a GitLab job, exchanged",
    login: `datumctl login -v $AT --workload gitlab:JOB_TOKEN ${exchanged(world)}`,
    env: async ({ cloud }) => ({ JOB_TOKEN: await cloud.ciIssuers.gitlab.idToken(cloud.issuer) }),
    session: true,
  },
  {
    what: "a pod's file",
    login: `datumctl login -v $AT --workload file:$S/projected-token --audience ${AUDIENCE}`,
    session: true,
  },
  {
    what: "a pod's file, exchanged",
    login: `datumctl login -v $AT --workload file:$S/exchanged-token ${exchanged(world)}`,
    session: true,
  },
  {
    what: "an API token",
    login:
      `datumctl auth add-profile token ci ${cloudfleet.organizationId} ${cloudfleet.administrator.id} -v ` +
      "< $S/api-token",
    env: () => placeOfCloudfleet(cloudfleet),
    session: true,
    entry: entryOf(cloudfleet),
  },
  {
    what: "an API token in variables",
    login: "true",
    env: () => ({
      ...placeOfCloudfleet(cloudfleet),
      CLOUDFLEET_ORGANIZATION_ID: cloudfleet.organizationId,
      CLOUDFLEET_ACCESS_TOKEN_ID: cloudfleet.administrator.id,
      CLOUDFLEET_ACCESS_TOKEN_SECRET: cloudfleet.administrator.secret,
    }),
    session: false,
    entry: entryOf(cloudfleet),
  },
  {
    what: "DATUMCTL_CREDENTIALS_FILE",
    login: "true",
    env: (world, { secrets }) => ({
      ...addressVariables(world.cloud),
      DATUMCTL_CREDENTIALS_FILE: `${secrets}/datum-key.json`,
    }),
    session: false,
  },
  {
    what: "DATUMCTL_TOKEN",
    login: "true",
    env: async (world, { secrets }) => {
      const env = {
        ...addressVariables(world.cloud),
        DATUMCTL_CREDENTIALS_FILE: `${secrets}/datum-key.json`,
      };
      return {
        ...addressVariables(world.cloud),
        DATUMCTL_TOKEN: (await world.ok(["auth", "get-token"], { env })).trimEnd(),
      };
    },
    session: false,
  },
];

testInWorld(
  "kubectl works for every kind of machine with a read-only home, no keyring and no terminal",
  async (world) => {
    const job = await prepareJob(world);
    await using cloudfleet = await startCloudfleet();
    await Deno.writeTextFile(`${job.secrets}/api-token`, cloudfleet.administrator.secret, { mode: 0o600 });
    const before = new Set(await world.files());
    try {
      for (const { what, login, env, session, entry } of kindsOf(world, cloudfleet)) {
        const folder = `${world.home}/writable`;
        await Deno.mkdir(folder);
        const variables = {
          ...job.env,
          ...await env?.(world, job),
          KUBECONFIG: `${folder}/kubeconfig`,
          // Variables need no folder: theirs would be in the home that cannot be written.
          DATUMCTL_CONFIG_DIR: session ? `${folder}/datumctl` : undefined,
        };
        const { code, stdout, stderr } = await world.start("unshare", [
          "-m",
          "bash",
          "-euo",
          "pipefail",
          "-c",
          `mount --bind "$HOME" "$HOME"; mount --bind "${folder}" "${folder}"
           mount -o remount,ro,bind "$HOME"; if touch "$HOME/file" 2>/dev/null; then exit 9; fi
           ${login}
           ${entry ?? "datumctl auth update-kubeconfig --project web"}
           kubectl get namespaces`,
        ], { env: variables }).finished;
        assert.equal(code, 0, `${what}: ${stderr}`);
        assert.match(stdout, /\nkube-system +Active[^]*\n$/, what);
        assert.doesNotMatch(stderr, /Type or paste|user_code|Open this/, "nobody is asked");
        const needles = needlesOf([...world.cloud.secrets(), ...cloudfleet.secrets()]);
        assert.deepEqual(leaksIn(`${stdout}${stderr}`, needles), [], what);
        const { leaks, files } = await leaksBelow([world.home, world.temporary], needles);
        assert.deepEqual(leaks, [], what);
        assert.ok(files > 0);
        const written = (await world.files()).filter((path) => !before.has(path));
        const kept = written.filter((path) => /sessions\/[^/]*\.(?:json|key)$/.test(path));
        assert.equal(kept.length, session ? 2 : 0, `${what}: ${written.join(", ")}`);
        await Deno.remove(folder, { recursive: true });
      }
    } finally {
      await Deno.remove(job.secrets, { recursive: true });
    }
  },
  { ignore: !canMount || noCurl || kubectl === "" },
);

// ---- lines of others ----

Deno.test({
  name: "the vendor's two curl lines work as they stand, but for the host and the organization",
  ignore: noCurl,
  fn: async () => {
    await using world = await openWorld();
    assert.ok(world !== undefined);
    const { cloud } = world;
    const PAT = cloud.addPersonalAccessToken();
    const job = await prepareJob(world);
    const here = (line: string) =>
      line.replaceAll("https://api.datum.net", `https://${cloud.apiHost}`).replaceAll(
        "{organization_id}",
        "acme",
      );
    const exchange = here(`curl https://api.datum.net/datum-os/oauth/token/exchange \\
-H "Authorization: Bearer $PAT" -sS | jq`);
    const first = await shell(world, exchange, { ...job.env, PAT });
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(Object.keys(JSON.parse(first.stdout)), ["access_token", "token_type"]);

    await world.ok(["login", ...job.at.split(" "), "--with-token"], { stdin: PAT });
    const openapi = here(
      `curl -sS 'https://api.datum.net/apis/resourcemanager.datumapis.com/v1alpha/organizations/{organization_id}/control-plane/openapi/v3' \\
-H "Authorization: Bearer $(datumctl auth get-token)"`,
    );
    const second = await shell(world, openapi, job.env);
    assert.equal(second.code, 0, second.stderr);
    assert.ok("paths" in JSON.parse(second.stdout), second.stdout);
    await Deno.remove(job.secrets, { recursive: true });
  },
});

// ---- docs/ci.md ----

/** A snippet of the page, as the lines that its system would run, with the variables that it would give them. */
interface Snippet {
  readonly language: string;
  readonly text: string;
}

const PAGE = Deno.readTextFileSync(`${ROOT}docs/ci.md`);
const SNIPPETS: readonly Snippet[] = [...PAGE.matchAll(/^```(sh|yaml)\n([^]*?)^```/gm)]
  .map(([, language = "", text = ""]) => ({ language, text }));

interface Step {
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The scripts of a snippet, and the variables that come with them. */
async function scriptsOf(
  { language, text }: Snippet,
  world: World,
  { secrets }: Job,
): Promise<readonly { readonly script: string; readonly env: Record<string, string> }[]> {
  if (language === "sh") return [{ script: text, env: {} }];
  const { jobs, deploy } = parse(text);
  const file: Record<string, string> = { DATUMCTL_CREDENTIALS_FILE: `${secrets}/datum-key.json` };
  if (deploy !== undefined) {
    const env: Record<string, string> = { DATUM_TOKEN: await Deno.readTextFile(`${secrets}/datum-token`) };
    for (const [name, { aud }] of Object.entries<{ aud: string }>(deploy.id_tokens ?? {})) {
      env[name] = await world.cloud.ciIssuers.gitlab.idToken(aud);
    }
    const lines: string[] = deploy.script;
    const login = lines.some((line) => line.includes("datumctl login"));
    return [{ script: lines.join("\n"), env: login ? env : { ...env, ...file } }];
  }
  const { steps, permissions } = jobs.deploy;
  const key = await Deno.readTextFile(`${secrets}/datum-key.json`);
  const given = permissions?.["id-token"] === "write" ? githubVariables(world.cloud) : {};
  return (steps as Step[]).map(({ run, env = {} }) => ({
    script: run ?? assert.fail("a step that runs nothing"),
    env: {
      ...given,
      ...Object.fromEntries(
        Object.entries(env).map(([name, value]) => [
          name,
          value.replace("${{ secrets.DATUM_SERVICE_ACCOUNT_KEY }}", () => key),
        ]),
      ),
    },
  }));
}

Deno.test("the page has snippets for each system, and GitHub's are workflows that a runner would take", async () => {
  const texts = SNIPPETS.map(({ text }) => text);
  const workflows = texts.filter((text) => text.startsWith("on: push\njobs:\n"));
  assert.equal(workflows.length, 3);
  const lint = await actionlint();
  await inScratch(async (folder) => {
    for (const text of workflows) {
      await Deno.writeTextFile(`${folder}/snippet.yml`, text);
      const { code, output } = await lint?.(`${folder}/snippet.yml`) ?? { code: 0, output: "" };
      assert.equal(code, 0, output);
    }
  });
  assert.equal(texts.filter((text) => text.startsWith("deploy:\n")).length, 3);
  assert.equal(SNIPPETS.filter(({ language }) => language === "sh").length, 5);
});

testInWorld(
  "every snippet of docs/ci.md works as it stands, but for names and places",
  async (world) => {
    const job = await prepareJob(world);
    const { cloud } = world;
    const ready = {
      ...addressVariables(world.cloud),
      DATUMCTL_CREDENTIALS_FILE: `${job.secrets}/datum-key.json`,
    };
    await Deno.writeTextFile(
      `${job.secrets}/ready-token`,
      await world.ok(["auth", "get-token"], { env: ready }),
    );
    const here = (script: string) =>
      script.replaceAll("my-project-id", "web")
        .replaceAll("/run/secrets/", `${job.secrets}/`)
        .replaceAll(`${AUDIENCE}:6443`, job.server)
        .replaceAll("https://api.datum.net", `https://${cloud.apiHost}`)
        .replaceAll("https://auth.datum.net", cloud.issuer)
        .replaceAll("https://login.example.com", `${cloud.issuer} --certificate-authority ${cloud.caFile}`)
        .replaceAll("--exchange", `--exchange --client-id ${cloud.clientId}`)
        .replaceAll(/datumctl login (?!--issuer)/g, `datumctl login ${job.at} `);
    for (const [at, snippet] of SNIPPETS.entries()) {
      const home = `${world.temporary}/home-${at}`;
      await Deno.mkdir(home);
      let said = "";
      for (const { script, env } of await scriptsOf(snippet, world, job)) {
        const variables = {
          ...job.env,
          ...addressVariables(world.cloud),
          ...env,
          HOME: home,
          KUBECONFIG: undefined,
        };
        const { code, stdout, stderr } = await shell(world, here(script), variables);
        assert.equal(code, 0, `${snippet.text}\n${stderr}`);
        said += stdout;
      }
      assert.match(said, /\nproject-web |APIGroup/, snippet.text);
    }
    await Deno.remove(job.secrets, { recursive: true });
  },
  { ignore: noCurl || kubectl === "" },
);

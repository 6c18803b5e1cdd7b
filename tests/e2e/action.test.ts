/** Proves that the GitHub Action's one step installs the program for the job, and signs it in each way that it offers. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { ROOT } from "../../scripts/compile.ts";
import { VERSION } from "../../src/version.ts";
import { githubVariables } from "../cloud/variables.ts";
import { namesIn } from "../scratch.ts";
import { type ReleaseServer, serveReleases } from "../scripts/release-server.ts";
import { testInWorld, type World } from "./world.ts";

const ACTION = `${ROOT}packaging/action`;
const AUDIENCE = "https://k8s.example.com";

/** A job of a runner: its files, and what runs in its steps. */
interface Job {
  readonly folder: string;
  step(
    command: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): ReturnType<World["start"]>["finished"];
}

async function startJob(world: World, server: ReleaseServer): Promise<Job> {
  const folder = await Deno.makeTempDir({ dir: world.temporary, prefix: "job-" });
  for (const name of ["path", "env", "output"]) await Deno.writeTextFile(`${folder}/${name}`, "");
  await Deno.mkdir(`${folder}/temp`);
  const job = {
    ...githubVariables(world.cloud),
    BASE_URL: server.base,
    CI: "true",
    RUNNER_OS: "Linux",
    RUNNER_TEMP: `${folder}/temp`,
    GITHUB_PATH: `${folder}/path`,
    GITHUB_ENV: `${folder}/env`,
    GITHUB_OUTPUT: `${folder}/output`,
    DATUMCTL_KEYRING: undefined,
    DATUMCTL_CONFIG_DIR: undefined,
    CURL_CA_BUNDLE: undefined,
  };
  return {
    folder,
    async step([program = "", ...args], env = {}) {
      const [added, set] = await Promise.all(
        ["path", "env"].map((name) => Deno.readTextFile(`${folder}/${name}`)),
      );
      const kept = (set ?? "").trim().split("\n").filter((line) => line !== "");
      const ofJob = Object.fromEntries(kept.map((line) => line.split("=", 2) as [string, string]));
      const PATH = [...(added ?? "").trim().split("\n").filter((line) => line !== ""), world.env.PATH].join(
        ":",
      );
      return await world.start(program, args, { env: { ...job, ...ofJob, PATH, ...env } }).finished;
    },
  };
}

testInWorld("the action installs the program and signs the job in", async (world, context) => {
  world.cloud.setControlPlanes({ acceptedTokens: "both", workloadAudiences: [AUDIENCE] });
  await using server = await serveReleases(`${world.temporary}/served`, {
    version: VERSION,
    binary: world.binary,
  });
  const setUp = ["bash", `${ACTION}/set-up.sh`];
  const key = JSON.stringify(await world.cloud.addServiceAccount());

  const { authHost, apiHost, caFile, clientId, issuer } = world.cloud;
  const INPUT_LOGIN_FLAGS =
    `--hostname ${authHost} --api-hostname ${apiHost} --certificate-authority ${caFile}`;
  const ways: readonly (readonly [name: string, inputs: Readonly<Record<string, string>>])[] = [
    ["a service account's key", { INPUT_CREDENTIALS: key, INPUT_LOGIN_FLAGS }],
    ["the job's own token as it is", { INPUT_AUDIENCE: AUDIENCE, INPUT_LOGIN_FLAGS }],
    ["the job's own token, exchanged", {
      INPUT_AUDIENCE: issuer,
      INPUT_LOGIN_FLAGS: `${INPUT_LOGIN_FLAGS} --exchange --client-id ${clientId}`,
    }],
  ];
  for (const [name, inputs] of ways) {
    await context.step(name, async () => {
      const job = await startJob(world, server);
      const done = await job.step(setUp, { VERSION, ...inputs });
      assert.equal(done.code, 0, done.stderr);
      const token = await job.step(["datumctl", "auth", "get-token"]);
      assert.equal(token.code, 0, token.stderr);
      assert.match(token.stdout, /^\S{20,}\n$/);
      assert.equal(
        await Deno.readTextFile(`${job.folder}/output`),
        `path=${job.folder}/temp/datumctl/bin/datumctl\n`,
      );
      assert.ok(!`${done.stdout}${done.stderr}`.includes(token.stdout.trim()), "the log holds no token");
      assert.deepEqual(await namesIn(`${job.folder}/temp`), ["datumctl"]);
    });
  }
  await context.step("without an input it installs, and nobody is signed in", async () => {
    const job = await startJob(world, server);
    assert.equal((await job.step(setUp)).code, 0);
    assert.equal((await job.step(["datumctl", "auth", "get-token"])).code, 4);
  });
  await context.step("inputs that exclude each other are told before anything is installed", async () => {
    const job = await startJob(world, server);
    const { code, stdout } = await job.step(setUp, { INPUT_CREDENTIALS: key, INPUT_AUDIENCE: AUDIENCE });
    assert.equal(code, 1);
    assert.match(stdout, /^::error::/);
    assert.deepEqual(await namesIn(`${job.folder}/temp`), []);
  });
});

Deno.test("the action hands each of its inputs to its step, and none stands in a line of shell", async () => {
  const action = parse(await Deno.readTextFile(`${ACTION}/action.yml`));
  const [{ env, run }] = action.runs.steps;
  const handed = Object.values(env).map((value) => /inputs\.([\w-]+)/.exec(String(value))?.[1]);
  assert.deepEqual(handed.sort(), Object.keys(action.inputs).sort());
  assert.ok(!run.includes("${{"));
});

/** Proves over a whole run under strace that no argv, environment, output or file holds a secret of the run. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { approveDeviceByHttp, signInByHttp } from "../cloud/browser.ts";
import { startCloudfleet } from "../cloud/cloudfleet.ts";
import { startStudio } from "../cloud/studio.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { printedAddress, printedCode, whenPrinted } from "../when-printed.ts";
import { entries } from "./kubectl-stage.ts";
import { leaksBelow, leaksIn, type Needle, needlesOf } from "./leaks.ts";
import { type Finished, openWorld, type RunOptions, type World } from "./world.ts";

const absent = [
  ...absentPrograms(),
  ...(findProgram("strace", Deno.env.get("PATH")) === undefined ? ["strace"] : []),
];
// deno-lint-ignore no-console -- a skipped test says so
if (absent.length > 0) console.error(`skipped: no leak test here without ${absent.join(", ")}`);

const ADA = "ada@example.com";
const GRACE = "grace@example.com";
const LOUD = ["-v", "-v", "--error-format", "json"];
const EXEC = "client.authentication.k8s.io/v1";

/** One command of the run, as everybody could see it. */
interface Seen {
  readonly command: string;
  readonly finished: Finished;
  /**
   * Every execve with its argv and environment, and every file opened, as strace wrote it; of the program's own
   * environment without what it was given there.
   */
  readonly trace: string;
  /** The token or the new secret that was asked for: on stdout by nature, and nowhere else. */
  readonly token: string | undefined;
  /** The address to open, with its state and nonce: printed, and in nobody's argv. */
  readonly address: string | undefined;
}

Deno.test("what is searched for is found in a text, in a file and in a file's name", async () => {
  const needles = needlesOf(
    [{ kind: "code", value: "a~code~of~the~issuer" }],
    ["q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"],
  );
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/deep`);
    await Deno.writeFile(`${folder}/deep/raw`, Uint8Array.from(rawKey(), (byte) => byte.charCodeAt(0)));
    await Deno.writeTextFile(`${folder}/a~code~of~the~issuer`, "x");
    await Deno.writeTextFile(`${folder}/fine`, "a code of the issuer");
    const { leaks, files } = await leaksBelow([folder], needles, Date.now() - 60_000);
    assert.equal(files, 3);
    assert.deepEqual(leaks.sort(), [
      `${folder}/deep/raw: key, raw`,
      `the name of ${folder}/a~code~of~the~issuer: code`,
    ]);
    assert.deepEqual(leaksIn(`{"c":"${btoa("a~code~of~the~issuer")}"}`, needles), ["code in base64"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function rawKey(): string {
  return `\xff\x80${atob("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=")}\x00`;
}

Deno.test({
  name: "a whole run under strace shows no secret in any argv, environment, output or file",
  ignore: absent.length > 0,
  async fn() {
    await using world = await openWorld({ keyring: "real" });
    assert.ok(world?.keyring !== undefined);
    const traces = await Deno.makeTempDir({ prefix: "datumctl-traces-" });
    try {
      await wholeRun(world, traces);
    } finally {
      await Deno.remove(traces, { recursive: true });
    }
  },
});

async function wholeRun(world: World, traces: string): Promise<void> {
  // A file's time can be a little coarser than the clock's.
  const began = Date.now() - 1000;
  const seen: Seen[] = [];
  const pages: string[] = [];

  /** Runs datumctl as loudly as it can under strace. */
  async function run(
    args: readonly string[],
    options: RunOptions & {
      readonly meant?: "token" | "secret";
      /** Secrets in the program's own variables: no child's may have them. */
      readonly given?: Readonly<Record<string, string>>;
      /** A secret that the person typed as an argument: the program's own, and nobody else's. */
      readonly typed?: string;
      /** Told of the code that Studio's sign-in shows. */
      readonly onCode?: (code: string) => void;
    } = {},
  ): Promise<Finished> {
    const file = `${traces}/${seen.length}`;
    const strace = ["-f", "-v", "-s", "65536", "-e", "trace=execve,openat,creat", "-o", file];
    const { onCode } = options;
    let address: string | undefined;
    const finished = await whenPrinted<string, Finished>(
      onCode === undefined ? printedAddress : printedCode,
      onCode ?? ((found) => comeBack(address = found)),
      (onStderr) =>
        world.start("strace", [...strace, world.binary, ...args, ...LOUD], {
          ...options,
          env: { ...options.env, ...options.given },
          onStderr,
        }).finished,
    );
    const [own = "", ...rest] = (await Deno.readTextFile(file)).split("\n");
    assert.match(own, /execve\(.*datumctl"/, "strace saw nothing");
    const given = Object.values(options.given ?? {});
    if (options.typed !== undefined) given.push(options.typed);
    for (const secret of given) assert.ok(own.includes(secret), "the program was not given its secret");
    const trace = [without(own, ...given), ...rest].join("\n");
    const token = options.meant === undefined
      ? undefined
      : options.meant === "token"
      ? tokenOf(finished.stdout)
      : JSON.parse(finished.stdout).secret;
    seen.push({ command: args.join(" "), finished, trace, token, address });
    return finished;
  }

  async function comeBack(address: string): Promise<void> {
    if (address.includes("user_code=")) return approveDeviceByHttp(world.cloud, address, GRACE);
    pages.push(await (await signInByHttp(world.cloud, address, ADA)).text());
  }

  async function good(...[args, options]: Parameters<typeof run>): Promise<Finished> {
    const finished = await run(args, options);
    assert.equal(finished.code, 0, `${args.join(" ")}: ${finished.stderr}`);
    return finished;
  }

  async function bad(
    exit: number,
    args: readonly string[],
    options: Parameters<typeof run>[1] = {},
  ): Promise<void> {
    const finished = await run(args, options);
    assert.equal(finished.code, exit, `${args.join(" ")}: ${finished.stderr}`);
  }

  const token = { meant: "token" } as const;
  const info = { apiVersion: EXEC, kind: "ExecCredential", spec: { interactive: false } };
  const asKubectl = { ...token, env: { KUBERNETES_EXEC_INFO: JSON.stringify(info) } };

  await good(["login", ...world.loginFlags]);
  await good(["login", ...world.loginFlags, "--no-browser"]);
  await good(["auth", "list", "-o", "wide"]);
  await good(["auth", "list", "-o", "json"]);
  await good(["whoami", "-o", "yaml"]);
  await good(["auth", "update-kubeconfig", "--project", "web"]);
  await good(["auth", "update-kubeconfig", "--organization", "acme", "--dry-run", "--follow-active"]);
  await good(["auth", "get-token"], token);
  await good(["auth", "get-token", "--token", "id"], token);
  await good(["auth", "get-token", "--output", EXEC], asKubectl);
  await good(["auth", "get-token", "--claims"]);

  // The launcher's file is the one readable copy: of the access token, until the next refresh.
  await good(["auth", "update-kubeconfig", "--project", "web", "--fast"]);
  const entry = (await entries(world.kubeconfig)).users.find(({ user }) => user.exec?.args.includes("auth"));
  const [handle = "", ...launched] = entry?.user.exec?.args ?? [];
  const cluster = { server: `https://${world.cloud.apiHost}/x` };
  const asServer = JSON.stringify({ ...info, spec: { ...info.spec, cluster } });
  await good([...launched, `--hand-off=${handle}`], { ...token, env: { KUBERNETES_EXEC_INFO: asServer } });
  const runtime = world.env["XDG_RUNTIME_DIR"] ?? "";
  const ownKey = await keyOf(world, GRACE);
  const needlesNow = needlesOf(world.cloud.secrets(), [ownKey]);
  assert.deepEqual((await leaksBelow([world.home, world.temporary, runtime], needlesNow)).leaks, [
    `${runtime}/datumctl/${handle}: access_token`,
  ]);

  await good(["auth", "get-token", "--force-refresh"], token);
  await good(["auth", "switch", ADA]);
  await good(["auth", "get-token"], token);

  await world.cloud.setFaults({ token: { status: 503 } });
  await bad(6, ["auth", "get-token", "--force-refresh"]);
  await world.cloud.setFaults({ token: { halfClosed: true } });
  await bad(6, ["auth", "get-token", "--force-refresh", "-o", EXEC]);
  await world.cloud.setFaults({ forgery: "signature" });
  await bad(1, ["auth", "get-token", "--force-refresh"]);
  await world.cloud.setFaults({ forgery: "aud" });
  await bad(1, ["login", ...world.loginFlags]);
  await world.cloud.setFaults({ forgery: "redirect-iss" });
  await bad(1, ["login", ...world.loginFlags]);
  await world.cloud.setFaults({});
  world.cloud.revokeAll(ADA);
  await bad(4, ["auth", "get-token", "--force-refresh"]);

  const keys = await Promise.all([ADA, GRACE].map((email) => keyOf(world, email)));
  const kept = await filesWithLeaks(world, needlesOf(world.cloud.secrets(), keys), began);
  assert.deepEqual(kept, []);
  await good(["logout", "--all", "--kubeconfig", world.kubeconfig]);
  await bad(4, ["auth", "get-token"]);

  // ---- service accounts, personal access tokens, CI jobs ----
  const { authHost, apiHost, caFile: authority, ciIssuers } = world.cloud;
  const at = ["--hostname", authHost, "--api-hostname", apiHost, "--certificate-authority", authority];
  const account = await world.cloud.addServiceAccount();
  const pat = world.cloud.addPersonalAccessToken();
  const jobToken = await ciIssuers.gitlab.idToken("cluster");
  const jobFile = `${world.home}/job-token`;
  await good(["login", ...at, "--credentials", "-", "--profile", "key"], { stdin: JSON.stringify(account) });
  await good(["login", ...at, "--with-token", "--profile", "pat"], { stdin: pat });
  await Deno.writeTextFile(jobFile, jobToken, { mode: 0o600 });
  const workload = ["--workload", `file:${jobFile}`, "--audience", "cluster"];
  await good(["login", ...at, ...workload, "--profile", "job"]);
  for (const name of ["key", "pat"]) {
    await good(["auth", "get-token", "--session", name, "--force-refresh"], token);
    keys.push(await keyOfAccount(world, name));
  }
  await good(["auth", "get-token", "--session", "job"], token);
  await Deno.remove(jobFile);
  world.cloud.revokeServiceAccount(account.client_id);
  world.cloud.revokePersonalAccessToken(pat);
  for (const name of ["key", "pat", "job"]) {
    await bad(4, ["auth", "get-token", "--session", name, "--force-refresh"]);
  }
  await bad(2, ["login", ...at, "--credentials", "-"], {
    stdin: JSON.stringify({ ...account, type: "none" }),
  });
  await bad(2, ["login", ...at, "--with-token"], { stdin: jobToken });
  await good(["auth", "list", "-o", "json"]);
  await good(["logout", "--all"]);

  // ---- credentials in variables ----
  const place = {
    DATUMCTL_HOSTNAME: authHost,
    DATUMCTL_API_HOSTNAME: apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: authority,
  };
  const second = await world.cloud.addServiceAccount();
  const keyFile = `${world.home}/key.json`;
  await Deno.writeTextFile(keyFile, JSON.stringify(second), { mode: 0o600 });
  const withKey = { env: { ...place, DATUMCTL_CREDENTIALS_FILE: keyFile } };
  const { stdout: bearer } = await good(["auth", "get-token"], { ...token, ...withKey });
  await Deno.remove(keyFile);
  const withBearer = { env: place, given: { DATUMCTL_TOKEN: bearer.trim() } };
  await good(["auth", "get-token"], { ...token, ...withBearer });
  await good(["whoami", "-o", "json"], withBearer);
  await bad(2, ["auth", "get-token"], { env: place, given: { DATUMCTL_TOKEN: pat } });
  const job = {
    env: { ACTIONS_ID_TOKEN_REQUEST_URL: ciIssuers.github.requestUrl },
    given: { ACTIONS_ID_TOKEN_REQUEST_TOKEN: ciIssuers.github.requestToken },
  };
  await good(["login", ...at, "--workload", "github", "--audience", "cluster", "--profile", "github"], job);
  await good(["auth", "get-token", "--session", "github", "--force-refresh"], { ...token, ...job });
  await bad(4, ["auth", "get-token", "--session", "github", "--force-refresh"], {
    ...job,
    given: { ACTIONS_ID_TOKEN_REQUEST_TOKEN: `${ciIssuers.github.requestToken}-of-another-job` },
  });
  await good(["logout", "--all"]);

  // ---- DataChain Studio ----
  await using studio = await startStudio({ interval: 1 });
  const signIn = [
    ...["login", "--provider", "studio", "--hostname", studio.url],
    ...["--certificate-authority", studio.caFile],
  ];
  const onCode = (code: string) => studio.approve(code);
  await good([...signIn, "--name", "one"], { onCode });
  await good(["auth", "token"], token);
  await good([...signIn, "--name", "two", "--force", "--export-datachain"], { onCode });
  const exported = `${world.home}/.config/datachain/config`;
  assert.ok((await Deno.readTextFile(exported)).includes(studio.tokens()[0]?.token ?? "?"));
  keys.push(await keyOfAccount(world, `two@${new URL(studio.url).host}`));
  const { leaks: copies } = await leaksBelow(
    [world.home, world.temporary],
    needlesOf(studio.secrets(), keys),
  );
  assert.deepEqual(copies, [`${exported}: access_token`], "the copy that was asked for, and nothing else");
  await good(["logout"]);
  const project = `${world.home}/project`;
  await Deno.mkdir(project);
  const inProject = { cwd: project };
  await good([...signIn, "--name", "three", "--local", "--export-datachain"], { ...inProject, onCode });
  await good(["auth", "token"], { ...token, ...inProject });
  await good(["auth", "list", "-o", "json"], inProject);
  keys.push(await keyOfAccount(world, `three@${new URL(studio.url).host} in ${project}`));
  const { leaks: inFolder } = await leaksBelow([project], needlesOf(studio.secrets(), keys));
  assert.deepEqual(inFolder, [`${project}/.datachain/config: access_token`], "as before, in the folder");
  await good(["logout", "--local"], inProject);

  // ---- API tokens ----
  await using cloudfleet = await startCloudfleet();
  const { organizationId, administrator, clusters, issuer, apiUrl, caFile } = cloudfleet;
  const env = {
    CLOUDFLEET_ISSUER: issuer,
    CLOUDFLEET_API_URL: apiUrl,
    DATUMCTL_CERTIFICATE_AUTHORITY: caFile,
  };
  const add = ["auth", "add-profile", "token"];
  await good([...add, "admin", organizationId, administrator.id], { env, stdin: administrator.secret });
  const typed = cloudfleet.addToken({ name: "typed", role: "User" });
  await good([...add, "typed", organizationId, typed.id, typed.secret], { env, typed: typed.secret });
  await good(["tokens", "create", "--name", "shown", "--role", "User", "-o", "json"], {
    env,
    meant: "secret",
  });
  await good(["tokens", "create", "--name", "ci", "--role", "User", "--save-profile", "ci"], { env });
  const file = `${world.home}/ci.secret`;
  await good(["tokens", "create", "--name", "file", "--role", "User", "--secret-file", file], { env });
  await Deno.remove(file);
  await good(["tokens", "list", "-o", "json"], { env });
  const shown = cloudfleet.addToken({ name: "rotated", role: "User" });
  await good(["tokens", "regenerate", shown.id, "--yes", "-o", "json"], { env, meant: "secret" });
  await good(["tokens", "regenerate", administrator.id, "--update-profile", "--yes"], { env });
  await good(["auth", "list-profiles", "-o", "wide"], { env });
  await good(["auth", "list-profiles", "-o", "json"], { env });
  await good(["clusters", "kubeconfig", clusters[0]?.id ?? "", "--profile", "ci"], { env });
  await good(["auth", "get-token", "--session", "ci", "--force-refresh"], token);
  const variables = {
    ...env,
    CLOUDFLEET_ORGANIZATION_ID: organizationId,
    CLOUDFLEET_ACCESS_TOKEN_ID: administrator.id,
  };
  await bad(2, ["tokens", "list"], { env: variables });
  const machine = cloudfleet.addToken({ name: "machine", role: "User" });
  const withSecret = {
    env: { ...variables, CLOUDFLEET_ACCESS_TOKEN_ID: machine.id },
    given: { CLOUDFLEET_ACCESS_TOKEN_SECRET: machine.secret },
  };
  await good(["tokens", "list", "-o", "json"], withSecret);
  await good(["clusters", "kubeconfig", clusters[0]?.id ?? ""], withSecret);
  const ofVariables = ["auth", "get-token", "--session", "env:CLOUDFLEET_ACCESS_TOKEN_ID"];
  await good(ofVariables, { ...token, ...withSecret });
  cloudfleet.regenerateToken(machine.id);
  await bad(4, ofVariables, withSecret);
  const { id } = JSON.parse((await good(["tokens", "list", "-o", "json"], { env })).stdout)
    .find(({ name }: { readonly name: string }) => name === "ci");
  cloudfleet.regenerateToken(id);
  await bad(4, ["auth", "get-token", "--session", "ci", "--force-refresh"]);
  await bad(4, [...add, "ci", organizationId, id], { env, stdin: administrator.secret });
  for (const profile of ["admin", "ci", "typed"]) keys.push(await keyOfAccount(world, profile));
  await good(["auth", "remove-profile", "admin"]);

  const secrets = [...world.cloud.secrets(), ...cloudfleet.secrets(), ...studio.secrets()];
  for (
    const kind of [
      "access_token",
      "refresh_token",
      "id_token",
      "code",
      "code_verifier",
      "device_code",
      "client_secret",
      "private_key",
      "personal_access_token",
      "subject_token",
      "request_token",
    ]
  ) {
    assert.ok(secrets.some((secret) => secret.kind === kind), `the run had no ${kind}`);
  }
  const needles = needlesOf(secrets, keys);
  for (const { command, finished, trace, token, address } of seen) {
    const stdout = without(
      finished.stdout,
      token,
      command.startsWith("login") ? nonceClaim(finished.stdout) : undefined,
    );
    assert.deepEqual(leaksIn(stdout, needles), [], `stdout of ${command}`);
    assert.deepEqual(leaksIn(without(finished.stderr, address), needles), [], `stderr of ${command}`);
    assert.deepEqual(leaksIn(trace, needles), [], `a child's argv or environment of ${command}`);
    assert.deepEqual(writtenElsewhere(world, trace), [], `files written by ${command}`);
  }
  assert.equal(pages.length, 3);
  for (const page of pages) assert.deepEqual(leaksIn(page, needles), [], "the page in the browser");
  assert.deepEqual(await filesWithLeaks(world, needles, began), []);
}

async function keyOf(world: World, email: string): Promise<string> {
  return await keyOfAccount(world, `${email}@${world.cloud.apiHost}`);
}

async function keyOfAccount(world: World, account: string): Promise<string> {
  const { stdout } = await world.start("secret-tool", ["lookup", "service", "datumctl", "account", account])
    .finished;
  assert.equal(stdout.length, 43);
  return stdout;
}

/** The token of a bare or an exec answer. */
function tokenOf(stdout: string): string {
  const token = stdout.startsWith("{") ? JSON.parse(stdout).status.token : stdout.trim();
  assert.match(token, /^[\w.-]{20,}$/);
  return token;
}

/** The nonce among the claims that `login -v` prints: it is one, and was used up by then. */
function nonceClaim(stdout: string): string | undefined {
  return /"nonce": "[^"]+"/.exec(stdout)?.[0];
}

function without(text: string, ...parts: (string | undefined)[]): string {
  return parts.reduce((left: string, part) => part === undefined ? left : left.replaceAll(part, "…"), text);
}

/** Every leak in a file that the run could have written. */
async function filesWithLeaks(
  world: World,
  needles: readonly Needle[],
  since: number,
): Promise<string[]> {
  const runtime = world.env["XDG_RUNTIME_DIR"] ?? "";
  const folders = [world.home, world.temporary, runtime, world.keyring?.env["HOME"] ?? "", ROOT];
  const { leaks, files } = await leaksBelow(folders, needles, since);
  assert.ok(files > 50, "nothing was searched");
  return leaks;
}

/** The files that were opened for writing outside of the folders that are searched. */
function writtenElsewhere(world: World, trace: string): string[] {
  const opened = [...trace.matchAll(/(?:openat|creat)\((?:AT_FDCWD, )?"([^"]*)"[^)\n]*\) = \d/g)];
  assert.ok(opened.length > 0, "strace saw no file opened");
  const handOffs = `${world.env["XDG_RUNTIME_DIR"]}/datumctl/`;
  const places = [world.home, world.temporary, handOffs, "/dev/null"];
  return opened.filter(([line]) => /creat\(|O_WRONLY|O_RDWR|O_CREAT/.test(line)).map(([, path = ""]) => path)
    .filter((path) => !places.some((place) => path.startsWith(place)));
}

/** `deno task demo`: the main job against a cloud that it starts itself, told as a story. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { parseArgs } from "node:util";
import { parse } from "yaml";
import { pause } from "../src/system/clock.ts";
import { interruption } from "../src/system/signals.ts";
import { approveDeviceByHttp, signInByHttp } from "../tests/cloud/browser.ts";
import { type Cloud, startCloud } from "../tests/cloud/cloud.ts";
import { ROOT } from "./compile.ts";
import { setStage, type Stage } from "./demo-stage.ts";
import { buildCache, kubectlPath } from "./npm-packages.ts";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";

/** Lives of the issuer's tokens, in seconds: the one that is let run out, and all others. */
const SHORT = 4;
const USUAL = 3600;

/** How long kubectl may take to come from the registry, in milliseconds. */
const LONGEST_FETCH = 25_000;

/** Asks the control plane through the entry in the kubeconfig: with kubectl, or as kubectl would. */
interface Client {
  namespaces(): Promise<string>;
  whoami(): Promise<string>;
}

async function tell(stage: Stage, cloud: Cloud, client: Client, signal: AbortSignal): Promise<void> {
  const count = (name: string) => cloud.counts()[name] ?? 0;
  const signIn = async (email: string, flags: readonly string[], walk: (url: string) => Promise<unknown>) => {
    let walked: Promise<unknown> | undefined;
    const output = await stage.run("datumctl", [
      ...["login", ...flags, "--hostname", cloud.authHost, "--api-hostname", cloud.apiHost],
      ...["--client-id", cloud.clientId, "--certificate-authority", "ca.pem"],
    ], {
      onLine(line) {
        if (!/^ *https:\/\/\S+[?&](?:response_type|user_code)=/.test(line)) return;
        walked ??= walk(line.trim());
        // It is awaited below; until then a failure must not end the process.
        walked.catch(() => {});
      },
    });
    await walked;
    check(output.includes(`Signed in as ${email} `), `${email} should be signed in`);
  };

  stage.chapter("1. Ada signs in");
  stage.say(`
    For Datum Cloud itself, "datumctl login" is all; the flags only name the cloud that runs here. A browser
    would open now. In its place, the demo walks the issuer's pages by itself and chooses Ada there.`);
  let page = "";
  await signIn(ADA, [], async (url) => {
    page = await (await signInByHttp(cloud, url, ADA, { signal })).text();
  });
  check(page.includes("You are signed in"), "the page in the browser should say that she is signed in");
  stage.say('Her browser now says: "You are signed in", and that she can close the tab.');
  await stage.run("datumctl", ["auth", "list"]);

  stage.chapter("2. She works on a project, without kubectl");
  stage.say("She chooses a project, and says in a file what there should be in it.");
  await stage.run("datumctl", ["ctx", "use", "acme/web"]);
  const manifest = (open: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\ndata:\n  open: "${open}"\n`;
  await Deno.writeTextFile(`${stage.home}/shop.yaml`, manifest("09:00"));
  const created = await stage.run("datumctl", ["apply", "-f", "shop.yaml"]);
  check(created.includes("configmap/shop created"), "the object should be created");
  stage.say("Tomorrow the shop opens earlier. What would change, she sees first.");
  await Deno.writeTextFile(`${stage.home}/shop.yaml`, manifest("08:00"));
  const differs = await stage.run("datumctl", ["diff", "-f", "shop.yaml"], { expected: 1 });
  check(differs.includes('+  open: "08:00"'), "the difference should be shown");
  const changed = await stage.run("datumctl", ["apply", "-f", "shop.yaml"]);
  check(changed.includes("configmap/shop configured"), "the object should be changed");
  const there = await stage.run("datumctl", ["get", "configmaps"]);
  check(/^shop /m.test(there), "the object should be listed");
  await stage.run("datumctl", ["delete", "configmap", "shop"]);

  stage.chapter("3. kubectl gets its entry");
  stage.say("The entry holds no token. It tells kubectl to ask datumctl for one, each time.");
  await stage.run("datumctl", ["auth", "update-kubeconfig", "--project", "web"]);
  check(/\bdefault\b/.test(await client.namespaces()), "the namespaces should be listed");

  stage.chapter("4. The token runs out");
  stage.say(`
    Here a token lasts an hour. To see one end, the issuer now gives one of ${SHORT} seconds. (--claims shows
    what is known of a token, never the token.)`);
  cloud.setTokenLife(SHORT);
  const claims = await stage.run("datumctl", ["auth", "get-token", "--force-refresh", "--claims"]);
  cloud.setTokenLife(USUAL);
  const { expires } = JSON.parse(claims) as { readonly expires: string };
  const seconds = Math.max(1, Math.ceil((Date.parse(expires) - Date.now()) / 1000));
  stage.say(`Waiting ${seconds} seconds, until it is worth nothing …`);
  await stage.wait(seconds);
  const before = count("token:refresh_token");
  check(/\bdefault\b/.test(await client.namespaces()), "the namespaces should be listed again");
  const after = count("token:refresh_token");
  check(after === before + 1, `the issuer should see one refresh, and saw ${after - before}`);
  stage.say("It works as before: datumctl got a new token on the way. The issuer counted:");
  stage.facts([["refreshes before it", String(before)], ["refreshes after it", String(after)]]);

  stage.chapter("5. Grace signs in, without a browser");
  stage.say("She gets a code and opens the address on her phone. The demo plays the phone.");
  await signIn(GRACE, ["--no-browser"], (url) => approveDeviceByHttp(cloud, url, GRACE, { signal }));
  stage.say("Switching between the two is one command:");
  await stage.run("datumctl", ["auth", "switch", ADA]);
  await stage.run("datumctl", ["auth", "switch", GRACE]);
  const listed = await stage.run("datumctl", ["auth", "list"]);
  check(/grace@example\.com +Active/.test(listed), "Grace should be the active user");
  stage.say(`
    Grace is active. But the entry in the kubeconfig was made by Ada, and it acts as Ada, whoever is active:
    nobody works as somebody else by accident.`);
  const who = await client.whoami();
  check(who.includes(ADA) && !who.includes(GRACE), "the entry should act as Ada");

  stage.chapter("6. Everybody signs out");
  stage.say("A moment before, a thief copies all that datumctl keeps: sessions, keys, everything.");
  await copyFolder(`${stage.home}/.config/datumctl`, `${stage.home}/stolen`);
  const revoked = count("revocation");
  await stage.run("datumctl", ["logout", "--all"]);
  check(count("revocation") > revoked, "the issuer should be asked to revoke");
  await stage.run("datumctl", ["auth", "get-token"], { expected: 4 });
  stage.say("And the thief? The sessions have ended at the issuer, so the stolen copy opens nothing:");
  const refused = await stage.run("datumctl", ["auth", "get-token", "--force-refresh"], {
    env: { DATUMCTL_CONFIG_DIR: "stolen" },
    expected: 4,
  });
  check(refused.includes("has expired"), "the issuer should refuse the revoked session");
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`It went another way: ${what}.`);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    await (isDirectory ? copyFolder : Deno.copyFile)(`${from}/${name}`, `${to}/${name}`);
  }
}

function withKubectl(stage: Stage): Client {
  return {
    namespaces: () => stage.run("kubectl", ["get", "namespaces"]),
    whoami: () => stage.run("kubectl", ["auth", "whoami"]),
  };
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string } }[];
  readonly users: readonly { readonly user: { readonly exec: { readonly args: readonly string[] } } }[];
}

/** Does what kubectl does with the entry: runs its command for a token, and asks its server with that. */
function withoutKubectl(stage: Stage, cloud: Cloud, signal: AbortSignal): Client {
  const ask = async (path: string, body?: unknown): Promise<unknown> => {
    const { clusters, users } = parse(await Deno.readTextFile(`${stage.home}/.kube/config`)) as Kubeconfig;
    const url = `${clusters[0]?.cluster.server}${path}`;
    const args = users[0]?.user.exec.args ?? [];
    const session = args.find((arg) => arg.startsWith("--session=")) ?? "";
    const posted = body === undefined ? [] : [`--json '${JSON.stringify(body)}'`];
    stage.prompt([`TOKEN=$(datumctl auth get-token ${session})`]);
    stage.prompt([
      "curl --cacert ca.pem --header",
      '"Authorization: Bearer $TOKEN"',
      ...posted,
      `$SERVER${path}`,
    ]);
    const credential = JSON.parse(await stage.quietly(args)) as {
      readonly status: { readonly token: string };
    };
    using client = Deno.createHttpClient({ caCerts: [cloud.caPem] });
    const response = await fetch(url, {
      client,
      signal,
      headers: { authorization: `Bearer ${credential.status.token}`, "content-type": "application/json" },
      method: body === undefined ? "GET" : "POST",
      body: body === undefined ? null : JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    check(response.ok, `the API server should not answer ${response.status}`);
    return answer;
  };
  const shown = (text: string) => {
    stage.show(text);
    return text;
  };
  return {
    async namespaces() {
      const { items } = await ask("/api/v1/namespaces") as {
        readonly items: readonly { readonly metadata: { readonly name: string } }[];
      };
      return shown(items.map(({ metadata }) => metadata.name).join("\n"));
    },
    async whoami() {
      const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
      const { status } = await ask("/apis/authentication.k8s.io/v1/selfsubjectreviews", review) as {
        readonly status: { readonly userInfo: { readonly username: string } };
      };
      return shown(status.userInfo.username);
    },
  };
}

/** kubectl's path; else why there is none, in words. */
async function findKubectl(
  signal: AbortSignal,
): Promise<{ readonly path: string } | { readonly why: string }> {
  const enough = new AbortController();
  const late = pause(LONGEST_FETCH, AbortSignal.any([signal, enough.signal])).then(() => {
    throw new Error(`npm took longer than ${LONGEST_FETCH / 1000} seconds`);
  });
  try {
    const path = await Promise.race([kubectlPath("v35"), late]);
    return path === undefined ? { why: "none is pinned for this system" } : { path };
  } catch (error) {
    signal.throwIfAborted();
    return { why: error instanceof Error ? error.message.replace(/:?\n[^]*/, "") : String(error) };
  } finally {
    enough.abort();
    late.catch(() => {});
  }
}

/** Fetches the packages that the program itself needs, with the person's own settings for npm. */
async function fetchPackages(): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", "--config", `${ROOT}deno.json`, `${ROOT}main.ts`],
    stdin: "null",
  }).spawn().status;
  if (!success) throw new Error("The packages of the program could not be fetched.");
}

/** Loopback is never for a proxy, and what this process puts into temporary folders goes with the stage. */
function keepTo(home: string): void {
  const exempt = Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy");
  Deno.env.set("NO_PROXY", [...exempt === undefined ? [] : [exempt], "127.0.0.1"].join(","));
  for (const name of ["TMPDIR", "TMP", "TEMP"]) Deno.env.set(name, home);
}

async function demo(signal: AbortSignal, useKubectl: boolean): Promise<number> {
  await using stage = await setStage(signal);
  keepTo(stage.home);
  stage.title("datumctl: sign in once, and kubectl always has a fresh token");
  stage.say(`
    A whole cloud starts on this machine: an issuer, who signs people in, and an API server. datumctl runs
    from its sources, in a scratch folder that is its home: your own files, your keyring and your kubeconfig
    stay as they are.`);
  const [cloud, kubectl] = await Promise.all([
    startCloud({ accessTokenLife: USUAL }),
    useKubectl ? findKubectl(signal) : { why: "--without-kubectl was given" },
    fetchPackages(),
  ]);
  await using _open = cloud;
  signal.throwIfAborted();
  await Deno.writeTextFile(`${stage.home}/ca.pem`, cloud.caPem);
  stage.facts([
    ["issuer", cloud.authHost],
    ["API server", cloud.apiHost],
    ["home", stage.home],
    ["keyring", "not used; the keys of the sessions are in files"],
    ["kubectl", "path" in kubectl ? `1.35, from npm, kept in ${buildCache()}` : `not used: ${kubectl.why}`],
  ]);
  if ("path" in kubectl) stage.programs.set("kubectl", kubectl.path);
  else {
    stage.say(`
      So the demo does what kubectl does: it asks datumctl as the kubeconfig says, and then the API server,
      with requests that are shown as curl would make them; $SERVER stands for the API server in the entry.`);
  }
  const client = "path" in kubectl ? withKubectl(stage) : withoutKubectl(stage, cloud, signal);
  await tell(stage, cloud, client, signal);
  return stage.commands;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { "without-kubectl": { type: "boolean", default: false } } });
  const started = performance.now();
  using interrupted = interruption();
  try {
    const commands = await demo(interrupted.signal, !values["without-kubectl"]);
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`\nAll went well: ${commands} commands in ${seconds} seconds. The scratch folder is gone.`);
    Deno.exit(0);
  } catch (error) {
    const stopped = interrupted.signal.aborted;
    const what = error instanceof Error ? error.message : String(error);
    console.error(
      stopped ? "\nThe demo was stopped. The scratch folder is gone." : `\nThe demo failed: ${what}`,
    );
    Deno.exit(stopped ? 130 : 1);
  }
}

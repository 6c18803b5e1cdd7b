/** Proves that what commands print with `-o json` is what the schemas in docs/schemas/ say, and that each has one. */

import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { ROOT } from "../../scripts/compile.ts";
import { startCloudfleet } from "../cloud/cloudfleet.ts";
import { namesIn } from "../scratch.ts";
import { testInWorld } from "./world.ts";

const FOLDER = `${ROOT}docs/schemas`;
const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
formats.default(ajv);
const checked = new Set<string>();

/** Fails unless a text is JSON as the schema of that name says. */
async function assertFits(name: string, text: string): Promise<void> {
  const id = `${name}.schema.json`;
  const schema = JSON.parse(await Deno.readTextFile(`${FOLDER}/${id}`));
  const check = ajv.getSchema(schema.$id) ?? ajv.compile(schema);
  assert.ok(check(JSON.parse(text)), `${name}: ${ajv.errorsText(check.errors)}\n${text}`);
  checked.add(id);
}

/** A kubeconfig of other programs. */
const OTHERS = `
clusters: [{name: c, cluster: {server: "https://k8s.example.com"}}]
contexts:
- {name: a, context: {cluster: c, user: kubelogin}}
- {name: b, context: {cluster: c, user: gke}}
users:
- name: kubelogin
  user:
    exec:
      command: kubectl
      args: [oidc-login, get-token, --oidc-issuer-url=https://login.example.com, --oidc-client-id=x, --oidc-client-secret=s]
- {name: gke, user: {exec: {command: gke-gcloud-auth-plugin}}}
`;

testInWorld("a person's commands print what the schemas say", async (world) => {
  await world.login("ada@example.com");
  const fits = async (name: string, line: string) => await assertFits(name, await world.ok(line.split(" ")));
  await fits("version", "version -o json");
  for (const flag of ["--refresh", "--offline"]) {
    // It ends with 1 where a machine lacks something.
    await assertFits("doctor", (await world.datumctl(["doctor", flag, "-o", "json"])).stdout);
  }
  await fits("whoami", "whoami -o json");
  await fits("status", "status -o json");
  await fits("ctx", "ctx -o json");
  await fits("ctx-list", "ctx list -o json");
  await fits("organizations-list", "organizations list -o json");
  await world.ok(["ctx", "use", "acme/web"]);
  await fits("projects-list", "projects list -o json");
  await fits("whoami", "whoami -o json");
  await fits("status", "status -o json");
  await fits("ctx", "ctx -o json");
  await fits("ctx-list", "ctx list -o json");
  await fits("auth-list", "auth list -o json");
  const cwd = `${world.home}/folder`;
  await Deno.mkdir(cwd);
  const session = `ada@example.com@${world.cloud.apiHost}`;
  for (const flags of [[], ["--session", session, "--organization", "acme", "--project", "web"]]) {
    await assertFits("use", await world.ok(["use", ...flags, "-o", "json"], { cwd }));
  }
  await assertFits("folder-file", await Deno.readTextFile(`${cwd}/.datumctl.json`));
  await assertFits("trust-list", await world.ok(["trust", "--list", "-o", "json"]));
  for (const name of ["whoami", "ctx"]) await assertFits(name, await world.ok([name, "-o", "json"], { cwd }));
  await fits("exec-credential", "auth get-token -o client.authentication.k8s.io/v1");
  await fits("exec-credential", "auth get-token -o client.authentication.k8s.io/v1beta1");
  for (
    const line of [
      "auth whoami -o json",
      "auth can-i list dnszones -o json",
      "auth can-i --list -o json",
      "api-resources -o json",
      "get namespaces -o json",
      "get namespace default -o json",
    ]
  ) await fits("kubernetes-object", line);
  await fits("setup", "setup -o json");
  await fits("setup", "setup -o json --server-version 1.29 --group dev");
  await Deno.mkdir(`${world.home}/.kube`, { recursive: true });
  await Deno.writeTextFile(world.kubeconfig, OTHERS);
  await fits("auth-import", "auth import -o json");
  const { stderr } = await world.datumctl(["auth", "nothing", "--error-format", "json"]);
  await assertFits("error", stderr);
  const unknown = await world.datumctl(["whoami", "--profile", "nobody", "--error-format", "json"]);
  await assertFits("error", unknown.stderr);
});

testInWorld("a machine's session prints what the schemas say", async (world) => {
  const key = JSON.stringify(await world.cloud.addServiceAccount());
  const { authHost, apiHost, caFile } = world.cloud;
  const at = ["--hostname", authHost, "--api-hostname", apiHost, "--certificate-authority", caFile];
  await world.ok(["login", ...at, "--credentials", "-"], { stdin: key });
  for (
    const [name, line] of [["whoami", "whoami"], ["status", "status"], ["auth-list", "auth list"]] as const
  ) {
    await assertFits(name, await world.ok([...line.split(" "), "-o", "json"]));
  }
});

testInWorld("Cloudfleet's commands print what the schemas say", async (world) => {
  const cloudfleet = await startCloudfleet();
  try {
    const { organizationId, administrator } = cloudfleet;
    const env = {
      CLOUDFLEET_ISSUER: cloudfleet.issuer,
      CLOUDFLEET_API_URL: cloudfleet.apiUrl,
      DATUMCTL_CERTIFICATE_AUTHORITY: cloudfleet.caFile,
    };
    const run = (line: string, stdin?: string) => world.ok(line.split(" "), { env, stdin });
    await run(`auth add-profile token admin ${organizationId} ${administrator.id}`, administrator.secret);
    const made = await run("tokens create --name ci --role User -o json");
    await assertFits("new-secret", made);
    const { id } = JSON.parse(made);
    const saved = `${world.home}/secret`;
    await assertFits("new-secret", await run(`tokens regenerate ${id} --yes -o json`));
    await assertFits("new-secret", await run(`tokens regenerate ${id} --yes --secret-file ${saved} -o json`));
    await assertFits("new-secret", await run("tokens create --name b --role User --save-profile b -o json"));
    await assertFits("tokens-list", await run("tokens list -o json"));
    await assertFits("tokens-describe", await run(`tokens describe ${id} -o json`));
    await assertFits("clusters-list", await run("clusters list -o json"));
    await assertFits("auth-list-profiles", await run("auth list-profiles -o json"));
    await assertFits("auth-list", await run("auth list -o json"));
    await assertFits("whoami", await run("whoami -o json"));
    await assertFits("status", await run("status -o json"));
  } finally {
    await cloudfleet.close();
  }
});

Deno.test("every schema was compared with output, and describes nothing more than there is", async () => {
  assert.deepEqual([...checked].sort(), (await namesIn(FOLDER)).filter((name) => name.endsWith(".json")));
});

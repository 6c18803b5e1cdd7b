/** The world of Cloudfleet's commands tested from source: a Cloudfleet in this process, a folder for profiles. */

import assert from "node:assert/strict";
import { signInByHttp } from "../cloud/browser.ts";
import { type Cloudfleet, type CloudfleetOptions, startCloudfleet } from "../cloud/cloudfleet.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { type Ran, runLine, type RunOptions } from "./run-line.ts";

/** How a command line is run. */
export type Options = Partial<Omit<RunOptions, "store">>;

/** Where commands run; dispose of it. */
export interface CloudfleetWorld extends AsyncDisposable {
  readonly cloudfleet: Cloudfleet;
  readonly sandbox: Sandbox;
  readonly kubeconfig: string;
  /** The variables that say where this Cloudfleet is; a run's own ones win. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command line. */
  run(words: string | readonly string[], options?: Options): Promise<Ran>;
  /** Runs it, and it must end well; its stdout. */
  ok(words: string | readonly string[], options?: Options): Promise<string>;
  /** Adds the administrator's token as a profile; `default` unless named. */
  addAdministrator(name?: string): Promise<void>;
  /** `login` to a person's profile through the browser's way. */
  login(profile: string, email: string): Promise<Ran>;
  /** Every file of the program as one text. */
  everything(): Promise<string>;
}

/** Opens a world. */
export async function openCloudfleetWorld(options?: CloudfleetOptions): Promise<CloudfleetWorld> {
  const cloudfleet = await startCloudfleet(options);
  const sandbox = await openSandbox();
  const kubeconfig = `${sandbox.folder}/kubeconfig`;
  const env = {
    KUBECONFIG: kubeconfig,
    PATH: Deno.env.get("PATH") ?? "",
    DATUMCTL_KEYRING: "file",
    CLOUDFLEET_ISSUER: cloudfleet.issuer,
    CLOUDFLEET_API_URL: cloudfleet.apiUrl,
    DATUMCTL_CERTIFICATE_AUTHORITY: cloudfleet.caFile,
  };
  const run: CloudfleetWorld["run"] = (words, options = {}) => {
    const variables: Readonly<Record<string, string>> = { ...env, ...options.env };
    return runLine(typeof words === "string" ? words.split(" ").filter((word) => word !== "") : words, {
      store: sandbox.store,
      ...options,
      env: variables,
    });
  };
  const ok: CloudfleetWorld["ok"] = async (words, options) => {
    const { code, stdout, stderr } = await run(words, options);
    assert.equal(code, 0, `${words}: ${stderr}`);
    return stdout;
  };
  return {
    cloudfleet,
    sandbox,
    kubeconfig,
    env,
    run,
    ok,
    async addAdministrator(name = "default") {
      const { organizationId, administrator: { id, secret } } = cloudfleet;
      await ok(`auth add-profile token ${name} ${organizationId} ${id}`, { stdin: `${secret}\n` });
    },
    async login(profile, email) {
      let walk: Promise<unknown> | undefined;
      let shown = "";
      const ran = await run(`login --profile ${profile} --browser-command true`, {
        onErr(text) {
          shown += text;
          const url = /https:\/\/\S+[?&]response_type=\S+(?=\s)/.exec(shown)?.[0];
          if (url === undefined) return;
          walk ??= signInByHttp(cloudfleet, url, email).then((answer) => answer.body?.cancel());
        },
      });
      await walk;
      return ran;
    },
    async everything() {
      let text = "";
      const visit = async (folder: string): Promise<void> => {
        for await (const { name, isDirectory } of Deno.readDir(folder)) {
          if (isDirectory) await visit(`${folder}/${name}`);
          else text += `${name}\n${await Deno.readTextFile(`${folder}/${name}`)}\n`;
        }
      };
      await visit(sandbox.folder);
      return text;
    },
    async [Symbol.asyncDispose]() {
      await cloudfleet.close();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** A test with a world of its own. */
export function testWithCloudfleet(
  name: string,
  run: (world: CloudfleetWorld) => Promise<void>,
  options?: CloudfleetOptions,
): void {
  Deno.test(name, async () => {
    await using world = await openCloudfleetWorld(options);
    await run(world);
  });
}

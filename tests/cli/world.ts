/** The world of a command tested from source: a cloud in this process, and a folder of its own for sessions. */

import assert from "node:assert/strict";
import { signInByHttp } from "../cloud/browser.ts";
import { type Cloud, startCloud } from "../cloud/cloud.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { type Ran, runLine, type RunOptions } from "./run-line.ts";

/** How a command line is run. */
export type Options = Partial<Omit<RunOptions, "store">>;

/** Where commands run; dispose of it. */
export interface World extends AsyncDisposable {
  readonly cloud: Cloud;
  readonly sandbox: Sandbox;
  readonly kubeconfig: string;
  /** Runs a command line of single words. */
  run(words: string, options?: Options): Promise<Ran>;
  /** Runs it, and it must end well; its stdout. */
  ok(words: string, options?: Options): Promise<string>;
  /** `login` through the browser's way; its flags after those that name the cloud. */
  login(email: string, flags?: string, options?: Options): Promise<Ran>;
}

/** Opens a world. */
export async function openWorld(): Promise<World> {
  const cloud = await startCloud();
  const sandbox = await openSandbox();
  const kubeconfig = `${sandbox.folder}/kubeconfig`;
  const named =
    `--hostname ${cloud.authHost} --api-hostname ${cloud.apiHost} --client-id ${cloud.clientId} ` +
    `--certificate-authority ${cloud.caFile} --keyring file --browser-command true`;
  const run = (words: string, options: Options = {}) =>
    runLine(words.split(" ").filter((word) => word !== ""), {
      store: sandbox.store,
      ...options,
      env: { KUBECONFIG: kubeconfig, PATH: Deno.env.get("PATH") ?? "", ...options.env },
    });
  return {
    cloud,
    sandbox,
    kubeconfig,
    run,
    async ok(words, options) {
      const { code, stdout, stderr } = await run(words, options);
      assert.equal(code, 0, `${words}: ${stderr}`);
      return stdout;
    },
    async login(email, flags = "", options = {}) {
      let walk: Promise<unknown> | undefined;
      let shown = "";
      const ran = await run(`login ${named} ${flags}`, {
        ...options,
        onErr(text) {
          shown += text;
          const url = /https:\/\/\S+[?&]response_type=\S+(?=\s)/.exec(shown)?.[0];
          if (url !== undefined) {
            walk ??= signInByHttp(cloud, url, email).then((answer) => answer.body?.cancel());
          }
        },
      });
      await walk;
      return ran;
    },
    async [Symbol.asyncDispose]() {
      await cloud.close();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** Who may do everything. */
export const ADA = "ada@example.com";
/** Who may look. */
export const GRACE = "grace@example.com";

/** The session of that e-mail at this world's cloud. */
export const at = ({ cloud }: World, email: string) => `${email}@${cloud.apiHost}`;

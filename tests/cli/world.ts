/** The world of a command tested from source: a cloud in this process, and a folder of its own for sessions. */

import { signInByHttp } from "../cloud/browser.ts";
import { type Cloud, startCloud } from "../cloud/cloud.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";
import { type CommandLine, commandLine, good, type Options, type Ran } from "./run-line.ts";

/** Where commands run; dispose of it. */
export interface World extends CommandLine, AsyncDisposable {
  readonly cloud: Cloud;
  readonly sandbox: Sandbox;
  /** `login` through the browser's way; its flags after those that name the cloud. */
  login(email: string, flags?: string, options?: Options): Promise<Ran>;
}

/** Opens a world. */
export async function openWorld(): Promise<World> {
  const cloud = await startCloud();
  const sandbox = await openSandbox();
  const commands = commandLine(sandbox);
  const named =
    `--hostname ${cloud.authHost} --api-hostname ${cloud.apiHost} --client-id ${cloud.clientId} ` +
    `--certificate-authority ${cloud.caFile} --keyring file --browser-command true`;
  return {
    ...commands,
    cloud,
    sandbox,
    login: (email, flags = "", options = {}) =>
      whenPrinted(
        printedAddress,
        (address) => signInByHttp(cloud, address, email),
        (onStderr) => commands.run(`login ${named} ${flags}`, { ...options, onStderr }),
      ),
    async [Symbol.asyncDispose]() {
      await cloud.close();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** Opens a world in which Ada and the other named people are signed in. */
export async function openSignedIn(...others: readonly string[]): Promise<World> {
  const world = await openWorld();
  for (const email of [ADA, ...others]) good(await world.login(email));
  return world;
}

/** Who may do everything. */
export const ADA = "ada@example.com";
/** Who may look. */
export const GRACE = "grace@example.com";

/** The session of that e-mail at this world's cloud. */
export const at = ({ cloud }: World, email: string) => `${email}@${cloud.apiHost}`;

/** Writes a service account's key file, open to its owner alone; changed before it is written. */
export async function keyFile(
  { cloud, sandbox }: Pick<World, "cloud" | "sandbox">,
  change: (key: Record<string, unknown>) => unknown = (key) => key,
  mode = 0o600,
): Promise<string> {
  const path = `${sandbox.folder}/key-${crypto.randomUUID()}.json`;
  const content = change({ ...await cloud.addServiceAccount() });
  await Deno.writeTextFile(path, typeof content === "string" ? content : JSON.stringify(content), { mode });
  return path;
}

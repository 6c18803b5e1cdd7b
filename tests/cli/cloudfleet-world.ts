/** The world of Cloudfleet's commands tested from source: a Cloudfleet in this process, a folder for profiles. */

import { signInByHttp } from "../cloud/browser.ts";
import { type Cloudfleet, type CloudfleetOptions, startCloudfleet } from "../cloud/cloudfleet.ts";
import { filesBelow } from "../scratch.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";
import { type CommandLine, commandLine, type Ran } from "./run-line.ts";

/** Where commands run; dispose of it. */
export interface CloudfleetWorld extends CommandLine, AsyncDisposable {
  readonly cloudfleet: Cloudfleet;
  readonly sandbox: Sandbox;
  /** The variables that say where this Cloudfleet is; a run's own ones win. */
  readonly env: Readonly<Record<string, string>>;
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
  const env = {
    DATUMCTL_KEYRING: "file",
    CLOUDFLEET_ISSUER: cloudfleet.issuer,
    CLOUDFLEET_API_URL: cloudfleet.apiUrl,
    DATUMCTL_CERTIFICATE_AUTHORITY: cloudfleet.caFile,
  };
  const commands = commandLine(sandbox, env);
  return {
    ...commands,
    cloudfleet,
    sandbox,
    env,
    async addAdministrator(name = "default") {
      const { organizationId, administrator: { id, secret } } = cloudfleet;
      await commands.ok(`auth add-profile token ${name} ${organizationId} ${id}`, { stdin: `${secret}\n` });
    },
    login: (profile, email) =>
      whenPrinted(
        printedAddress,
        (address) => signInByHttp(cloudfleet, address, email),
        (onStderr) => commands.run(`login --profile ${profile} --browser-command true`, { onStderr }),
      ),
    async everything() {
      const files = await filesBelow(sandbox.folder);
      const texts = files.map(async (path) => `${path}\n${await Deno.readTextFile(path)}\n`);
      return (await Promise.all(texts)).join("");
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

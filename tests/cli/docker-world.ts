/** The world of Docker's commands tested from source: profiles of Cloudfleet's own API, a home, and a folder on PATH. */

import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { type CommandLine, commandLine, type Options, type Ran } from "./run-line.ts";

/** The organization of profiles unless another is named. */
export const ORGANIZATION = "12345678-6651-4e5d-9c04-079f6532989b";
/** Another one. */
export const ANOTHER = "dc78c04e-6651-4e5d-9c04-079f6532989b";

/** An organization's registry. */
export const registry = (organization = ORGANIZATION, region = "europe") =>
  `${organization}.${region}.registry.cloudfleet.dev`;

/** Where commands run; dispose of it. */
export interface DockerWorld extends CommandLine, AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly home: string;
  /** Docker's configuration file. */
  readonly config: string;
  /** Adds an API token as a profile, untested; its secret. */
  addProfile(name: string, options?: ProfileOptions): Promise<string>;
  /** Calls the helper as Docker does. */
  docker(action: string, stdin?: string, options?: Options): Promise<Ran>;
}

interface ProfileOptions {
  readonly organization?: string;
  readonly tokenId?: string;
  /** More words of `auth add-profile token`. */
  readonly words?: readonly string[];
}

/** The id of a token unless another is named. */
export const TOKEN_ID = "nFYyVdtg8K1aDujwk3YFh1";

/** Opens a world. */
export async function openDockerWorld(): Promise<DockerWorld> {
  const sandbox = await openSandbox();
  const home = `${sandbox.folder}/home`;
  await Deno.mkdir(`${home}/.local/bin`, { recursive: true });
  const commands = commandLine(sandbox, {
    HOME: home,
    PATH: `${home}/.local/bin:/usr/bin:/bin`,
    DATUMCTL_KEYRING: "file",
  });
  return {
    ...commands,
    sandbox,
    home,
    config: `${home}/.docker/config.json`,
    async addProfile(name, { organization = ORGANIZATION, tokenId = TOKEN_ID, words = [] } = {}) {
      const secret = `the-secret-of-${name}-0123456789`;
      await commands.ok(
        [
          ...["auth", "add-profile", "token", name, organization, tokenId],
          ...["--issuer", "https://auth.example.com", "--skip-validation", ...words],
        ],
        { stdin: `${secret}\n` },
      );
      return secret;
    },
    docker: (action, stdin, options) => commands.run(["docker-credential", action], { stdin, ...options }),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

/** A test with a world of its own. */
export function testWithDocker(name: string, run: (world: DockerWorld) => Promise<void>): void {
  Deno.test(name, async () => {
    await using world = await openDockerWorld();
    await run(world);
  });
}

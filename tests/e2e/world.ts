/** The world of an end-to-end test: the compiled binary, a home of its own, a cloud, and a keyring if wanted. */

import assert from "node:assert/strict";
import { compileBinary, ROOT } from "../../scripts/compile.ts";
import { approveDeviceByHttp, signInByHttp } from "../cloud/browser.ts";
import { type Cloud, type CloudOptions, startCloud } from "../cloud/cloud.ts";
import { type Keyring, startKeyring } from "../keyring/gnome-keyring.ts";
import { filesBelow } from "../scratch.ts";
import { type OnStderr, printedAddress, whenPrinted } from "../when-printed.ts";

/** What a finished program left. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds of wall time. */
  readonly took: number;
}

/** How to run a program. */
export interface RunOptions {
  /** Beside the world's own variables; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly stdin?: string | undefined;
  /** The working folder; the test's own unless given. */
  readonly cwd?: string | undefined;
  readonly onStderr?: OnStderr | undefined;
  /** As {@link RunOptions.onStderr}. */
  readonly onStdout?: OnStderr | undefined;
  /** Killed after that many milliseconds; 60,000 unless given. */
  readonly timeout?: number | undefined;
}

/** A running program. */
export interface Running {
  readonly pid: number;
  kill(signal: Deno.Signal): void;
  readonly finished: Promise<Finished>;
}

/** A `login` that waits for its person. */
export interface WaitingLogin extends Running {
  /** The address to open that it printed; fails when it ends without one. */
  readonly address: Promise<string>;
}

/** What a world is made with. */
export interface WorldOptions {
  readonly cloud?: CloudOptions | undefined;
  /** `real` starts a gnome-keyring; without it the session's key is in a file. */
  readonly keyring?: "real" | undefined;
  /** The binary stops at a checkpoint when `DATUMCTL_TEST_STOP_AT` names it: see stop-at-checkpoint.ts. */
  readonly testHooks?: boolean | undefined;
}

/** Everything that one test lives in; dispose of it. */
export interface World extends AsyncDisposable {
  readonly cloud: Cloud;
  readonly binary: string;
  readonly home: string;
  /** Where the program keeps its files. */
  readonly config: string;
  readonly kubeconfig: string;
  /** The temporary folder of its programs. */
  readonly temporary: string;
  readonly keyring: Keyring | undefined;
  /** The variables that programs of this world get. */
  readonly env: Readonly<Record<string, string>>;
  /** The flags of `login` that name this world's cloud. */
  readonly loginFlags: readonly string[];
  /** Starts any program. */
  start(program: string, args: readonly string[], options?: RunOptions): Running;
  /** Runs datumctl to its end. */
  datumctl(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Runs datumctl to its end, which must be a good one; its stdout. */
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Signs in through the browser's way, walked by fetch; more flags after the world's own. */
  login(email: string, flags?: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Starts a sign-in and walks no part of it; more flags after the world's own. */
  startLogin(flags?: readonly string[], options?: RunOptions): WaitingLogin;
  /** The paths of all files below the home. */
  files(): Promise<string[]>;
}

let compiled: Promise<string> | undefined;
let hooked: Promise<string> | undefined;

/** The binary under test: `$DATUMCTL_BINARY`, else one that is compiled once per run. */
export function binaryUnderTest(): Promise<string> {
  compiled ??= (async () => {
    const given = Deno.env.get("DATUMCTL_BINARY");
    if (given !== undefined) return given;
    const out = `${ROOT}dist/datumctl`;
    await compileBinary({ entry: `${ROOT}main.ts`, out });
    return out;
  })();
  return compiled;
}

/** The binary under test as a build for tests: `$DATUMCTL_HOOKED_BINARY`, else one that is compiled once per run. */
function binaryWithTestHooks(): Promise<string> {
  hooked ??= (async () => {
    const given = Deno.env.get("DATUMCTL_HOOKED_BINARY");
    if (given !== undefined) return given;
    const folder = await Deno.makeTempDir({ prefix: "datumctl-test-hooks-" });
    const out = `${folder}/datumctl`;
    await compileBinary({ entry: `${ROOT}main.ts`, out, testHooks: true });
    addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    return out;
  })();
  return hooked;
}

/** Opens a world; undefined, after a printed line, when the keyring it wants cannot be had on this machine. */
export async function openWorld(options: WorldOptions = {}): Promise<World | undefined> {
  const binary = await (options.testHooks ? binaryWithTestHooks() : binaryUnderTest());
  const keyring = options.keyring === "real" ? await startKeyring() : undefined;
  if (options.keyring === "real" && keyring === undefined) return undefined;
  const cloud = await startCloud(options.cloud);
  const home = await Deno.makeTempDir({ prefix: "datumctl-home-" });
  const temporary = await Deno.makeTempDir({ prefix: "datumctl-tmp-" });
  const config = `${home}/.config/datumctl`;
  const env: Record<string, string> = {
    PATH: Deno.env.get("PATH") ?? "",
    LANG: "C.UTF-8",
    ...keyring?.env,
    HOME: home,
    TMPDIR: temporary,
    KUBECONFIG: `${home}/.kube/config`,
    // No browser comes up by itself: tests open what was printed.
    BROWSER: "true",
  };
  if (keyring === undefined) env.DATUMCTL_KEYRING = "file";

  function start(program: string, args: readonly string[], options: RunOptions = {}): Running {
    const variables = Object.entries({ ...env, ...options.env })
      .filter((entry): entry is [string, string] => entry[1] !== undefined);
    const started = performance.now();
    const child = new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env: Object.fromEntries(variables),
      cwd: options.cwd ?? Deno.cwd(),
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const finish = async (): Promise<Finished> => {
      const timer = setTimeout(() => child.kill("SIGKILL"), options.timeout ?? 60_000);
      try {
        if (options.stdin !== undefined) {
          const writer = child.stdin.getWriter();
          await writer.write(new TextEncoder().encode(options.stdin));
          await writer.close();
        }
        const [stdout, stderr, { code }] = await Promise.all([
          collect(child.stdout, options.onStdout),
          collect(child.stderr, options.onStderr),
          child.status,
        ]);
        return { code, stdout, stderr, took: performance.now() - started };
      } finally {
        clearTimeout(timer);
      }
    };
    return { pid: child.pid, kill: (signal) => child.kill(signal), finished: finish() };
  }

  const datumctl = (args: readonly string[], options?: RunOptions) => start(binary, args, options).finished;
  const loginFlags = [
    ...["--hostname", cloud.authHost, "--api-hostname", cloud.apiHost],
    ...["--client-id", cloud.clientId, "--certificate-authority", cloud.caFile],
  ];

  return {
    cloud,
    binary,
    home,
    config,
    kubeconfig: `${home}/.kube/config`,
    temporary,
    keyring,
    env,
    loginFlags,
    start,
    datumctl,
    async ok(args, options) {
      const { code, stdout, stderr } = await datumctl(args, options);
      assert.equal(code, 0, `datumctl ${args.join(" ")} ended with ${code}: ${stderr}`);
      return stdout;
    },
    async login(email, flags = [], options = {}) {
      const walk = (address: string) =>
        address.includes("user_code=")
          ? approveDeviceByHttp(cloud, address, email)
          : signInByHttp(cloud, address, email);
      return await whenPrinted(printedAddress, walk, (tell) =>
        datumctl(["login", ...loginFlags, ...flags], {
          ...options,
          onStderr(soFar) {
            options.onStderr?.(soFar);
            tell(soFar);
          },
        }));
    },
    startLogin(flags = [], options = {}) {
      const { promise: address, resolve, reject } = Promise.withResolvers<string>();
      address.catch(() => {}); // a test that awaits the end alone is free to
      const running = start(binary, ["login", ...loginFlags, ...flags], {
        ...options,
        onStderr(soFar) {
          options.onStderr?.(soFar);
          const url = printedAddress(soFar);
          if (url !== undefined) resolve(url);
        },
      });
      running.finished.then(({ stderr }) => reject(new Error(`login ended without an address: ${stderr}`)));
      return { ...running, address };
    },
    async files() {
      return await filesBelow(home);
    },
    async [Symbol.asyncDispose]() {
      await cloud.close();
      await keyring?.stop();
      for (const folder of [home, temporary]) await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A test that lives in a world of its own. */
export function testInWorld(
  name: string,
  run: (world: World, context: Deno.TestContext) => Promise<void>,
  { ignore = false, ...options }: WorldOptions & { readonly ignore?: boolean } = {},
): void {
  Deno.test({
    name,
    ignore,
    fn: async (context) => {
      await using world = await openWorld(options);
      assert.ok(world !== undefined);
      await run(world, context);
    },
  });
}

async function collect(stream: ReadableStream<Uint8Array>, tell: RunOptions["onStderr"]): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    tell?.(text);
  }
  return text;
}

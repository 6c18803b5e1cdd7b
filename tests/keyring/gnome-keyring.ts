/** A real keyring for tests: a session bus and an unlocked gnome-keyring in a scratch home of their own. */

import { findProgram } from "../../src/system/processes.ts";
import { until } from "../until.ts";

/** A running keyring. */
export interface Keyring {
  /** What a child needs to reach it: PATH, HOME, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS; no display. */
  readonly env: Record<string, string>;
  /** Locks the keyring; nobody is there to unlock it. */
  lock(): Promise<void>;
  /** Ends the daemon and leaves the bus: nothing answers for secrets then, nor is anything started. */
  stopDaemon(): Promise<void>;
  /** Ends both and removes the scratch folders. */
  stop(): Promise<void>;
}

const PROGRAMS = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"];

// Without service folders, so that the bus starts neither a second daemon nor a window that asks for a password.
const BUS = (socket: string) =>
  `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;

/** The programs of a real keyring that this machine lacks. */
export function absentPrograms(): string[] {
  const path = Deno.env.get("PATH");
  return PROGRAMS.filter((program) => findProgram(program, path) === undefined);
}

/**
 * Starts an unlocked keyring with an empty default collection.
 *
 * @returns undefined, after one printed line, where a program that it takes is absent
 */
export async function startKeyring(): Promise<Keyring | undefined> {
  const path = Deno.env.get("PATH") ?? "";
  const absent = absentPrograms();
  if (absent.length > 0) {
    // deno-lint-ignore no-console
    console.error(`skipped: no real keyring here without ${absent.join(", ")}`);
    return undefined;
  }
  const scratch = await Deno.makeTempDir({ prefix: "keyring-" });
  const home = `${scratch}/home`;
  const runtime = `${scratch}/run`;
  for (const folder of [home, runtime]) await Deno.mkdir(folder, { mode: 0o700 });
  await Deno.writeTextFile(`${scratch}/bus.conf`, BUS(`${runtime}/bus`));
  const env = {
    PATH: path,
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus`,
  };
  const options = { clearEnv: true, env, stdout: "null", stderr: "null" } as const;
  const bus = new Deno.Command("dbus-daemon", {
    ...options,
    args: ["--nofork", `--config-file=${scratch}/bus.conf`],
    stdin: "null",
  }).spawn();
  await until(
    async () => (await send(env, "/", "org.freedesktop.DBus.ListNames")) !== undefined,
    "the bus",
  );
  const daemon = new Deno.Command("gnome-keyring-daemon", {
    ...options,
    args: ["--foreground", "--unlock", "--components=secrets"],
    stdin: "piped",
  }).spawn();
  const stdin = daemon.stdin.getWriter();
  await stdin.write(new TextEncoder().encode("a password"));
  await stdin.close();
  // A method call would be answered by nobody until the daemon has its name and its default collection.
  await until(async () => {
    const alias = await secrets(env, "ReadAlias", "string:default");
    return alias?.includes("/collection/") ?? false;
  }, "gnome-keyring-daemon");
  let running = true;
  const stopDaemon = async () => {
    try {
      if (running) daemon.kill("SIGTERM");
    } catch {
      // Another daemon took its place.
    }
    running = false;
    await daemon.status;
  };
  return {
    env,
    stopDaemon,
    async lock() {
      await secrets(env, "Lock", "array:objpath:/org/freedesktop/secrets/collection/login");
    },
    async stop() {
      await stopDaemon();
      bus.kill("SIGTERM");
      await bus.status;
      await Deno.remove(scratch, { recursive: true });
    },
  };
}

function secrets(env: Record<string, string>, method: string, argument: string): Promise<string | undefined> {
  const service = "org.freedesktop.secrets";
  const name = `org.freedesktop.Secret.Service.${method}`;
  return send(env, "/org/freedesktop/secrets", name, argument, service);
}

async function send(
  env: Record<string, string>,
  path: string,
  method: string,
  argument?: string,
  service = "org.freedesktop.DBus",
): Promise<string | undefined> {
  const { success, stdout } = await new Deno.Command("dbus-send", {
    args: ["--session", "--print-reply", `--dest=${service}`, path, method, ...(argument ? [argument] : [])],
    clearEnv: true,
    env,
  }).output();
  return success ? new TextDecoder().decode(stdout) : undefined;
}

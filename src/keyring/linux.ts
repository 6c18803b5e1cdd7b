/** The keyring of Linux desktops: the Secret Service, through libsecret's `secret-tool`. */

import { AppError, interruptedError } from "../errors.ts";
import { printable } from "../text.ts";
import {
  ProgramError,
  ProgramNotFound,
  ProgramTimeout,
  type Run,
  type RunResult,
} from "../system/processes.ts";
import {
  assertStorable,
  type KeyringLimits,
  LINUX_STORE,
  type SecretStore,
  SERVICE,
  systemAccount,
} from "./store.ts";
import { INTERRUPTED_CODE, runTool } from "./tool.ts";

/** The variables that `secret-tool` needs to find the person's session bus, or to start one on X11. */
export const SECRET_TOOL_VARIABLES = [
  "PATH",
  "HOME",
  "DBUS_SESSION_BUS_ADDRESS",
  "XDG_RUNTIME_DIR",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
] as const;

/** What a failed call was to do. */
type Doing = "read" | "store" | "remove";

/**
 * The store behind `secret-tool`. A successful {@link SecretStore.get} starts one child.
 *
 * @param env the variables of {@link SECRET_TOOL_VARIABLES} that are set
 */
export function linuxStore(run: Run, env: Readonly<Record<string, string>>): SecretStore {
  // The messages are matched, so they must be English; GLib reads CHARSET so that accounts may be any UTF-8.
  const environment = { ...env, LC_ALL: "C", CHARSET: "UTF-8" };
  const tool = { store: LINUX_STORE, program: "secret-tool", run, env: environment };

  async function call(
    doing: Doing,
    account: string,
    args: readonly string[],
    limits: KeyringLimits,
    secret?: string,
  ): Promise<RunResult> {
    const kept = await systemAccount(account);
    return await runTool(tool, [...args, "service", SERVICE, "account", kept.account], {
      limits,
      stdin: secret,
      unreachable(error) {
        const absent = error instanceof ProgramNotFound;
        return unreachable(doing, absent ? ABSENT : { what: error.message, mend: ABSENT.mend }, error);
      },
    });
  }

  /** What a silent exit 1 means: there is no such item, or it is locked and nobody unlocked it. */
  async function search(
    doing: Doing,
    account: string,
    limits: KeyringLimits,
  ): Promise<"absent" | "locked" | { readonly secret: string }> {
    const { code, stdout, stderr } = await call(doing, account, ["search", "--all"], limits);
    if (stdout.trim() === "") {
      if (code !== 0) throw failure(doing, account, code, stderr);
      return "absent";
    }
    const secret = /^secret = (.*)$/m.exec(stdout)?.[1];
    return secret === undefined ? "locked" : { secret };
  }

  /** A search unlocks nothing, as a lookup would. */
  async function getQuietly(account: string, limits: KeyringLimits): Promise<string | undefined> {
    const state = await search("read", account, limits);
    if (state === "locked") throw locked("read", account);
    return state === "absent" ? undefined : state.secret;
  }

  return {
    kind: "system",
    name: LINUX_STORE,

    async get(account, limits) {
      if (limits.quiet) return await getQuietly(account, limits);
      let left = limits;
      for (let attempt = 0; attempt < 2; attempt++) {
        const found = await call("read", account, ["lookup"], left);
        if (found.code === 0) return found.stdout;
        if (!isSilent(found)) throw failure("read", account, found.code, found.stderr);
        left = { ...left, timeout: left.timeout - found.elapsed };
        const state = await search("read", account, left);
        if (state === "absent") return undefined;
        if (state === "locked") break;
        // It was unlocked between the two calls.
      }
      throw locked("read", account);
    },

    async set(account, secret, limits) {
      assertStorable(secret);
      const label = `--label=${SERVICE}: ${printable(account)}`;
      const stored = await call("store", account, ["store", label], limits, secret);
      if (stored.code !== 0) throw failure("store", account, stored.code, stored.stderr);
    },

    async delete(account, limits) {
      const removed = await call("remove", account, ["clear"], limits);
      if (removed.code === 0) return true;
      if (!isSilent(removed)) throw failure("remove", account, removed.code, removed.stderr);
      const left = { ...limits, timeout: limits.timeout - removed.elapsed };
      if (await search("remove", account, left) === "absent") return false;
      throw locked("remove", account);
    },

    async isLocked(limits) {
      return await askTheBus(run, environment, limits) ?? await itemsLocked(limits);
    },
  };

  /** By our own items, which are shown without their secret while they are locked. Undefined without any. */
  async function itemsLocked(limits: KeyringLimits): Promise<boolean | undefined> {
    const { code, stdout, stderr } = await runTool(tool, ["search", "--all", "service", SERVICE], {
      limits,
      unreachable: (error) =>
        unreachable(
          "read",
          error instanceof ProgramNotFound ? ABSENT : { what: error.message, mend: ABSENT.mend },
          error,
        ),
    });
    if (code !== 0) throw failure("read", SERVICE, code, stderr);
    const items = stdout.match(/^\[\/.*\]$/gm)?.length ?? 0;
    return items === 0 ? undefined : items > (stdout.match(/^secret = /gm)?.length ?? 0);
  }
}

const COLLECTION = "/org/freedesktop/secrets/aliases/default";
const COLLECTION_INTERFACE = "org.freedesktop.Secret.Collection";

/** Programs that read a property over D-Bus; every desktop has one of them. Secret Service API 0.2, Collection. */
const BUS_TOOLS: readonly (readonly [program: string, ...args: string[]])[] = [
  ["busctl", "--user", "get-property", "org.freedesktop.secrets", COLLECTION, COLLECTION_INTERFACE, "Locked"],
  [
    ...[
      "gdbus",
      "call",
      "--session",
      "--dest",
      "org.freedesktop.secrets",
      "--object-path",
      COLLECTION,
    ] as const,
    ...["--method", "org.freedesktop.DBus.Properties.Get", COLLECTION_INTERFACE, "Locked"],
  ],
  [
    ...["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets", COLLECTION] as const,
    ...["org.freedesktop.DBus.Properties.Get", `string:${COLLECTION_INTERFACE}`, "string:Locked"],
  ],
];

/** Whether the default collection is locked, as it says itself; undefined where no program can ask. */
async function askTheBus(
  run: Run,
  env: Readonly<Record<string, string>>,
  { timeout, signal }: KeyringLimits,
): Promise<boolean | undefined> {
  for (const [program, ...args] of BUS_TOOLS) {
    try {
      const { code, stdout } = await run(program, args, { env, timeout, signal });
      const said = code === 0 ? /\b(true|false)\b/.exec(stdout)?.[1] : undefined;
      if (said !== undefined) return said === "true";
    } catch (thrown) {
      // The next one may be there; a store that does not answer at all is found out by its own tool.
      if (!(thrown instanceof ProgramError)) throw thrown;
      if (thrown instanceof ProgramTimeout) return undefined;
    }
  }
  return undefined;
}

/** The message that begins with the name of `secret-tool`; libraries' warnings do not. */
function complaint(stderr: string): string | undefined {
  return /^secret-tool: (.+)$/m.exec(stderr)?.[1];
}

function isSilent({ code, stderr }: RunResult): boolean {
  return code === 1 && complaint(stderr) === undefined;
}

interface Trouble {
  readonly what: string;
  readonly mend: string;
}

const ABSENT: Trouble = {
  what: "secret-tool is not installed",
  mend: "Install it: the package libsecret-tools on Debian and Ubuntu, libsecret on Fedora and Arch.",
};

const NO_BUS: Trouble = {
  what: "this shell has no D-Bus session",
  mend: "Run the command in a desktop session, or in one of its own: dbus-run-session -- $SHELL",
};

const NO_SERVICE: Trouble = {
  what: "no keyring service runs in this session",
  mend: "Start one, for example: gnome-keyring-daemon --start --components=secrets",
};

const NO_COLLECTION: Trouble = {
  what: "the keyring service has no keyring yet",
  mend: "Create a default keyring in Passwords and Keys, or without a desktop: gnome-keyring-daemon --unlock",
};

/** The words of libsecret, GIO or libdbus for each trouble, as they are with LC_ALL=C. */
const TROUBLES: readonly (readonly [RegExp, Trouble])[] = [
  [/autolaunch|dbus-launch|Could not connect|Connection refused|machine-id|closed/i, NO_BUS],
  [
    /not provided by any \.service|ServiceUnknown|NameHasNoOwner|exited with status|StartServiceByName/,
    NO_SERVICE,
  ],
  [/Object does not exist at path|No such (interface|object)/, NO_COLLECTION],
];

function failure(doing: Doing, account: string, code: number, stderr: string): AppError {
  if (code === INTERRUPTED_CODE) return interruptedError(); // by the Ctrl-C that ends us, too
  const said = complaint(stderr);
  if (said === undefined && code === 1) return locked(doing, account);
  if (/locked/i.test(said ?? "")) return locked(doing, account);
  const known = TROUBLES.find(([pattern]) => pattern.test(said ?? ""))?.[1];
  return unreachable(
    doing,
    known ?? {
      what: `secret-tool failed (${said === undefined ? `exit code ${code}` : printable(said, 200)})`,
      mend: "Try it by hand: secret-tool search --all service datumctl",
    },
  );
}

const VERBS: Record<Doing, string> = {
  read: "read the key of",
  store: "store the key of",
  remove: "remove the key of",
};

function locked(doing: Doing, account: string): AppError {
  return new AppError(
    "KEYRING_LOCKED",
    `Cannot ${VERBS[doing]} "${printable(account)}": the keyring is locked.`,
    {
      hint: "Unlock it: log in to the desktop or open Passwords and Keys; then run the same command again.",
    },
  );
}

function unreachable(doing: Doing, { what, mend }: Trouble, cause?: unknown): AppError {
  const code = doing === "store" ? "KEYRING_UNAVAILABLE" : "KEYRING_LOCKED";
  return new AppError(code, `The keyring cannot be reached: ${what}.`, { hint: mend, cause });
}

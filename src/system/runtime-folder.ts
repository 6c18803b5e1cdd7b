/** The runtime folder: where the system keeps a person's short-lived files, apart from everybody else's. */

import { type Environment, operatingSystem } from "./environment.ts";

/** The person's runtime folder, or why there is none that can be used. */
export type RuntimeFolder =
  | {
    readonly path: string;
    /** It lies on a disk, where files outlive a restart. */
    readonly onDisk: boolean;
  }
  | { readonly path?: undefined; readonly refusal: string };

/** What differs between systems. */
export interface RuntimeSystem {
  readonly os: string;
  /** What `getconf` says of a name; undefined when it says nothing. */
  readonly getconf: (name: string) => Promise<string | undefined>;
}

const THIS_SYSTEM: RuntimeSystem = { os: operatingSystem, getconf };

/**
 * Finds the runtime folder: `$XDG_RUNTIME_DIR` on Linux, the person's own temporary folder on macOS. It must be absolute,
 * the person's, and closed to everybody else.
 */
export async function runtimeFolder(
  env: Environment,
  { os, getconf }: RuntimeSystem = THIS_SYSTEM,
): Promise<RuntimeFolder> {
  if (os === "darwin") {
    const path = (await getconf("DARWIN_USER_TEMP_DIR"))?.replace(/(?<=.)\/+$/, "");
    return checked(path, "getconf names no DARWIN_USER_TEMP_DIR", true);
  }
  if (os !== "linux") return { refusal: "this system has no runtime folder" };
  return checked(env("XDG_RUNTIME_DIR")?.replace(/(?<=.)\/+$/, ""), "XDG_RUNTIME_DIR is not set", false);
}

function checked(path: string | undefined, missing: string, onDisk: boolean): RuntimeFolder {
  if (path === undefined || path === "") return { refusal: missing };
  // deno-lint-ignore no-control-regex
  if (!path.startsWith("/") || /[\u0000-\u001f\u007f]/.test(path)) {
    return { refusal: "the runtime folder's path is not absolute, or holds control characters" };
  }
  const refusal = whyNotPrivate(path);
  return refusal === undefined ? { path, onDisk } : { refusal: `${path} ${refusal}` };
}

/** Why a folder is not the person's alone, as the end of a sentence; undefined for a folder of theirs with mode 0700. */
export function whyNotPrivate(path: string): string | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch {
    return "is not there";
  }
  if (!info.isDirectory) return "is not a folder";
  if (info.uid !== Deno.uid()) return "belongs to somebody else";
  return ((info.mode ?? 0) & 0o777) === 0o700 ? undefined : "does not have the mode 0700";
}

async function getconf(name: string): Promise<string | undefined> {
  const { run } = await import("./processes.ts");
  try {
    const { code, stdout } = await run("/usr/bin/getconf", [name], { env: {}, timeout: 5_000 });
    return code === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}

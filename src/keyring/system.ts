/** The choice of the operating system's own store, whose code is loaded with the first call. */

import type { Run } from "../system/processes.ts";
import type { CredentialManager } from "../system/windows-credentials.ts";
import { type KeyringLimits, LINUX_STORE, MACOS_STORE, type SecretStore, WINDOWS_STORE } from "./store.ts";

/** What a system's store is made with; all of it comes from src/system/. */
export interface SystemTools {
  /** The operating system, as Deno names it. */
  readonly os: string;
  readonly processes: () => Promise<{
    readonly run: Run;
    /** The named variables that are set. */
    readonly childEnvironment: (names: readonly string[]) => Record<string, string>;
  }>;
  /** Called on Windows only, when the first secret is needed. */
  readonly credentialManager: () => Promise<() => CredentialManager>;
}

/** {@link SystemTools}, and what is asked before them. */
export interface SystemParts extends SystemTools {
  /** The address of the person's D-Bus; undefined where none is known. */
  readonly bus: string | undefined;
}

/**
 * The keyring of this operating system: Keychain, Credential Manager, and the Secret Service on all others. Opening
 * it touches nothing; the first call shows whether it can be used.
 */
export function systemStore(parts: SystemParts): SecretStore {
  let opened: Promise<SecretStore> | undefined;
  const open = () => opened ??= load(parts);
  return {
    kind: "system",
    name: nameOf(parts.os),
    async get(account, limits) {
      const started = performance.now();
      const secret = parts.os === "linux" ? await readDirectly(parts, account, limits) : undefined;
      if (secret !== undefined) return secret;
      const left = { ...limits, timeout: limits.timeout - (performance.now() - started) };
      return await (await open()).get(account, left);
    },
    set: async (account, secret, limits) => await (await open()).set(account, secret, limits),
    delete: async (account, limits) => await (await open()).delete(account, limits),
    isLocked: async (limits) => await (await open()).isLocked?.(limits),
  };
}

/** The secret of an item that can be read without a tool; undefined where the tool has to say why there is none. */
async function readDirectly(
  { bus }: SystemParts,
  account: string,
  limits: KeyringLimits,
): Promise<string | undefined> {
  if (bus === undefined) return undefined;
  const { readOpenKey } = await import("./secret-service.ts");
  return await readOpenKey(bus, account, limits);
}

async function load({ os, processes, credentialManager }: SystemTools): Promise<SecretStore> {
  if (os === "windows") {
    const { windowsStore } = await import("./windows.ts");
    return windowsStore(await credentialManager());
  }
  const { run, childEnvironment } = await processes();
  if (os === "darwin") {
    const { macosStore, SECURITY_VARIABLES } = await import("./macos.ts");
    return macosStore(run, childEnvironment(SECURITY_VARIABLES));
  }
  const { linuxStore, SECRET_TOOL_VARIABLES } = await import("./linux.ts");
  return linuxStore(run, childEnvironment(SECRET_TOOL_VARIABLES));
}

function nameOf(os: string): string {
  switch (os) {
    case "darwin":
      return MACOS_STORE;
    case "windows":
      return WINDOWS_STORE;
    default:
      return LINUX_STORE;
  }
}

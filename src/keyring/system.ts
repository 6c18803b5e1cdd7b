/** The choice of the operating system's own store. */

import type { Run } from "../system/processes.ts";
import type { CredentialManager } from "../system/windows-credentials.ts";
import { linuxStore, SECRET_TOOL_VARIABLES } from "./linux.ts";
import { macosStore, SECURITY_VARIABLES } from "./macos.ts";
import type { SecretStore } from "./store.ts";
import { windowsStore } from "./windows.ts";

/** What a system's store is made with; all of it comes from src/system/. */
export interface SystemParts {
  /** The operating system, as Deno names it. */
  readonly os: string;
  readonly run: Run;
  /** The named variables that are set. */
  readonly childEnvironment: (names: readonly string[]) => Record<string, string>;
  /** Called on Windows only, when the first secret is needed. */
  readonly openCredentialManager: () => CredentialManager;
}

/**
 * The keyring of this operating system: Keychain, Credential Manager, and the Secret Service on all others. Opening
 * it touches nothing; the first call shows whether it can be used.
 */
export function systemStore({ os, run, childEnvironment, openCredentialManager }: SystemParts): SecretStore {
  if (os === "darwin") return macosStore(run, childEnvironment(SECURITY_VARIABLES));
  if (os === "windows") return windowsStore(openCredentialManager);
  return linuxStore(run, childEnvironment(SECRET_TOOL_VARIABLES));
}

/** Reads what Go programs keep in the system's keyring by the package `zalando/go-keyring`; it writes nothing. */

import { AppError } from "../errors.ts";
import { ProgramError } from "../system/processes.ts";
import { CredentialManagerUnavailable } from "../system/windows-credentials.ts";
import type { KeyringLimits } from "./store.ts";
import type { SystemTools } from "./system.ts";

/** The forms in which that package writes a secret to the keychain of macOS. */
const BASE64 = "go-keyring-base64:";
const HEX = "go-keyring-encoded:";

/**
 * The secret of a service and an account; undefined where there is none, or where the keyring is locked, missing or does
 * not answer in time.
 */
export async function goKeyringItem(
  parts: SystemTools,
  service: string,
  account: string,
  limits: KeyringLimits,
): Promise<string | undefined> {
  try {
    return await read(parts, service, account, limits);
  } catch (thrown) {
    const unavailable = thrown instanceof ProgramError || thrown instanceof CredentialManagerUnavailable ||
      (thrown instanceof AppError && thrown.code !== "INTERRUPTED");
    if (unavailable) return undefined;
    throw thrown;
  }
}

async function read(
  { os, processes, credentialManager }: SystemTools,
  service: string,
  account: string,
  { timeout, signal }: KeyringLimits,
): Promise<string | undefined> {
  if (os === "windows") {
    const { read } = (await credentialManager())();
    const found = read(`${service}:${account}`);
    return found === undefined ? undefined : new TextDecoder().decode(found.blob);
  }
  const { run, childEnvironment } = await processes();
  if (os === "darwin") {
    const { SECURITY, SECURITY_VARIABLES } = await import("./macos.ts");
    const args = ["find-generic-password", "-s", service, "-w", "-a", account];
    const { code, stdout } = await run(SECURITY, args, {
      env: { ...childEnvironment(SECURITY_VARIABLES), LC_ALL: "C" },
      timeout,
      signal,
    });
    return code === 0 ? decoded(stdout.trim()) : undefined;
  }
  const { SECRET_TOOL_VARIABLES } = await import("./linux.ts");
  const { code, stdout } = await run("secret-tool", ["lookup", "service", service, "username", account], {
    env: { ...childEnvironment(SECRET_TOOL_VARIABLES), LC_ALL: "C", CHARSET: "UTF-8" },
    timeout,
    signal,
  });
  return code === 0 ? stdout : undefined;
}

function decoded(text: string): string | undefined {
  try {
    if (text.startsWith(BASE64)) {
      return new TextDecoder().decode(Uint8Array.fromBase64(text.slice(BASE64.length)));
    }
    if (text.startsWith(HEX)) {
      return new TextDecoder().decode(Uint8Array.fromHex(text.slice(HEX.length)));
    }
    return text;
  } catch {
    return undefined;
  }
}

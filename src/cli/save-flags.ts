/** Reads the flags that say how a session is saved: its name, the authority, the store of its key. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { makeKeyText } from "../sessions/seal.ts";
import { isSessionName } from "../sessions/name.ts";
import type { KeyStore } from "../sessions/store.ts";
import { readGivenFile } from "../system/given-file.ts";
import { certificatesOf } from "../system/network.ts";
import { type CommandContext, keyringLimits } from "./context.ts";

// The session's file contains it twice.
const LARGEST_AUTHORITY = 1024 * 1024;

/**
 * The name that `--profile` or the variable gives the session; undefined when neither does.
 *
 * @throws {AppError} `USAGE`
 */
export function wantedSessionName({ choice }: CommandContext): string | undefined {
  const name = choice.flag ?? choice.variable?.session;
  if (name === undefined || isSessionName(name)) return name;
  throw new AppError("USAGE", `"${printable(name, 80)}" cannot be a session's name.`, {
    hint: "Use letters, digits and . _ @ + : -, at most 128 of them.",
  });
}

/**
 * The certificates of `--certificate-authority`.
 *
 * @throws {AppError} `USAGE` for a file that is missing, too large or holds none
 */
export async function readAuthority(path: string): Promise<string> {
  const text = await readGivenFile(path, "--certificate-authority", "Name a file of certificates (PEM).");
  if (text === undefined) {
    throw new AppError("USAGE", `The certificate authority's file ${printable(path)} does not exist.`);
  }
  const certificates = certificatesOf(text).join("\n") + "\n";
  if (certificates.length <= LARGEST_AUTHORITY) return certificates;
  throw new AppError("USAGE", `The certificate authority's file ${printable(path)} is larger than 1 MiB.`, {
    hint: "Give --certificate-authority the one authority that the hosts use.",
  });
}

/** Where the key of a session goes: by `--keyring`, else by the variable. Only the flag moves a key that is already stored. */
export async function keyStoreChoice(
  cli: CommandContext,
  keyring: string | undefined,
): Promise<{ readonly keyStores: readonly KeyStore[]; readonly moveKey: boolean }> {
  const keyStores = await usableKeyStores(cli, keyring ?? cli.env("DATUMCTL_KEYRING"));
  return { keyStores, moveKey: keyring !== undefined && keyring !== "auto" };
}

/** The stores to try for a new key, in order. */
async function usableKeyStores(
  cli: CommandContext,
  choice: string | undefined,
): Promise<readonly KeyStore[]> {
  switch (choice ?? "auto") {
    case "auto":
      return ["system", "file"];
    case "file":
      return ["file"];
    case "system":
      await tryKeyring(cli);
      return ["system"];
    default:
      throw new AppError(
        "USAGE",
        `${
          choice === cli.env("DATUMCTL_KEYRING") ? "DATUMCTL_KEYRING" : "--keyring"
        } takes auto, system or file.`,
      );
  }
}

/** Stores something in the keyring and deletes it, so that a keyring that fails does so before the sign-in. */
async function tryKeyring(cli: CommandContext): Promise<void> {
  const store = cli.store.secretStore("system");
  const limits = keyringLimits(cli);
  // Only storing shows that a keyring is locked: a locked one, too, answers that it does not hold an item.
  await store.set("datumctl", makeKeyText(), limits);
  await store.delete("datumctl", limits);
}

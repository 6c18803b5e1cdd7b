/** What every kind of sign-in reads of its flags about keeping a session: its name, the authority, the key's store. */

import { AppError, failureOrThrow } from "../errors.ts";
import { printable } from "../text.ts";
import { makeKeyText } from "../sessions/seal.ts";
import type { Session } from "../sessions/session.ts";
import { isSessionName } from "../sessions/name.ts";
import { type OpenedSession } from "../sessions/open.ts";
import type { KeyStore, SessionStore } from "../sessions/store.ts";
import { readGivenFile } from "../system/files.ts";
import { certificatesOf } from "../system/network.ts";
import { type CommandContext, keyringLimits } from "./context.ts";

// It stands twice in a session's file.
const LARGEST_AUTHORITY = 1024 * 1024;

/** The name that `--profile` or the variable gives the session; undefined leaves it to us. Throws `USAGE`. */
export function wantedSessionName({ choice }: CommandContext): string | undefined {
  const name = choice.flag ?? choice.variable?.session;
  if (name === undefined || isSessionName(name)) return name;
  throw new AppError("USAGE", `"${printable(name, 80)}" cannot be a session's name.`, {
    hint: "Use letters, digits and . _ @ + : -, at most 128 of them.",
  });
}

/**
 * A session that is signed in to anew, opened. Undefined where that sign-in is what mends it: its key is lost, its file
 * is damaged, or `--keyring file` gives its keyring up. A keyring that is locked is an error.
 */
export async function openUnlessLost(
  cli: CommandContext,
  store: SessionStore,
  session: Session,
  keyring?: string | undefined,
): Promise<OpenedSession | undefined> {
  try {
    return await store.open(session, keyringLimits(cli));
  } catch (thrown) {
    const { code } = failureOrThrow(thrown);
    const lost = code === "KEYRING_ITEM_MISSING" || code === "STORAGE";
    if (lost || keyring === "file") return undefined;
    throw thrown;
  }
}

/** The certificates of `--certificate-authority`. Throws `USAGE` for a file that holds none. */
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

/** Where the key of a session goes: by `--keyring`, else by the variable. Only the flag moves one that is kept elsewhere. */
export async function keyStoreChoice(
  cli: CommandContext,
  keyring: string | undefined,
): Promise<{ readonly keyStores: readonly KeyStore[]; readonly moveKey: boolean }> {
  const keyStores = await usableKeyStores(cli, keyring ?? cli.env("DATUMCTL_KEYRING"));
  return { keyStores, moveKey: keyring !== undefined && keyring !== "auto" };
}

/** The stores to try for the key of a session that has none yet. `auto` is the keyring, else a file. */
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

/** Keeps something in the keyring and takes it out again, so that nobody signs in for nothing. */
async function tryKeyring(cli: CommandContext): Promise<void> {
  const store = cli.store.secretStore("system");
  const limits = keyringLimits(cli);
  // Only a store shows that a keyring is locked: what it does not hold, a locked one lacks, too.
  await store.set("datumctl", makeKeyText(), limits);
  await store.delete("datumctl", limits);
}

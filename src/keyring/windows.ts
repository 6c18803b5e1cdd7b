/** The keyring of Windows: the Credential Manager, called in the process itself because no tool reads it back. */

import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { type CredentialManager, CredentialManagerUnavailable } from "../system/windows-credentials.ts";
import { assertStorable, type SecretStore, SERVICE, systemAccount } from "./store.ts";

/** Windows keeps at most so many characters of a credential's user name. */
const LONGEST_USER = 512;

/**
 * The store behind the Credential Manager. Its calls neither ask nor wait, so that their bound never matters.
 *
 * @param open opens the Credential Manager; called once, when the first secret is wanted
 */
export function windowsStore(open: () => CredentialManager): SecretStore {
  let manager: CredentialManager | undefined;

  /** Runs a call; `code` is what it means that there is no Credential Manager. */
  function call<T>(
    code: "KEYRING_LOCKED" | "KEYRING_UNAVAILABLE",
    work: (manager: CredentialManager) => T,
  ): T {
    try {
      manager ??= open();
      return work(manager);
    } catch (error) {
      if (!(error instanceof CredentialManagerUnavailable)) throw error;
      throw new AppError(code, `The Windows Credential Manager cannot be reached: ${error.message}.`, {
        hint: HINTS.KEYRING_UNAVAILABLE.noDesktopSession,
        cause: error,
      });
    }
  }

  return {
    kind: "system",
    name: "the Windows Credential Manager",

    async get(name) {
      const { account } = await systemAccount(name);
      const found = call("KEYRING_LOCKED", ({ read }) => read(targetOf(account)));
      return found === undefined ? undefined : new TextDecoder().decode(found.blob);
    },

    async set(name, secret) {
      assertStorable(secret);
      const { account } = await systemAccount(name);
      call("KEYRING_UNAVAILABLE", ({ write }) =>
        write({
          target: targetOf(account),
          // What a person reads beside the target.
          user: name.slice(0, LONGEST_USER),
          comment: `${SERVICE}: the key of a session`,
          blob: new TextEncoder().encode(secret),
        }));
    },

    async delete(name) {
      const { account } = await systemAccount(name);
      return call("KEYRING_LOCKED", ({ remove }) => remove(targetOf(account)));
    },
  };
}

/**
 * The name of an account's credential. Windows does not tell upper from lower case there, and accounts do, so that
 * capitals are marked: `Ada` is `^Ada`, and a `^` is `^^`.
 */
export function targetOf(account: string): string {
  return `${SERVICE}:${account.replace(/[\p{Lu}\p{Lt}^]/gu, "^$&")}`;
}

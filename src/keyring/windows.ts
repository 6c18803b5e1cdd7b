/** The keyring of Windows: the Credential Manager, called in this process because no tool reads secrets back. */

import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { type CredentialManager, CredentialManagerUnavailable } from "../system/windows-credentials.ts";
import { assertStorable, type SecretStore, SERVICE, systemAccount, WINDOWS_STORE } from "./store.ts";

/** The most characters that Windows keeps of a credential's user name. */
const LONGEST_USER = 512;

/**
 * The store behind the Credential Manager. Its calls are local and do not wait, so they ignore their time limits.
 *
 * @param open opens the Credential Manager; called once, when the first secret is needed
 */
export function windowsStore(open: () => CredentialManager): SecretStore {
  let manager: CredentialManager | undefined;

  /** Runs a call; `code` is the error when there is no Credential Manager. */
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
    name: WINDOWS_STORE,

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
          // Shown to a person beside the target.
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
 * The name of an account's credential. Windows ignores letter case there and accounts do not, so capitals are
 * escaped: `Ada` is `^Ada`, and a `^` is `^^`.
 */
export function targetOf(account: string): string {
  return `${SERVICE}:${account.replace(/[\p{Lu}\p{Lt}^]/gu, "^$&")}`;
}

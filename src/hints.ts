/**
 * The next steps that errors name, by the error's code: lines to paste, of every command that is no cloud's own. Those after a
 * server's answer are in server-hints.ts, so that a start need not read them.
 */

import type { ErrorCode } from "./errors.ts";

/** The command that signs in, where nothing tells how. */
export const LOGIN = "datumctl login";

/** What a kubeconfig entry names as the command that wrote it. */
export const ENTRY_WRITER = "datumctl auth update-kubeconfig --help";

/** The hints of each code. */
export const HINTS = {
  KEYRING_UNAVAILABLE: {
    keyFile: "Keep the key in a file instead: datumctl login --keyring file",
    noDesktopSession: "Run the command in a session at the machine or over Remote Desktop; " +
      "for a key file instead: datumctl login --keyring file",
  },
  NOT_SIGNED_IN: {
    nobody: `Sign in: ${LOGIN}`,
    nobodyYet: (profile: string) => `Sign in: datumctl login --profile ${profile}`,
    noneActive: "Make one active: datumctl auth switch",
    variableUnset: "Set it where this command runs, or pick a stored session: datumctl auth list",
    noTokenFile: "Mount the projected token there, or name another file: datumctl login --workload file:PATH",
  },
  SESSION_EXPIRED: { signInAgain: `Sign in again: ${LOGIN}` },
  SESSION_REJECTED: {
    signInAgain: "Sign in again with datumctl login, or see who is active: datumctl auth list",
  },
  STORAGE: {
    damagedConfig: "Use the datumctl that wrote it, or remove the file and run: datumctl auth switch",
    damagedSession: "Remove that file and sign in again: datumctl login",
    brokenFolderFile: "Mend it, or remove it and write it with: datumctl use",
    unknownTrust:
      "Use the datumctl that wrote it; or remove it, and trust again what you use: datumctl trust",
    unknownFolderFile:
      "Use the datumctl that it was trusted with, or take that back: datumctl trust --remove",
    notActive: (name: string) => `Make it active: datumctl auth switch ${name}`,
    notAKeyFile: "Look at what it is; then remove it and sign in again: datumctl login",
  },
  USAGE: { newKeyFile: "Sign in again with a new key file: datumctl login --credentials FILE" },
} as const satisfies Partial<
  Record<ErrorCode, Readonly<Record<string, string | ((fact: string) => string)>>>
>;

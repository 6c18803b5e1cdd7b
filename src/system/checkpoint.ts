/** The moments at which a test can kill the program; in every other build they do nothing. */

/**
 * Each moment after which something has changed on the disk, in the keyring or at the issuer. Tests kill the
 * program at every one; the next command must find everything whole.
 */
export const CHECKPOINTS = [
  // A sign-in.
  "sign-in answered",
  "key stored",
  "key read back",
  // The file of a session.
  "session locked",
  "room taken",
  "session renamed",
  // A refresh.
  "refresh begun",
  "refresh answered",
  // An API token that is new or has a new secret.
  "secret answered",
  // A sign-out.
  "session revoked",
  "session removed",
  "key removed",
  // config.json.
  "config locked",
  "config renamed",
  // Any file of ours: written and synced under its temporary name.
  "file synced",
  // A kubeconfig.
  "shared files locked",
  "shared file copied",
  "shared file renamed",
] as const;

/** One of {@link CHECKPOINTS}. */
export type Checkpoint = typeof CHECKPOINTS[number];

/** Does nothing: `compile --test-hooks` replaces this module. */
export function checkpoint(_name: Checkpoint): void {}

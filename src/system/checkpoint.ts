/** Owns the places at which a test can stop the program for good; in every other build they are empty. */

/**
 * Each moment after which something is different on the disk, in the keyring or at the issuer. Tests kill the program
 * at every one of them; what the next command finds must be whole.
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
  // An API token that was made, or has a new secret.
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

/** Nothing: `compile --test-hooks` puts another module in this one's place. */
export function checkpoint(_name: Checkpoint): void {}

/** The machines that a binary is made for. */

/** Rust's names for them, as `deno compile --target` takes them. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
] as const;

/** One of {@link TARGETS}. */
export type Target = typeof TARGETS[number];

/** Whether a target is a Windows machine. */
export function isWindows(target: string): boolean {
  return target.endsWith("-pc-windows-msvc");
}

/** The {@link Target} of this machine. */
export function hostTarget(): Target {
  const target = TARGETS.find((known) => known === Deno.build.target);
  if (target === undefined) throw new Error(`There is no binary for ${Deno.build.target}.`);
  return target;
}

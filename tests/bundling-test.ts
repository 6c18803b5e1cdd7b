/** Tests that bundle. */

/**
 * As `Deno.test`, without the check for what is left behind: the bundler's process ends a moment after it is told to, and does
 * not say when.
 */
export function bundlingTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

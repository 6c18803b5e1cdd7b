/** The runtime's first random bytes. */

/**
 * Lets the runtime make its first random bytes on a thread of its own. That takes it 40 ms once in a process, which
 * otherwise pass before the first connection.
 */
export function prepareRandomness(): void {
  crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]).catch(() => {});
}

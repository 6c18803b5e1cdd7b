/** A host for tests: variables, clock and working folder of their own, the rest of this process. */

import { type Host, systemHost } from "../src/system/host.ts";

/** Makes a host that has these variables and no others; `notice` hears each line once. */
export function testHost(env: Readonly<Record<string, string>> = {}, given: Partial<Host> = {}): Host {
  const { notice = () => {}, ...rest } = given;
  return { ...systemHost(notice), env: (name) => env[name] || undefined, ...rest };
}

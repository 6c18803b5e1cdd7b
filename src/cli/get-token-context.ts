/** What get-token needs, taken from what the process offers to commands. */

import type { GetTokenContext } from "../plugin/context.ts";
import { parentProcess } from "../system/parent-process.ts";
import { terminalUse } from "../system/terminal-use.ts";
import type { ProcessContext } from "./context.ts";

/** The context of one call of get-token. */
export function getTokenContext(context: ProcessContext): GetTokenContext {
  const { store, providers, env, terminal, errorFormat } = context;
  return {
    store,
    providers,
    env,
    parent: parentProcess,
    errorFormat,
    started: performance.now(),
    canAsk: () => terminal.canAsk,
    terminalUse,
    writeOut: terminal.writeOut,
    writeErr: terminal.writeErr,
    async explainCertificate(error, signal) {
      const { explainAuthority } = await import("./server-certificate.ts");
      return await explainAuthority(error, env, signal);
    },
  };
}

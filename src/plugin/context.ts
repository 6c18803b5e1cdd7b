/** What one call of `auth get-token` is given. */

import type { AppError, ErrorFormat } from "../errors.ts";
import type { Providers } from "../providers/registry.ts";
import type { SessionStore } from "../sessions/store.ts";
import type { Environment } from "../system/environment.ts";
import type { ParentProcess } from "../system/parent-process.ts";
import type { TerminalUse } from "../system/terminal-use.ts";

/** What one call of `auth get-token` is given. */
export interface GetTokenContext {
  readonly store: SessionStore;
  readonly providers: Providers;
  readonly env: Environment;
  readonly parent: ParentProcess;
  readonly errorFormat: ErrorFormat;
  /** When this call began, on the scale of `performance.now()`: 0 in a process that does nothing else. */
  readonly started: number;
  /** Standard input and standard error are terminals. */
  readonly canAsk: () => boolean;
  /** Who uses the terminal behind standard error; free by default. */
  readonly terminalUse?: (() => Promise<TerminalUse>) | undefined;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Says more about an untrusted certificate: whose it is, and the line that trusts it. */
  readonly explainCertificate?: ((error: AppError, signal: AbortSignal) => Promise<AppError>) | undefined;
}

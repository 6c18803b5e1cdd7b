/** `auth get-token --write`: the token in a file, once, or renewed there until a signal or the session's end. */

import { AppError } from "../errors.ts";
import { keyringLimits } from "../keyring/store.ts";
import { openTokenFile, shortLife, type TokenFileOptions } from "../sessions/token-file.ts";
import { parseMode } from "../system/file-mode.ts";
import { kindOf } from "../system/files.ts";
import { interruption } from "../system/signals.ts";
import { notifyReady } from "../system/service-manager.ts";
import { printable } from "../text.ts";
import type { GetTokenFlags, GetTokenRequest } from "./arguments.ts";
import type { GetTokenContext } from "./context.ts";

// Of one attempt, in milliseconds; the keyring's time is added.
const LONGEST_ATTEMPT = 20_000;

/** The file that the flags ask for. */
export interface WantedFile {
  readonly path: string;
  readonly mode: number | undefined;
  /** It is renewed; else it is written once. */
  readonly watch: boolean;
  /** A signal leaves it. */
  readonly keep: boolean;
}

/** @throws {AppError} `USAGE` for flags that go together with no file, or not with each other. */
export function checkedTokenFile(flags: GetTokenFlags): WantedFile {
  const { write, watch = false, keep = false, mode, output, claims } = flags;
  const wrong = (message: string) =>
    new AppError("USAGE", message, {
      hint: "For example: datumctl auth get-token --write /run/datum/token --watch",
    });
  if (write === undefined) {
    throw wrong(`${watch ? "--watch" : keep ? "--keep" : "--mode"} can only be used with --write.`);
  }
  if (write === "") throw wrong("--write takes the path of a file.");
  if (keep && !watch) throw wrong("--keep can only be used with --watch; a file that is written once stays.");
  if (claims) throw wrong("--write and --claims cannot be combined.");
  if (output !== undefined && output !== "token") {
    throw wrong("--write writes the bare token: -o takes nothing but token with it.");
  }
  return { path: write, mode: mode === undefined ? undefined : parseMode(mode, "--mode"), watch, keep };
}

/** Whose token is written. */
export interface FileSource extends Pick<TokenFileOptions, "session" | "store"> {
  readonly request: GetTokenRequest;
  /** Throws for a session, as it was sealed, that this call must not get a token of. */
  readonly accept: NonNullable<TokenFileOptions["request"]["accept"]>;
}

/**
 * Writes the file. With `--watch` it ends with a signal (the file is removed unless `--keep`) or throws.
 *
 * @returns the exit code
 * @throws {AppError} what getting a token throws; `USAGE` for a path that no file can stand at; `STORAGE`.
 */
export async function writeTokenFile(
  wanted: WantedFile,
  source: FileSource,
  context: GetTokenContext,
): Promise<number> {
  await refuseOtherKinds(wanted.path);
  const { host } = context.store;
  // The short way hears no signals: without a file to remove, one may end it at once.
  using own = wanted.watch && host.interrupted === undefined ? interruption() : undefined;
  const interrupted = host.interrupted ?? own?.signal ?? new AbortController().signal;
  const { request: { quiet } } = source;
  const warn = (text: string) => quiet ? undefined : context.writeErr(`warning: ${text}\n`);
  const file = await openTokenFile(optionsOf(wanted, source, { context, interrupted, warn }));
  if (!wanted.watch) return 0;
  const short = shortLife(file.token);
  if (short !== undefined) warn(short);
  try {
    const unheard = await notifyReady(context.env);
    if (unheard !== undefined) warn(unheard);
    if (!quiet) context.writeErr(`Renewing the token in ${printable(wanted.path)} until a signal comes.\n`);
    await file.maintain(interrupted);
  } catch (thrown) {
    await file.remove();
    throw thrown;
  }
  if (!wanted.keep) await file.remove();
  return 0;
}

/** What a call of get-token means for a token file. */
function optionsOf(
  { path, mode }: WantedFile,
  { session, store, request, accept }: FileSource,
  { context, interrupted, warn }: {
    readonly context: GetTokenContext;
    readonly interrupted: AbortSignal;
    readonly warn: (text: string) => void;
  },
): TokenFileOptions {
  const { token, minimumLife, forceRefresh, requestTimeout, verbose } = request;
  const keyring = keyringLimits(context.canAsk(), interrupted);
  return {
    path,
    mode,
    session,
    store: store.with({ host: { ...store.host, interrupted } }),
    // As by hand: a bare token is the access token unless another one is named.
    request: { kind: token ?? "access", minimumLife, force: forceRefresh, accept },
    limits: () => ({
      deadline: performance.now() + LONGEST_ATTEMPT + keyring.timeout,
      keyringTimeout: keyring.timeout,
      requestTimeout,
      log: verbose ? (line) => context.writeErr(`${line}\n`) : undefined,
    }),
    warn,
  };
}

/** @throws {AppError} `USAGE` for a folder, a link, a device: the file is replaced by a rename. */
async function refuseOtherKinds(path: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === undefined || kind === "file") return;
  const is = { folder: "a folder", link: "a link", other: "no plain file" }[kind];
  throw new AppError("USAGE", `--write: ${printable(path)} is ${is}.`, {
    hint: "Name a file that may be replaced.",
  });
}

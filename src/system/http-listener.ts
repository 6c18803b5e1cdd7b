/** An HTTP/1.1 listener for programs on this machine: on a port of 127.0.0.1, or on a Unix socket of the user's own. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { pause } from "./clock.ts";
import { onWindows } from "./environment.ts";
import { fileFailure, storageError } from "./files.ts";

/** Where a listener is, as its requests name it. */
export interface ListenerAddress {
  /** What a request's URL begins with, before its host. */
  readonly scheme: string;
  /** The hosts, with their ports, that a request can name in order to mean it. */
  readonly hosts: readonly [string, ...string[]];
}

/** A listener that answers. */
export interface HttpListener {
  readonly address: ListenerAddress;
  /** Resolves when it cannot take connections any more, and nobody closed it. */
  readonly failed: Promise<AppError>;
  /** Takes no new connections; resolves once those that are there have ended. */
  shutdown(): Promise<void>;
  /** Ends every connection at once, or waits a second for a shutdown that is under way; removes the socket. */
  close(): Promise<void>;
}

/** Answers a request. What it throws is answered with 500 and told nobody. */
export type HttpHandler = (request: Request, address: ListenerAddress) => Promise<Response>;

/**
 * Listens on a port of 127.0.0.1; 0 takes a free one.
 *
 * @throws {AppError} `USAGE` when the port is taken or not allowed.
 */
export function listenOnPort(port: number, handle: HttpHandler): HttpListener {
  const addressOf = (port: number): ListenerAddress => ({
    scheme: "http://",
    hosts: [`127.0.0.1:${port}`, `localhost:${port}`],
  });
  const bind = (port: number): Bound<Deno.NetAddr> => {
    const ending = new AbortController();
    const server: Deno.HttpServer<Deno.NetAddr> = Deno.serve(
      { ...serveOptions(ending.signal), hostname: "127.0.0.1", port },
      (request) => handle(request, addressOf(server.addr.port)),
    );
    return { server, ending };
  };
  const refused = (cause: unknown) =>
    new AppError("USAGE", `Port ${port} of 127.0.0.1 cannot be listened on: it is taken or not allowed.`, {
      hint: "Name another port, or none to use a free one (--port).",
      cause,
    });
  try {
    const bound = bind(port);
    port = bound.server.addr.port;
    return { address: addressOf(port), ...keptUp(bound, () => bind(port), refused) };
  } catch (cause) {
    throw refused(cause);
  }
}

/**
 * Listens on a Unix socket that only this user can open: it is made in a new folder (0700), and has its mode (0600) before
 * it gets its name. A socket that nobody listens on any more is replaced.
 *
 * @throws {AppError} `USAGE` when something else is there, and on Windows; `STORAGE` when it cannot be made.
 */
export async function listenOnSocket(path: string, handle: HttpHandler): Promise<HttpListener> {
  if (onWindows) throw new AppError("USAGE", "--socket cannot be used on Windows.", { hint: "Use --port." });
  if (!await isFree(path)) {
    throw new AppError("USAGE", `--socket: there is something at ${printable(path)} already.`, {
      hint: "Name another path, or remove what is there.",
    });
  }
  if (new TextEncoder().encode(path).length > LONGEST_PATH) throw tooLong(path);
  let ours: Deno.FileInfo | undefined;
  const bind = async () => {
    const bound = await bindSocket(path, handle);
    ours = Deno.lstatSync(path);
    return bound;
  };
  const refused = (thrown: unknown) => storageError("listen on the socket", path, thrown);
  const first = await bind().catch((thrown) => {
    // The system's own word for the longer name in the folder that it is made in.
    throw thrown instanceof TypeError ? tooLong(path) : refused(thrown);
  });
  const { failed, shutdown, close } = keptUp(first, bind, refused);
  return {
    address: OF_SOCKETS,
    failed,
    shutdown,
    async close() {
      const now = await Deno.lstat(path).catch(() => undefined);
      if (now !== undefined && now.dev === ours?.dev && now.ino === ours.ino) {
        await Deno.remove(path).catch(() => {});
      }
      await close();
    },
  };
}

async function bindSocket(path: string, handle: HttpHandler): Promise<Bound> {
  const ending = new AbortController();
  let folder: string | undefined;
  try {
    folder = await Deno.makeTempDir({ dir: path.replace(/[^/]*$/, "") || ".", prefix: ".datumctl-" });
    const server = Deno.serve(
      { ...serveOptions(ending.signal), path: `${folder}/s` },
      (request) => handle(request, OF_SOCKETS),
    );
    await Deno.chmod(`${folder}/s`, 0o600);
    await Deno.rename(`${folder}/s`, path);
    return { server, ending };
  } catch (thrown) {
    ending.abort();
    throw thrown;
  } finally {
    // One by one: listing the folder opens another file, and there may be none left to open.
    for (const path of folder === undefined ? [] : [`${folder}/s`, folder]) {
      await Deno.remove(path).catch(() => {});
    }
  }
}

/** In bytes: macOS takes no longer name for a socket, and Linux hardly. */
const LONGEST_PATH = 103;

function tooLong(path: string): AppError {
  return new AppError("USAGE", `--socket: the path ${printable(path)} is too long for a socket.`, {
    hint: "Name a shorter one: about 70 characters fit everywhere.",
  });
}

/** What programs call the host behind a socket. */
const OF_SOCKETS: ListenerAddress = { scheme: "http+unix://", hosts: ["localhost"] };

function serveOptions(signal: AbortSignal) {
  return { signal, onListen: () => {}, onError: () => new Response(null, { status: 500 }) };
}

/** A server of the runtime, and what ends it at once. */
interface Bound<A extends Deno.Addr = Deno.Addr> {
  readonly server: Deno.HttpServer<A>;
  readonly ending: AbortController;
}

/** In milliseconds. A client that neither reads nor goes away would hold a shutdown up for ever. */
const LONGEST_CLOSE = 1000;

/** In milliseconds: how soon it is tried to listen again. */
const AGAIN = 100;

/** How often, where files are not what it is short of: the runtime's check of a path has errors of its own then, too. */
const ATTEMPTS = 50;

/**
 * Keeps a listener up. The runtime's server ends when it cannot take one connection, for which it is enough that others
 * hold as many open as this process may have; what is answered already goes on meanwhile.
 *
 * @param bind listens again, at the same address
 * @param refused the error where that cannot be
 */
function keptUp(
  first: Bound,
  bind: () => Bound | Promise<Bound>,
  refused: (thrown: unknown) => AppError,
): Pick<HttpListener, "failed" | "shutdown" | "close"> {
  const over = new AbortController();
  const failed = Promise.withResolvers<AppError>();
  let current = first;
  let closing: Promise<void> | undefined;
  let attempts = 0;
  const keep = async () => {
    while (await isBroken(current.server) && !over.signal.aborted) {
      try {
        current = await bind();
        attempts = 0;
        // It was closed meanwhile.
        if (over.signal.aborted) current.ending.abort();
      } catch (thrown) {
        if (!isShortOfFiles(thrown) && ++attempts >= ATTEMPTS) return failed.resolve(refused(thrown));
        await pause(AGAIN, over.signal).catch(() => {});
      }
    }
  };
  void keep();
  return {
    failed: failed.promise,
    shutdown() {
      over.abort();
      return closing ??= current.server.shutdown().catch(() => {});
    },
    async close() {
      over.abort();
      // The runtime throws when a server is to end at once that is ending already.
      if (closing === undefined) current.ending.abort();
      const waited = new AbortController();
      await Promise.race([
        closing ?? isBroken(current.server),
        pause(LONGEST_CLOSE, waited.signal).catch(() => {}),
      ]);
      waited.abort();
    },
  };
}

/** Waits for the end of a server; whether it ended by an error. */
function isBroken({ finished }: Deno.HttpServer<Deno.Addr>): Promise<boolean> {
  return finished.then(() => false, () => true);
}

/** Whether this process, or the machine, has as many files open as it may. */
function isShortOfFiles(thrown: unknown): boolean {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return code === "EMFILE" || code === "ENFILE";
}

/** True where nothing is, or a socket that nobody listens on any more. */
async function isFree(path: string): Promise<boolean> {
  try {
    if (!Deno.lstatSync(path).isSocket) return false;
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return true;
    throw storageError("look at", path, thrown);
  }
  return !await isAnswered(() => Deno.connect({ transport: "unix", path }));
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function isPortTaken(port: number): Promise<boolean> {
  return isAnswered(() => Deno.connect({ hostname: "127.0.0.1", port }));
}

/** False where nobody listens any more; where it cannot be told, somebody may. */
async function isAnswered(connect: () => Promise<Deno.Conn>): Promise<boolean> {
  try {
    (await connect()).close();
    return true;
  } catch (thrown) {
    return !(thrown instanceof Deno.errors.ConnectionRefused);
  }
}

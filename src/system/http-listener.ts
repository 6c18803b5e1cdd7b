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
  const ending = new AbortController();
  let server: Deno.HttpServer<Deno.NetAddr>;
  const addressOf = ({ port }: Deno.NetAddr): ListenerAddress => ({
    scheme: "http://",
    hosts: [`127.0.0.1:${port}`, `localhost:${port}`],
  });
  try {
    server = Deno.serve(
      { ...serveOptions(ending.signal), hostname: "127.0.0.1", port },
      (request) => handle(request, addressOf(server.addr)),
    );
  } catch (cause) {
    throw new AppError(
      "USAGE",
      `Port ${port} of 127.0.0.1 cannot be listened on: it is taken or not allowed.`,
      {
        hint: "Name another port, or none to use a free one (--port).",
        cause,
      },
    );
  }
  return {
    address: addressOf(server.addr),
    ...closable(server, ending),
  };
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
    const { dev, ino } = Deno.lstatSync(path);
    const { shutdown, close } = closable(server, ending);
    return {
      address: OF_SOCKETS,
      shutdown,
      async close() {
        const isOurs = await Deno.lstat(path).then((now) => now.dev === dev && now.ino === ino, () => false);
        if (isOurs) await Deno.remove(path).catch(() => {});
        await close();
      },
    };
  } catch (thrown) {
    ending.abort();
    // The system's own word for the longer name in the folder that it is made in.
    if (thrown instanceof TypeError) throw tooLong(path);
    throw storageError("listen on the socket", path, thrown);
  } finally {
    if (folder !== undefined) await Deno.remove(folder, { recursive: true }).catch(() => {});
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

/** In milliseconds. A client that neither reads nor goes away would hold a shutdown up for ever. */
const LONGEST_CLOSE = 1000;

function closable(
  server: Deno.HttpServer<Deno.Addr>,
  ending: AbortController,
): Pick<HttpListener, "shutdown" | "close"> {
  let closing: Promise<void> | undefined;
  return {
    shutdown: () => closing ??= server.shutdown(),
    async close() {
      // The runtime throws when a server is to end at once that is ending already.
      if (closing === undefined) ending.abort();
      const waited = new AbortController();
      await Promise.race([
        closing ?? server.finished,
        pause(LONGEST_CLOSE, waited.signal).catch(() => {}),
      ]);
      waited.abort();
    },
  };
}

/** True where nothing is, or a socket that nobody listens on any more. */
async function isFree(path: string): Promise<boolean> {
  try {
    if (!Deno.lstatSync(path).isSocket) return false;
  } catch (thrown) {
    if (fileFailure(thrown) === "absent") return true;
    throw storageError("look at", path, thrown);
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch (thrown) {
    return thrown instanceof Deno.errors.ConnectionRefused;
  }
}

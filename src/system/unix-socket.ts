/** A connection to a Unix socket of this machine. */

/** A connection that bytes are written to and read from. */
export interface ByteStream extends Disposable {
  /** Writes all of the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** The next bytes; undefined at the end. Rejects once the stream is disposed of. */
  read(): Promise<Uint8Array | undefined>;
}

/** Connects to the socket at a path. Rejects where nothing listens there. */
export async function connectUnix(path: string): Promise<ByteStream> {
  const connection = await Deno.connect({ transport: "unix", path });
  const room = new Uint8Array(4096);
  let open = true;
  return {
    async write(bytes) {
      for (let written = 0; written < bytes.length;) {
        written += await connection.write(bytes.subarray(written));
      }
    },
    async read() {
      const length = await connection.read(room);
      return length === null ? undefined : room.slice(0, length);
    },
    [Symbol.dispose]() {
      if (open) connection.close();
      open = false;
    },
  };
}

/** The number of the person who runs this; undefined on Windows. */
export function userNumber(): number | undefined {
  return Deno.uid() ?? undefined;
}

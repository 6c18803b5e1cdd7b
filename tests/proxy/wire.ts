/** Requests byte for byte: what a client of HTTP would tidy up first. */

import { pause } from "../../src/system/clock.ts";

/** An answer as it came. */
export interface RawAnswer {
  /** 0 where the connection ended without one. */
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends a text, one byte for each letter, and reads until the other side ends the connection. */
export async function sendRaw(
  to: Deno.ConnectOptions | Deno.UnixConnectOptions,
  text: string,
): Promise<RawAnswer> {
  using connection = await connect(to);
  await writeAll(connection, text);
  return await readAnswer(connection);
}

/** A connection to a port or a socket. */
export async function connect(to: Deno.ConnectOptions | Deno.UnixConnectOptions): Promise<Deno.Conn> {
  return "path" in to ? await Deno.connect(to) : await Deno.connect(to);
}

/** A request that ends its connection. Letters beyond ASCII are sent as UTF-8. */
export function rawRequest(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body = "",
): string {
  const all = { ...headers, connection: headers.connection ?? "close" };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body === "" ? "" : `content-length: ${body.length}\r\n`;
  return unescape(encodeURIComponent(`${method} ${target} HTTP/1.1\r\n${lines}${length}\r\n${body}`));
}

/** Writes a text, one byte for each letter. */
export async function writeAll(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Reads up to the end of the connection. */
export async function readAnswer(connection: Deno.Conn): Promise<RawAnswer> {
  let text = "";
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const length = await connection.read(buffer).catch(() => null);
    if (length === null) break;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, length));
  }
  const at = text.indexOf("\r\n\r\n");
  const headers = text.slice(0, at).toLowerCase();
  return {
    status: Number(/^http\/1\.[01] (\d{3})/.exec(headers)?.[1] ?? 0),
    headers,
    body: text.slice(at + 4),
  };
}

/** Reads until a text has come, or a while is over; what has come. */
export async function readUntil(
  connection: Deno.Conn,
  wanted: string,
  milliseconds = 10_000,
): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(65_536);
  const late = new AbortController();
  const over = pause(milliseconds, late.signal).then(() => null, () => null);
  while (!text.includes(wanted)) {
    const length = await Promise.race([connection.read(buffer).catch(() => null), over]);
    if (length === null) break;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, length));
  }
  late.abort();
  return text;
}

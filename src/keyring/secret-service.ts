/**
 * Reads an item that lies open in the Secret Service, over the person's own D-Bus and without a child process: starting
 * `secret-tool` takes longer than all else of a get-token.
 *
 * Source: the Secret Service API of freedesktop.org, 0.2, with the algorithm "plain".
 */

import { alarm } from "../system/clock.ts";
import { type ByteStream, connectUnix, userNumber } from "../system/unix-socket.ts";
import { decodeMessage, encodeCall, greeting, type Message, MessageWriter, type MethodCall } from "./dbus.ts";
import {
  type KeyringLimits,
  keyringTimeout,
  LINUX_STORE,
  SERVICE as OWN_SERVICE,
  systemAccount,
} from "./store.ts";

const SERVICE = "org.freedesktop.secrets";
const ROOT = "/org/freedesktop/secrets";

const HELLO: MethodCall = {
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
  member: "Hello",
  destination: "org.freedesktop.DBus",
};

/**
 * The secret of the first open item that has these attributes. Undefined for everything else: no item, a locked one, no bus
 * or no service that is understood. What that means is told by `secret-tool`.
 *
 * @param bus the value of `DBUS_SESSION_BUS_ADDRESS`
 * @throws {AppError} `KEYRING_TIMEOUT` when the time is over; the signal's reason.
 */
export async function readOpenItem(
  bus: string | undefined,
  attributes: Readonly<Record<string, string>>,
  { timeout, signal }: KeyringLimits,
): Promise<string | undefined> {
  const path = socketOf(bus);
  const user = userNumber();
  if (path === undefined || user === undefined) return undefined;
  signal?.throwIfAborted();
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => {});
  const bound = alarm(Math.max(1, timeout), () => over.reject(keyringTimeout(LINUX_STORE, timeout)));
  const stop = () => over.reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  const connecting = connectUnix(path);
  const secret = connecting.then((stream) => ask(stream, user, attributes)).catch(() => undefined);
  try {
    return await Promise.race([secret, over.promise]);
  } finally {
    bound.disarm();
    signal?.removeEventListener("abort", stop);
    connecting.then((stream) => stream[Symbol.dispose](), () => {});
  }
}

/**
 * The secret that is kept under an account of ours, as {@link readOpenItem} reads it.
 *
 * @throws {AppError} as {@link readOpenItem}.
 */
export async function readOpenKey(
  bus: string | undefined,
  name: string,
  limits: KeyringLimits,
): Promise<string | undefined> {
  const { account } = await systemAccount(name);
  return await readOpenItem(bus, { service: OWN_SERVICE, account }, limits);
}

/** The path of the socket that the first of the bus's addresses names. */
function socketOf(address: string | undefined): string | undefined {
  return /^unix:path=(\/[^,;%]*)/.exec(address ?? "")?.[1];
}

async function ask(
  stream: ByteStream,
  user: number,
  attributes: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  await stream.write(together(
    greeting(user),
    encodeCall(1, HELLO),
    encodeCall(2, openSession()),
    encodeCall(3, searchItems(attributes)),
  ));
  const answers = new Answers(stream);
  const [session, item] = [sessionIn(await answers.to(2, "vo")), openItemIn(await answers.to(3, "aoao"))];
  if (session === undefined || item === undefined) return undefined;
  await stream.write(encodeCall(4, getSecret(item, session)));
  return secretIn(await answers.to(4, "(oayays)"));
}

function openSession(): MethodCall {
  const body = new MessageWriter().text("plain").signature("s").text("");
  return service("OpenSession", "sv", body);
}

function searchItems(attributes: Readonly<Record<string, string>>): MethodCall {
  const body = new MessageWriter().array(8, (entries) => {
    for (const [name, value] of Object.entries(attributes)) entries.align(8).text(name).text(value);
  });
  return service("SearchItems", "a{ss}", body);
}

function service(member: string, signature: string, body: MessageWriter): MethodCall {
  return {
    path: ROOT,
    interface: "org.freedesktop.Secret.Service",
    member,
    destination: SERVICE,
    signature,
    body,
  };
}

function getSecret(item: string, session: string): MethodCall {
  return {
    path: item,
    interface: "org.freedesktop.Secret.Item",
    member: "GetSecret",
    destination: SERVICE,
    signature: "o",
    body: new MessageWriter().text(session),
  };
}

function sessionIn({ body }: Message): string | undefined {
  // What the service answers to the algorithm: nothing, for this one.
  const kind = body.signature();
  if (kind === "s") body.text();
  else if (kind === "ay") body.byteArray();
  else return undefined;
  return body.text();
}

function openItemIn({ body }: Message): string | undefined {
  return body.texts()[0];
}

function secretIn({ body }: Message): string {
  body.align(8);
  body.text();
  body.byteArray();
  return new TextDecoder("utf-8", { fatal: true }).decode(body.byteArray());
}

/** The most that is read of a bus for one secret, in bytes: one that never stops sending is not understood. */
const MOST_BYTES = 1024 * 1024;

/** The answers that come from the bus, in whatever order. */
class Answers {
  readonly #stream: ByteStream;
  #bytes: Uint8Array = new Uint8Array();
  #left = MOST_BYTES;
  #greeted = false;
  readonly #waiting: Message[] = [];

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** The answer to the call of that serial. @throws {RangeError} when it is an error, or of other types. */
  async to(serial: number, signature: string): Promise<Message> {
    for (;;) {
      const found = this.#waiting.find(({ answers }) => answers === serial);
      if (found !== undefined) {
        if (found.type === "answer" && found.signature === signature) return found;
        throw new RangeError("not understood");
      }
      const more = await this.#stream.read() ?? fail();
      this.#left -= more.length;
      if (this.#left < 0) fail();
      this.#bytes = together(this.#bytes, more);
      this.#takeMessages();
    }
  }

  #takeMessages(): void {
    if (!this.#greeted && !this.#takeGreeting()) return;
    for (let next = decodeMessage(this.#bytes); next !== undefined; next = decodeMessage(this.#bytes)) {
      this.#bytes = next.rest;
      this.#waiting.push(next.message);
    }
  }

  /** The bus's line that takes the greeting. */
  #takeGreeting(): boolean {
    const end = this.#bytes.indexOf(10) + 1;
    if (end === 0) return false;
    if (!new TextDecoder().decode(this.#bytes.subarray(0, end)).startsWith("OK ")) fail();
    this.#bytes = this.#bytes.subarray(end);
    this.#greeted = true;
    return true;
  }
}

function together(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function fail(): never {
  throw new RangeError("not understood");
}

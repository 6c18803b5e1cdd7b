/** Messages of D-Bus, as far as reading a keyring takes them: what is called, and what is answered. */

/** A method that is called, with the values of its body already written. */
export interface MethodCall {
  readonly path: string;
  readonly interface?: string | undefined;
  readonly member: string;
  readonly destination: string;
  /** The types of its body; absent for none. */
  readonly signature?: string | undefined;
  readonly body?: MessageWriter | undefined;
}

/** What came back for a call, or a message that nobody asked for. */
export interface Message {
  readonly type: "answer" | "error" | "other";
  /** The call that it answers. */
  readonly answers: number | undefined;
  readonly signature: string;
  readonly body: MessageReader;
}

/** No answer of a keyring that holds our keys is longer. */
const LONGEST = 256 * 1024;

const CALL = 1;
const NO_AUTO_START = 2;

/** The fields of a header, by their numbers in the specification. */
const PATH = 1;
const INTERFACE = 2;
const MEMBER = 3;
const REPLY_SERIAL = 5;
const DESTINATION = 6;
const SIGNATURE = 8;

/** What begins a connection: the person's number, which the bus compares with what the system says. */
export function greeting(user: number): Uint8Array {
  const digits = [...new TextEncoder().encode(String(user))].map((digit) => digit.toString(16)).join("");
  return new TextEncoder().encode(`\0AUTH EXTERNAL ${digits}\r\nBEGIN\r\n`);
}

/** The bytes of a call. It starts no service that does not run. */
export function encodeCall(serial: number, call: MethodCall): Uint8Array {
  const body = call.body?.bytes() ?? new Uint8Array();
  const header = new MessageWriter();
  header.byte("l".charCodeAt(0)).byte(CALL).byte(NO_AUTO_START).byte(1).uint32(body.length).uint32(serial);
  header.array(8, (fields) => {
    const field = (code: number, type: string, value: string) =>
      fields.align(8).byte(code).signature(type).text(value);
    field(PATH, "o", call.path);
    if (call.interface !== undefined) field(INTERFACE, "s", call.interface);
    field(MEMBER, "s", call.member);
    field(DESTINATION, "s", call.destination);
    if (call.signature !== undefined) {
      fields.align(8).byte(SIGNATURE).signature("g").signature(call.signature);
    }
  });
  header.align(8);
  const bytes = new Uint8Array(header.length + body.length);
  bytes.set(header.bytes());
  bytes.set(body, header.length);
  return bytes;
}

/**
 * The message at the beginning of some bytes, and what follows it; undefined while it is not complete.
 *
 * @throws {RangeError} when it is none that is understood here.
 */
export function decodeMessage(bytes: Uint8Array): { message: Message; rest: Uint8Array } | undefined {
  if (bytes.length < 16) return undefined;
  const header = new MessageReader(bytes);
  const [order, type] = [header.byte(), header.byte()];
  header.byte();
  const version = header.byte();
  const bodyLength = header.uint32();
  header.uint32();
  const fieldsEnd = 16 + header.uint32();
  const start = Math.ceil(fieldsEnd / 8) * 8;
  const end = start + bodyLength;
  if (order !== "l".charCodeAt(0) || version !== 1 || end > LONGEST) throw new RangeError("not understood");
  if (bytes.length < end) return undefined;
  let answers: number | undefined;
  let signature = "";
  while (header.at < fieldsEnd) {
    header.align(8);
    const code = header.byte();
    const kind = header.signature();
    if (kind === "u") {
      const value = header.uint32();
      if (code === REPLY_SERIAL) answers = value;
    } else {
      const value = kind === "g" ? header.signature() : header.text();
      if (code === SIGNATURE) signature = value;
    }
  }
  const body = new MessageReader(bytes.subarray(start, end));
  const message: Message = {
    type: type === 2 ? "answer" : type === 3 ? "error" : "other",
    answers,
    signature,
    body,
  };
  return { message, rest: bytes.subarray(end) };
}

/** Writes values one behind the other, each where its type may begin. Little-endian. */
export class MessageWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0);
    return this;
  }

  byte(value: number): this {
    this.#bytes.push(value);
    return this;
  }

  uint32(value: number): this {
    this.align(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes.push((value >>> shift) & 0xff);
    return this;
  }

  /** A text or the path of an object. */
  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    this.uint32(bytes.length);
    this.#bytes.push(...bytes, 0);
    return this;
  }

  signature(value: string): this {
    this.#bytes.push(value.length, ...new TextEncoder().encode(value), 0);
    return this;
  }

  /** An array, whose items begin at multiples of `alignment`. */
  array(alignment: number, write: (items: this) => void): this {
    this.uint32(0);
    const lengthAt = this.#bytes.length - 4;
    this.align(alignment);
    const start = this.#bytes.length;
    write(this);
    const length = this.#bytes.length - start;
    for (let byte = 0; byte < 4; byte++) this.#bytes[lengthAt + byte] = (length >>> (8 * byte)) & 0xff;
    return this;
  }
}

/** Reads values one behind the other. Its methods throw a `RangeError` beyond the end. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get at(): number {
    return this.#at;
  }

  align(to: number): void {
    this.#at = Math.ceil(this.#at / to) * to;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError("beyond the end");
    this.#at++;
    return byte;
  }

  uint32(): number {
    this.align(4);
    let value = 0;
    for (let shift = 0; shift < 32; shift += 8) value |= this.byte() << shift;
    return value >>> 0;
  }

  /** A text or the path of an object. */
  text(): string {
    const text = new TextDecoder().decode(this.#take(this.uint32()));
    this.byte();
    return text;
  }

  signature(): string {
    const signature = new TextDecoder().decode(this.#take(this.byte()));
    this.byte();
    return signature;
  }

  byteArray(): Uint8Array {
    return this.#take(this.uint32());
  }

  /** The texts of an array. */
  texts(): string[] {
    const length = this.uint32();
    const end = this.#at + length;
    const texts: string[] = [];
    while (this.#at < end) texts.push(this.text());
    return texts;
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("beyond the end");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

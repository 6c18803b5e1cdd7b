/** The note of which process was handed which token, because client-go does not say when it got a 401. */

import type { Clock } from "../system/clock.ts";
import { readTextFile, replaceQuickly } from "../system/files.ts";
import { isObject, parseJson, sha256, toBase64Url } from "../encoding.ts";

const ROWS = 16;
const REMEMBERED = 10 * 60_000;
// Some programs run the plugin twice for every call, within milliseconds: what the issuer said serves both. Not longer,
// or a token that is revoked right after stays dead.
const SAID = 5_000;
// An issuer that did not answer is left alone for longer: each question to it can take seconds.
const SILENT = 60_000;

interface Row {
  /** Its mark. */
  readonly parent: string;
  /** The first 8 bytes of the token's SHA-256. */
  readonly mark: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Notes {
  readonly rows: readonly Row[];
  /** When a token was last refreshed on suspicion alone. */
  readonly refreshed?: number | undefined;
  /** The token that the issuer was asked about last, and did not refuse; and whether it answered. */
  readonly asked?: Asked | undefined;
}

interface Asked extends Pick<Row, "mark" | "at"> {
  readonly answered?: boolean | undefined;
}

/** The notes of one session. Nothing here fails: without them, only the suspicion is lost. */
export interface Deliveries {
  /**
   * Notes that a process gets a token. Returns when a process of that mark got the same one, in milliseconds since 1970,
   * where that was within ten minutes and the issuer was not asked about it just now: its server may have refused it.
   */
  record(parent: string, token: string): Promise<number | undefined>;
  /** Notes that the issuer was asked about a token, and did not refuse it: it knows it, or did not answer. */
  asked(token: string, answered: boolean): Promise<void>;
  /** True when no refresh was made on suspicion within ten minutes; notes that one is made now. */
  mayRefresh(): Promise<boolean>;
  /** Lets the next suspicion be looked into however soon it comes. */
  lookAgain(): Promise<void>;
}

/** Opens the notes kept in a file. No lock guards them: a lost row costs a suspicion, not a token. */
export function openDeliveries(path: string, now: Clock): Deliveries {
  const read = async (): Promise<Notes> => parse(await readTextFile(path).catch(() => undefined));
  const write = (notes: Notes) => replaceQuickly(path, JSON.stringify(notes) + "\n");
  const recent = (at: number, within = REMEMBERED) => at <= now() && now() - at < within;
  return {
    async record(parent, token) {
      const mark = await fingerprintOf(token);
      const notes = await read();
      const asked = notes.asked?.mark === mark &&
        recent(notes.asked.at, notes.asked.answered === false ? SILENT : SAID);
      const before = notes.rows.find((row) => row.parent === parent && row.mark === mark && recent(row.at));
      const others = notes.rows.filter((row) => row.parent !== parent || row.mark !== mark);
      await write({ ...notes, rows: [...others, { parent, mark, at: now() }].slice(-ROWS) });
      return asked ? undefined : before?.at;
    },
    async asked(token, answered) {
      await write({
        ...await read(),
        asked: { mark: await fingerprintOf(token), at: now(), answered },
      });
    },
    async mayRefresh() {
      const notes = await read();
      if (notes.refreshed !== undefined && recent(notes.refreshed)) return false;
      await write({ ...notes, refreshed: now() });
      return true;
    },
    async lookAgain() {
      const { refreshed: _, ...notes } = await read();
      await write(notes);
    },
  };
}

async function fingerprintOf(token: string): Promise<string> {
  return toBase64Url((await sha256(token)).subarray(0, 8));
}

function parse(text: string | undefined): Notes {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isObject(value)) return { rows: [] };
  const { rows, refreshed, asked } = value;
  return {
    rows: Array.isArray(rows) ? rows.filter(isRow) : [],
    refreshed: typeof refreshed === "number" ? refreshed : undefined,
    asked: isMark(asked) ? asked : undefined,
  };
}

function isRow(value: unknown): value is Row {
  return isMark(value) && "parent" in value && typeof value.parent === "string";
}

function isMark(value: unknown): value is Pick<Row, "mark" | "at"> {
  return isObject(value) && typeof value.mark === "string" && typeof value.at === "number";
}

/** Owns the note of which process was handed which token, because client-go does not say when it got a 401. */

import type { Clock } from "../system/clock.ts";
import { readTextFile, replaceQuickly } from "../system/files.ts";
import { toBase64Url } from "../base64.ts";
import { parseJson } from "./session.ts";

const ROWS = 16;
const REMEMBERED = 10 * 60_000;

interface Row {
  readonly parent: number;
  /** The first 8 bytes of the token's SHA-256. */
  readonly mark: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Notes {
  readonly rows: readonly Row[];
  /** When a token was last refreshed on suspicion alone. */
  readonly refreshed?: number;
}

/** The notes of one session. Nothing here fails: without them, only the suspicion is lost. */
export interface Handouts {
  /**
   * Notes that a process gets a token. True when the same process got the same one within ten minutes: its server
   * may have refused it.
   */
  note(parent: number, token: string): Promise<boolean>;
  /** True when no refresh was made on suspicion within ten minutes; notes that one is made now. */
  mayRefresh(): Promise<boolean>;
  /** Lets the next suspicion be looked into however soon it comes. */
  lookAgain(): Promise<void>;
}

/** Opens the notes kept in a file. No lock guards them: a lost row costs a suspicion, not a token. */
export function openHandouts(path: string, now: Clock): Handouts {
  const read = async (): Promise<Notes> => parse(await readTextFile(path).catch(() => undefined));
  const write = (notes: Notes) => replaceQuickly(path, JSON.stringify(notes) + "\n");
  const recent = (at: number) => at <= now() && now() - at < REMEMBERED;
  return {
    async note(parent, token) {
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
      const mark = toBase64Url(new Uint8Array(digest).subarray(0, 8));
      const notes = await read();
      const suspicious = notes.rows.some((row) =>
        row.parent === parent && row.mark === mark && recent(row.at)
      );
      const others = notes.rows.filter((row) => row.parent !== parent || row.mark !== mark);
      await write({ ...notes, rows: [...others, { parent, mark, at: now() }].slice(-ROWS) });
      return suspicious;
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

function parse(text: string | undefined): Notes {
  const value = text === undefined ? undefined : parseJson(text);
  if (typeof value !== "object" || value === null) return { rows: [] };
  const { rows, refreshed } = value as Record<string, unknown>;
  return {
    rows: Array.isArray(rows) ? rows.filter(isRow) : [],
    ...(typeof refreshed === "number" ? { refreshed } : {}),
  };
}

function isRow(value: unknown): value is Row {
  if (typeof value !== "object" || value === null) return false;
  const { parent, mark, at } = value as Record<string, unknown>;
  return typeof parent === "number" && typeof mark === "string" && typeof at === "number";
}

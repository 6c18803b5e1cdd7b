/** Records which process got which token: a second request for the same token may follow a 401. */

import { isObject, parseJson, sha256, toBase64Url } from "../encoding.ts";
import type { Clock } from "../system/clock.ts";
import { readTextFile, replaceQuickly } from "../system/files.ts";

const MOST_ROWS = 16;
const REMEMBERED = 10 * 60_000;
// Some programs run the plugin twice for every call, within milliseconds: one answer of the issuer serves both. A longer
// time would keep a token alive that was revoked right after the answer.
const ANSWER_SERVES = 5_000;
// An issuer that did not answer is left alone for longer: each question to it can take seconds.
const SILENCE_SERVES = 60_000;

/** A token that a process got; as all of {@link Contents}, in the names of the file. */
interface Row {
  /** The process, as `ParentProcess.id` names it. */
  readonly parent: string;
  /** The token's digest. */
  readonly mark: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The last question to the issuer about a token that it did not refuse. */
interface Question extends Pick<Row, "mark" | "at"> {
  readonly answered?: boolean | undefined;
}

/** What the file holds. */
interface Contents {
  readonly rows: readonly Row[];
  /** When a token was last refreshed only because it might have been refused. */
  readonly refreshed?: number | undefined;
  readonly asked?: Question | undefined;
}

/** The deliveries of one session. Its calls never fail: without the file, only the check after a 401 is lost. */
export interface Deliveries {
  /**
   * Records that a process gets a token. Returns when it got the same one within the last ten minutes, in milliseconds
   * since 1970: its server may have refused that token. Undefined when it did not, and while the issuer's last answer
   * about the token still serves.
   *
   * @param before when the process got it in a way that is not recorded here.
   */
  record(parent: string, token: string, before?: number): Promise<number | undefined>;
  /** Records that the issuer was asked about a token and did not refuse it: it knows the token, or did not answer. */
  recordQuestion(token: string, answered: boolean): Promise<void>;
  /** True when no token was refreshed for a possible 401 within ten minutes; records that one is refreshed now. */
  mayRefresh(): Promise<boolean>;
  /** Forgets the last such refresh, so that the next one may come at any time. */
  forgetRefresh(): Promise<void>;
}

/** Opens the deliveries kept in a file. It needs no lock: a lost row costs one check after a 401. */
export function openDeliveries(path: string, now: Clock): Deliveries {
  const read = async (): Promise<Contents> => parse(await readTextFile(path).catch(() => undefined));
  const write = (contents: Contents) => replaceQuickly(path, JSON.stringify(contents) + "\n");
  const isRecent = (at: number, within = REMEMBERED) => at <= now() && now() - at < within;
  return {
    async record(parent, token, before) {
      const tokenDigest = await digestOf(token);
      const contents = await read();
      const { rows, asked } = contents;
      const isSame = (row: Row) => row.parent === parent && row.mark === tokenDigest;
      const others = rows.filter((row) => !isSame(row));
      await write({
        ...contents,
        rows: [...others, { parent, mark: tokenDigest, at: now() }].slice(-MOST_ROWS),
      });
      const serves = asked?.answered === false ? SILENCE_SERVES : ANSWER_SERVES;
      if (asked?.mark === tokenDigest && isRecent(asked.at, serves)) return undefined;
      return before ?? rows.find((row) => isSame(row) && isRecent(row.at))?.at;
    },
    async recordQuestion(token, answered) {
      await write({ ...await read(), asked: { mark: await digestOf(token), at: now(), answered } });
    },
    async mayRefresh() {
      const contents = await read();
      if (contents.refreshed !== undefined && isRecent(contents.refreshed)) return false;
      await write({ ...contents, refreshed: now() });
      return true;
    },
    async forgetRefresh() {
      await write({ ...await read(), refreshed: undefined });
    },
  };
}

/** The first 8 bytes of a token's SHA-256. */
async function digestOf(token: string): Promise<string> {
  return toBase64Url((await sha256(token)).subarray(0, 8));
}

function parse(text: string | undefined): Contents {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isObject(value)) return { rows: [] };
  const { rows, refreshed, asked } = value;
  return {
    rows: Array.isArray(rows) ? rows.filter(isRow) : [],
    refreshed: typeof refreshed === "number" ? refreshed : undefined,
    asked: hasDigest(asked) ? asked : undefined,
  };
}

function isRow(value: unknown): value is Row {
  return hasDigest(value) && "parent" in value && typeof value.parent === "string";
}

function hasDigest(value: unknown): value is Pick<Row, "mark" | "at"> {
  return isObject(value) && typeof value.mark === "string" && typeof value.at === "number";
}

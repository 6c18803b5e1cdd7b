/** A file with a fresh token for programs that start no plugin: renewed ahead of its end, replaced in one rename. */

import { AppError, fail, failureOrThrow } from "../errors.ts";
import { exists, readTextFile, removeFile } from "../system/files.ts";
import { writeFileAtomically } from "../system/replacement.ts";
import { formatSpan } from "../system/clock.ts";
import { freshToken } from "./fresh-token.ts";
import { isSameIdentity, somebodyElses } from "./identity.ts";
import { environmentCredentials } from "./open.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./store.ts";
import { type FreshToken, type TimedToken, type TokenLimits, type TokenRequest, TOO_SHORT } from "./token.ts";

/** The wall clock is looked at so often, in milliseconds: timers stand still while a machine sleeps. */
const LONGEST_STEP = 10_000;
const SHORTEST_STEP = 250;

/** Between two attempts during an outage, in milliseconds. */
const LONGEST_PAUSE = 30_000;

/** A machine that wakes up has a network some seconds later: a token that ended meanwhile gets so many attempts. */
const ATTEMPTS_AFTER_THE_END = 5;

/** Which file, and whose token is in it. */
export interface TokenFileOptions {
  readonly path: string;
  /** The file's permissions; 0600 unless given. */
  readonly mode?: number | undefined;
  /** Replaces the file in one rename; one with that mode, which is synced to the disk, unless given. */
  readonly write?: ((text: string) => void) | undefined;
  readonly store: SessionStore;
  readonly session: Session;
  /** A fresh token that is at hand already, and whose warning was told: the keyring is not asked again. */
  readonly first?: FreshToken | undefined;
  /** `minimumLife` asks for more life than a reader needs; `force` counts for the first token alone. */
  readonly request: TokenRequest;
  /** The limits of an attempt that begins now. */
  readonly limits: () => TokenLimits;
  readonly warn: (text: string) => void;
}

/** A token file that is there. */
export interface TokenFile {
  /** What is in it. */
  readonly token: FreshToken;
  /**
   * Renews the token until the signal fires. An outage is waited out while the token lasts. The file is removed as soon as
   * its token ends, and with its session.
   *
   * @param onEnd hears of an end instead, once; a new sign-in, or the end of the outage, fills the file again
   * @throws {AppError} what ended the session (exit code 4), or the outage that outlasted the token.
   */
  maintain(signal: AbortSignal, onEnd?: (error: AppError) => void): Promise<void>;
  /** Removes the file, unless another program has written it since. */
  remove(): Promise<void>;
}

/**
 * Writes a session's token into a file.
 *
 * @throws {AppError} as {@link freshToken}; `STORAGE` when the file cannot be written.
 */
export async function openTokenFile(options: TokenFileOptions): Promise<TokenFile> {
  return await RenewedFile.open(options);
}

/**
 * How much life a token in a file has at least, in milliseconds: client-go reads the file again after about a minute. Half
 * of a short life.
 */
function leastLife({ issued, expires }: TimedToken): number {
  return Math.min(90_000, Math.max(0, expires - issued) / 2);
}

/** How long before a token's end the next one is asked for, in milliseconds: early enough for {@link leastLife}. */
function renewedAhead({ issued, expires }: TimedToken, minimumLife = 0): number {
  return Math.min(Math.max(150_000, minimumLife), Math.max(0, expires - issued) * 2 / 3);
}

/** Says that tokens live too short for programs that read their file once in a while; undefined where they do not. */
export function shortLife({ issued, expires }: TimedToken): string | undefined {
  const life = expires - issued;
  if (life >= 180_000) return undefined;
  return `The issuer's tokens last ${
    formatSpan(life)
  }. kubectl and its kin read a token file again after about ` +
    "a minute, so that some of their requests may come with one that has ended.";
}

class RenewedFile implements TokenFile {
  readonly #options: TokenFileOptions;
  #token: FreshToken;
  /** The text of the file; undefined while it is removed. */
  #written: string | undefined;
  /** The credentials of the session's file when the token was taken from it. */
  #seen: string;
  /** The wall clock at the last look. */
  #looked: number;
  #clockWentBack = false;
  #failures = 0;
  /** What is left to wait before the next attempt. */
  #pause = 0;
  readonly #warned = new Set<string>();
  /** What {@link maintain} has told of already. */
  #told: AppError["code"] | undefined;

  private constructor(options: TokenFileOptions, token: FreshToken, seen: string) {
    this.#options = options;
    this.#token = token;
    this.#seen = seen;
    this.#looked = options.store.host.now();
  }

  static async open(options: TokenFileOptions): Promise<RenewedFile> {
    const { store, session, first, request, limits } = options;
    const token = first ?? await freshToken(store, session, { ...request, minimumLife: undefined }, limits());
    await request.accept?.(token.session);
    const file = new RenewedFile(options, token, session.credentials);
    if (first === undefined) file.#warnOnce(token.warning);
    if (file.#isDue()) {
      try {
        await file.#renew(await file.#session(), { minimumLife: file.#ahead });
      } catch (thrown) {
        if (!(thrown instanceof AppError) || endsSession(thrown) || thrown.code === "STORAGE") throw thrown;
        file.#fail(thrown);
      }
    }
    if (file.#written === undefined) await file.#write(file.#token);
    file.#seen = (await file.#session()).credentials;
    return file;
  }

  get token(): FreshToken {
    return this.#token;
  }

  async maintain(signal: AbortSignal, onEnd?: (error: AppError) => void): Promise<void> {
    while (await this.#slept(this.#nextStep(), signal)) {
      try {
        await this.#look(signal);
      } catch (thrown) {
        if (onEnd === undefined || !(thrown instanceof AppError)) throw thrown;
        if (this.#told !== thrown.code) onEnd(thrown);
        this.#told = thrown.code;
        if (endsSession(thrown)) await this.#sessionChange(signal);
      }
    }
  }

  /** False when the signal fired. */
  async #slept(step: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.store.host.sleep(step, signal);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
    this.#pause -= step;
    return !signal.aborted;
  }

  /** Waits for a new sign-in: until then no other token comes. */
  async #sessionChange(signal: AbortSignal): Promise<void> {
    const { store, session: { name } } = this.#options;
    while (await this.#slept(LONGEST_STEP, signal)) {
      const session = await store.read(name).catch(failureOrThrow);
      if (session !== undefined && "credentials" in session && session.credentials !== this.#seen) return;
    }
  }

  async remove(): Promise<void> {
    const { path, warn } = this.#options;
    const own = this.#written;
    this.#written = undefined;
    try {
      if (own !== undefined && await readTextFile(path) === own) await removeFile(path);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      warn(`${thrown.message} It may still hold a token.`);
    }
  }

  get #ahead(): number {
    return renewedAhead(this.#token, this.#options.request.minimumLife);
  }

  /** A token is of no use any more some seconds before its end. */
  get #end(): number {
    const { issued, expires } = this.#token;
    return expires - Math.min(5_000, Math.max(0, expires - issued) / 10);
  }

  #isDue(): boolean {
    return this.#clockWentBack || this.#token.expires - this.#options.store.host.now() <= this.#ahead;
  }

  /** The time until the next look: at most ten seconds, and in time for a renewal and for the end. */
  #nextStep(): number {
    const untilEnd = this.#written === undefined ? LONGEST_STEP : this.#end - this.#options.store.host.now();
    const pause = this.#pause > 0 ? this.#pause : LONGEST_STEP;
    const inTime = (this.#ahead - leastLife(this.#token)) / 2;
    return Math.max(SHORTEST_STEP, Math.min(LONGEST_STEP, inTime, pause, untilEnd));
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { path, store: { host } } = this.#options;
    const now = host.now();
    // The token's times are by a clock that was wrong: it may end sooner than they say.
    if (now < this.#looked - 1_000) this.#clockWentBack = true;
    this.#looked = now;
    if (now >= this.#end) await this.remove();
    try {
      const session = await this.#session();
      const changed = session.credentials !== this.#seen;
      const ready = this.#pause <= 0;
      if (changed || (ready && this.#isDue())) {
        await this.#renew(session, { minimumLife: this.#ahead, force: this.#clockWentBack });
      } else if (ready && this.#written !== undefined && !await exists(path)) {
        await this.#write(this.#token);
      }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      if (signal.aborted) return;
      this.#fail(thrown);
      const outlasted = host.now() >= this.#end && this.#failures >= ATTEMPTS_AFTER_THE_END;
      if (!outlasted && !endsSession(thrown)) return;
      await this.remove();
      throw thrown;
    }
  }

  /**
   * The session as its file is now.
   *
   * @throws {AppError} `NOT_SIGNED_IN` when it was removed.
   */
  async #session(): Promise<Session> {
    const { store, session } = this.#options;
    if (environmentCredentials(session) !== undefined) return session;
    return await store.read(session.name) ??
      fail(
        new AppError("NOT_SIGNED_IN", `The session "${session.name}" was signed out in the meantime.`, {
          hint: await store.providers.signInAgain(session),
        }),
      );
  }

  /** Puts the next token into the file; the one of another process, where that has renewed the session. */
  async #renew(
    session: Session,
    { minimumLife, force }: Pick<TokenRequest, "minimumLife" | "force">,
  ): Promise<void> {
    const { store, request: { kind, accept }, limits } = this.#options;
    const acceptSame = async (sealed: Session) => {
      if (!isSameIdentity(sealed, this.#token.session)) throw somebodyElses(sealed);
      await accept?.(sealed);
    };
    const next = await freshToken(store, session, { kind, minimumLife, force, accept: acceptSame }, limits());
    await acceptSame(next.session);
    if (next.token !== this.#written) await this.#write(next);
    const other = next.token !== this.#token.token;
    this.#token = next;
    this.#clockWentBack = false;
    this.#failures = 0;
    this.#told = undefined;
    const due = this.#isDue();
    if (due && !other) this.#warnOnce(noOther(next));
    else if (next.warning !== TOO_SHORT || this.#options.request.minimumLife !== undefined) {
      this.#warnOnce(next.warning);
    }
    // Where no other token comes, as none does after a sign-in without a refresh token, the end is waited for.
    this.#pause = due ? LONGEST_PAUSE : 0;
    this.#seen = (await this.#session()).credentials;
  }

  #warnOnce(text: string | undefined): void {
    if (text === undefined || this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#options.warn(text);
  }

  async #write({ token }: FreshToken): Promise<void> {
    const { path, mode, write } = this.#options;
    if (write === undefined) await writeFileAtomically(path, token, mode);
    else write(token);
    this.#written = token;
  }

  /** Takes note of a failure: the pause before the next attempt grows. */
  #fail({ code }: AppError): void {
    // Ctrl-C was for another program; what had been begun was finished.
    if (code !== "INTERRUPTED") this.#failures += 1;
    const { random } = this.#options.store.host;
    const pause = Math.min(LONGEST_PAUSE, 1_000 * 2 ** Math.max(0, this.#failures - 1));
    this.#pause = pause * (0.75 + random() / 2);
  }
}

/** True for an error that no waiting mends. */
function endsSession({ code, exitCode }: AppError): boolean {
  return (exitCode === 4 && code !== "KEYRING_LOCKED") || code === "USAGE";
}

function noOther({ session: { name }, expires }: FreshToken): string {
  return `No further token comes for the session "${name}": this one ends on ${
    new Date(expires).toISOString()
  }.`;
}

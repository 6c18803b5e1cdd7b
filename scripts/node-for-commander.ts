/**
 * What commander takes of Node, in a few lines. Its own imports would load the runtime's whole `node:` layer, which takes
 * longer than all else of a command's start.
 *
 * What it needs only to run other programs as its commands, which none here are, does nothing.
 */

type Listener = (...args: readonly unknown[]) => void;

/** As far as commander uses it. */
export class EventEmitter {
  readonly #listeners = new Map<string, Listener[]>();

  on(name: string, listener: Listener): this {
    this.#listeners.set(name, [...this.#listeners.get(name) ?? [], listener]);
    return this;
  }

  emit(name: string, ...args: readonly unknown[]): boolean {
    const listeners = this.#listeners.get(name) ?? [];
    for (const listener of listeners) listener.apply(this, args as unknown[]);
    return listeners.length > 0;
  }

  listenerCount(name: string): number {
    return this.#listeners.get(name)?.length ?? 0;
  }
}

/** A text without escapes for colours. */
export function stripVTControlCharacters(text: string): string {
  // deno-lint-ignore no-control-regex -- these are taken out
  return text.replace(/\u001b\[[\d;]*m/g, "");
}

// The output and the exit are handed in, so that commander writes to no stream itself.
const stream = { isTTY: false, write: () => true };

/** `process`, `path`, `fs` and `child_process` in one. */
export default {
  argv: [],
  execArgv: [],
  env: {},
  versions: {},
  platform: Deno.build.os,
  stdout: stream,
  stderr: stream,
  exit: Deno.exit,
  existsSync: () => false,
  basename: (path: string) => path.replace(/^.*[\\/]/, ""),
  extname: () => "",
};

/** The flags of other programs, as kubeconfigs hold them in `args`: read as Go's pflag reads them. */

/** How a program's flags are written. */
export interface FlagStyle {
  /** Flags without a value. */
  readonly switches: ReadonlySet<string>;
  /** One letter for a flag. */
  readonly short?: Readonly<Record<string, string>> | undefined;
}

/** The values of the flags, by name, in their order. */
export class OtherFlags {
  readonly #values = new Map<string, string[]>();

  constructor(args: readonly string[], { switches, short = {} }: FlagStyle) {
    for (let at = 0; at < args.length; at += 1) {
      const match = /^(--|-)([A-Za-z][\w-]*)(?:=([^]*))?$/.exec(args[at] ?? "");
      if (match === null) continue;
      const [, dashes, word = "", given] = match;
      const name = dashes === "--" ? word : short[word.slice(0, 1)] ?? word.slice(0, 1);
      const joined = dashes === "-" && word.length > 1 ? word.slice(1) : undefined;
      const value = given ?? joined ?? (switches.has(name) ? "true" : args[at += 1] ?? "");
      this.#values.set(name, [...this.#values.get(name) ?? [], value]);
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The last value that is not empty. */
  last(name: string): string | undefined {
    return this.all(name).findLast((value) => value !== "");
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  isOn(name: string): boolean {
    return /^(?:1|t|true)$/i.test(this.all(name).at(-1) ?? "");
  }

  /** All values of a flag that takes several, separated by commas; quotes keep a comma in one. */
  list(name: string): readonly string[] {
    return this.all(name).flatMap(separated).filter((value) => value !== "");
  }
}

/** The fields of one line of CSV (RFC 4180). */
function separated(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain = ""]) =>
    quoted?.replaceAll('""', '"') ?? plain
  );
}

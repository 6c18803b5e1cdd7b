/** Flags of resource commands, written as kubectl takes them. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import type { DryRun } from "../../kube/write/object-ref.ts";
import { printable } from "../../text.ts";
import { markBare, valueOption } from "../complete/declare.ts";

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((word) => [word, false] as const),
]);

/**
 * Lets every boolean flag of a command be given a value, too: `--wait=false`, `-A=true`. A flag without a `--no-` form of
 * its own is left out when it is false. The value of a short flag may follow an equals sign: `-o=json`.
 */
export function takeBooleanValues(command: CommandUnknownOpts): void {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) => {
    const end = args.indexOf("--");
    const [before, after] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end)];
    return parse([...before.flatMap((arg) => plainFlag(command, arg)), ...after]);
  };
}

/** The flag and its value apart, or a boolean flag without its value; nothing where it is false by itself. */
function plainFlag(command: CommandUnknownOpts, arg: string): string[] {
  const [, flag, value = ""] = /^(--?[A-Za-z][\w-]*)=(.*)$/s.exec(arg) ?? [];
  const option = command.options.find(({ short, long }) =>
    flag !== undefined && [short, long].includes(flag)
  );
  if (flag !== undefined && option?.required && flag === option.short && value !== "") return [flag, value];
  if (flag === undefined || option === undefined || option.required || option.optional) return [arg];
  const meant = BOOLEANS.get(value);
  if (meant === undefined) {
    throw new AppError("USAGE", `${flag} takes true or false, not "${printable(value, 60)}".`);
  }
  const isOpposite = option.negate;
  if (meant) return [flag];
  const other = isOpposite ? flag.replace("--no-", "--") : `--no-${option.name()}`;
  return command.options.some(({ long }) => long === other) ? [other] : [];
}

/** Adds what a flag that may be repeated is given, in one list with commas, to what it was given before. */
export function listed(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...before ?? [], ...text.split(",").filter((part) => part !== "")];
}

/** Lets flags that take a value stand without one, as kubectl has it: the next argument is no value of theirs. */
export function takeBareFlags(command: CommandUnknownOpts, values: Readonly<Record<string, string>>): void {
  for (const flag of Object.keys(values)) markBare(command.options.find(({ long }) => long === flag));
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) => {
    const end = args.indexOf("--");
    return parse(args.map((arg, at) => {
      const value = end >= 0 && at > end ? undefined : values[arg];
      return value === undefined ? arg : `${arg}=${value}`;
    }));
  };
}

/** Adds `--dry-run` to a command. */
export function addDryRunFlag(command: CommandUnknownOpts): void {
  command.addOption(
    valueOption(
      ["none", "client", "server"],
      "--dry-run <mode>",
      "none, client or server: print what would be done, and do not do it",
    ),
  );
  takeBareFlags(command, { "--dry-run": "client" });
}

/** What `--dry-run` says. @throws {AppError} `USAGE`. */
export function dryRunOf(text: string | undefined): DryRun {
  if (text === undefined || text === "none" || text === "client" || text === "server") return text ?? "none";
  const isOn = BOOLEANS.get(text);
  if (isOn !== undefined) return isOn ? "client" : "none";
  throw new AppError("USAGE", `--dry-run takes none, client or server, not "${printable(text, 60)}".`);
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** The milliseconds of a duration as kubectl takes it: `30s`, `1.5h`, `1m30s`, `0`, `-1s`. @throws {AppError} `USAGE`. */
export function durationOf(text: string, flag: string): number {
  const [, sign, parts = ""] = /^([+-]?)(0|(?:(?:\d+\.?\d*|\.\d+)(?:[nuµμm]?s|[mh]))+)$/.exec(text) ?? [];
  if (sign === undefined) throw new AppError("USAGE", `${flag} takes a duration such as 30s, 5m or 1h30m.`);
  let sum = 0;
  for (const [, count = "", unit = ""] of parts.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    sum += Number(count) * (UNITS[unit] ?? 0);
  }
  return sign === "-" ? -sum : sum;
}

/** Says beside each flag and argument of a command what completes it. */

import { Argument, Option } from "@commander-js/extra-typings";
import type { Kind } from "./kinds.ts";

/** What the placeholder of a value says by itself: `--timeout <duration>`. Any other value's kind is declared. */
const OF_PLACEHOLDER: Readonly<Record<string, Kind>> = {
  file: "file",
  folder: "folder",
  command: "program",
  boolean: ["true", "false"],
  objects: "objects",
  ...Object.fromEntries(
    [
      "audience",
      "count",
      "days",
      "duration",
      "fields",
      "handle",
      "host",
      "labels",
      "name=request",
      "name=value",
      "number",
      "patch",
      "port",
      "seconds",
      "template",
      "uri",
      "url",
    ].map((placeholder) => [placeholder, "nothing"] as const),
  ),
};

const declared = new WeakMap<object, Kind>();
const bare = new WeakSet<object>();

/** An option whose value is completed as its kind says. */
export function valueOption<Usage extends string>(
  kind: Kind,
  usage: Usage,
  description?: string,
): Option<Usage> {
  const option = new Option(usage, description);
  declared.set(option, kind);
  return option;
}

/** An argument that is completed as its kind says. */
export function valueArgument<Usage extends string>(
  kind: Kind,
  usage: Usage,
  description?: string,
): Argument<Usage> {
  const argument = new Argument(usage, description);
  declared.set(argument, kind);
  return argument;
}

/** `-o` with its formats, which its description lists. */
export function outputOption(formats: readonly string[]): Option<"-o, --output <format>"> {
  const text = formats.length < 2
    ? formats.join()
    : `${formats.slice(0, -1).join(", ")} or ${formats.at(-1)}`;
  return valueOption(formats, "-o, --output <format>", text);
}

/** Notes that an option's value stands behind an equals sign only: the next word is none. */
export function markBare(option: object | undefined): void {
  if (option !== undefined) bare.add(option);
}

/** True for an option of {@link markBare}. */
export function isBare(option: object): boolean {
  return bare.has(option);
}

/** What completes an option's value: its choices, what was declared, what its placeholder says; else undefined. */
export function kindOfOption(
  option: { readonly flags: string; readonly argChoices?: readonly string[] | undefined },
): Kind | undefined {
  const [, placeholder = ""] = /[<[](.*?)(?:\.\.\.)?[>\]]$/.exec(option.flags) ?? [];
  return option.argChoices ?? declared.get(option) ?? OF_PLACEHOLDER[placeholder];
}

/** {@link kindOfOption} of an argument. */
export function kindOfArgument(
  argument: { name(): string; readonly argChoices?: readonly string[] | undefined },
): Kind | undefined {
  return argument.argChoices ?? declared.get(argument) ?? OF_PLACEHOLDER[argument.name()];
}

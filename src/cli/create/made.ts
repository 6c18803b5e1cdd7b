/** `create namespace`, `configmap`, `secret generic`, `serviceaccount`: objects made from the command line. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import {
  bytesOf,
  configMapOf,
  envFileValues,
  isValueName,
  type NamedValue,
  secretOf,
} from "../../kube/write/generate.ts";
import type { JsonMembers } from "../../kube/lossless-json.ts";
import { kindOf, listFolder } from "../../system/files.ts";
import { readGivenBytes } from "../../system/given-file.ts";
import { printable } from "../../text.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { holdsOthers } from "../group.ts";
import { documentFlags } from "../resources/documents.ts";
import { listed } from "../resources/flags.ts";
import { createFlags, createMade } from "./write.ts";
import { valueArgument, valueOption } from "../complete/declare.ts";

const ALSO = "The flags of create, such as -n, -o and --dry-run, are taken, too: datumctl create --help";

/** `create namespace`. */
export function namespaceCommand(contextOf: ContextOf): CommandUnknownOpts {
  return madeCommand(contextOf, {
    words: ["namespace", "ns"],
    description: "Create a namespace",
    examples: ["datumctl create namespace shop"],
    make: (name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: {}, status: {} }),
  });
}

/** `create serviceaccount`. */
export function serviceAccountCommand(contextOf: ContextOf): CommandUnknownOpts {
  return madeCommand(contextOf, {
    words: ["serviceaccount", "sa"],
    description: "Create a service account",
    examples: ["datumctl create serviceaccount robot -n shop"],
    make: (name) => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name } }),
  });
}

/** `create configmap`. */
export function configMapCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = madeCommand(contextOf, {
    words: ["configmap", "cm"],
    description: "Create a ConfigMap from values, files or folders",
    examples: [
      "datumctl create configmap web --from-literal=color=blue --from-literal=size=3",
      "datumctl create configmap web --from-file=web.conf --from-file=logo=logo.png",
    ],
    make: async (name, cli, flags) => configMapOf(name, await valuesOf(cli, flags)),
  });
  addValueFlags(command);
  return command;
}

/** `create secret`, which holds `generic`. */
export function secretCommand(contextOf: ContextOf): CommandUnknownOpts {
  const generic = madeCommand(contextOf, {
    words: ["generic"],
    description: "Create a Secret from values, files or folders",
    examples: [
      "datumctl create secret generic login --from-file=password",
      "datumctl create secret generic login --from-env-file=login.env",
    ],
    more: "\n\nA value on the command line can be seen by other programs of this machine; a file cannot.",
    make: async (name, cli, flags) => secretOf(name, flags.type ?? "", await valuesOf(cli, flags)),
  });
  generic.addOption(valueOption("nothing", "--type <type>", "type of the Secret (default: Opaque)"));
  addValueFlags(generic);
  const secret: CommandUnknownOpts = new Command("secret")
    .description("Create a Secret")
    .addHelpText("after", "\nExamples:\n  datumctl create secret generic login --from-file=password")
    .addCommand(generic);
  return holdsOthers(secret);
}

/** A command that makes an object of a name. */
interface MadeObject {
  readonly words: readonly [name: string, alias?: string];
  readonly description: string;
  readonly examples: readonly string[];
  readonly more?: string | undefined;
  readonly make: (
    name: string,
    cli: CommandContext,
    flags: ValueFlags,
  ) => JsonMembers | Promise<JsonMembers>;
}

function madeCommand(
  contextOf: ContextOf,
  { words: [name, alias], description, examples, more = "", make }: MadeObject,
): CommandUnknownOpts {
  const command = new Command(name).description(description).addArgument(valueArgument("nothing", "<name>"));
  if (alias !== undefined) command.alias(alias);
  const lines = examples.map((line) => `\n  ${line}`).join("");
  command.addHelpText("after", `\nExamples:${lines}${more}\n\n${ALSO}`);
  command.action(async (named) => {
    const cli = contextOf(command);
    await createMade(cli, flagsOf(command), async () => await make(checked(named), cli, command.opts()));
  });
  return command;
}

/** The flags of `create` itself, which takes them wherever they stand. */
function flagsOf(command: CommandUnknownOpts): ReturnType<typeof createFlags> {
  const { parent } = command;
  if (parent !== null && parent.name() !== "create") return flagsOf(parent);
  const create = parent ?? command;
  const { filename, selector } = documentFlags(create);
  if (filename === undefined && selector === undefined) return createFlags(create);
  throw new AppError("USAGE", "-f and -l go with manifests, not with what is made from the command line.");
}

function checked(name: string): string {
  if (name !== "") return name;
  throw new AppError("USAGE", "The name is empty.");
}

/** Where values come from, and what they are for. */
interface ValueFlags {
  readonly type?: string | undefined;
  readonly fromLiteral?: readonly string[] | undefined;
  readonly fromFile?: readonly string[] | undefined;
  readonly fromEnvFile?: readonly string[] | undefined;
}

function addValueFlags(command: CommandUnknownOpts): void {
  command.addOption(
    command.createOption("--from-literal <name=value>", "a value with its name; repeatable")
      .argParser((text: string, before: readonly string[] | undefined) => [...before ?? [], text]),
  );
  command.addOption(
    valueOption(
      "file",
      "--from-file <[name=]path>",
      "a file as a value, named as the file unless a name is given; a folder: all its files; repeatable",
    ).argParser(listed),
  );
  command.addOption(
    valueOption("file", "--from-env-file <path>", "a file of lines NAME=VALUE; repeatable").argParser(
      listed,
    ),
  );
}

async function valuesOf(cli: CommandContext, flags: ValueFlags): Promise<NamedValue[]> {
  const { fromLiteral = [], fromFile = [], fromEnvFile = [] } = flags;
  if (fromEnvFile.length > 0) {
    if (fromLiteral.length + fromFile.length > 0) {
      throw new AppError("USAGE", "--from-env-file cannot be combined with --from-file or --from-literal.");
    }
    const files = await Promise.all(fromEnvFile.map(async (path) => {
      const text = new TextDecoder().decode(await readValue(path, "--from-env-file"));
      return envFileValues(text, path, cli.env);
    }));
    return files.flat();
  }
  const files = await Promise.all(fromFile.map(fileValues));
  return [...files.flat(), ...fromLiteral.map(literalValue)];
}

function literalValue(text: string): NamedValue {
  const equals = text.indexOf("=");
  if (equals > 0) return { name: text.slice(0, equals), value: bytesOf(text.slice(equals + 1)) };
  // It is not told what was given: it may be a secret.
  throw new AppError("USAGE", "--from-literal takes a name and a value: --from-literal=NAME=VALUE.");
}

async function fileValues(given: string): Promise<NamedValue[]> {
  const parts = given.split("=");
  const [first = "", path = first] = parts;
  if (parts.length > 2 || first === "" || path === "") {
    throw new AppError("USAGE", `--from-file takes a path, or NAME=PATH, not "${printable(given, 100)}".`);
  }
  if (await kindOf(path) !== "folder") {
    const name = parts.length === 2 ? first : path.replace(/^.*[\\/]/, "");
    return [{ name, value: await readValue(path, "--from-file") }];
  }
  if (parts.length === 2) {
    throw new AppError("USAGE", `"${printable(path)}" is a folder, whose files have names of their own.`, {
      hint: `Leave the name out: --from-file=${printable(path)}`,
    });
  }
  const found: NamedValue[] = [];
  for (const name of await listFolder(path)) {
    const inside = `${path.replace(/\/+$/, "")}/${name}`;
    if (await kindOf(inside) !== "file") continue;
    if (!isValueName(name)) {
      throw new AppError("USAGE", `The file name "${printable(name, 100)}" cannot name a value.`, {
        hint: `Name it yourself: --from-file=NAME=${printable(inside)}`,
      });
    }
    found.push({ name, value: await readValue(inside, "--from-file") });
  }
  return found;
}

async function readValue(path: string, flag: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readGivenBytes(path, flag, "Name a plain file.");
  if (bytes !== undefined) return bytes;
  throw new AppError("USAGE", `The path "${printable(path)}" of ${flag} does not exist.`);
}

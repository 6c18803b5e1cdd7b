/** `create`: creates objects from manifests, and holds the commands that make an object from the command line. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import type { ContextOf } from "../context.ts";
import { addDocumentFlags, documentFlags, readDocuments } from "../resources/documents.ts";
import { takeBooleanValues } from "../resources/flags.ts";
import { configMapCommand, namespaceCommand, secretCommand, serviceAccountCommand } from "./made.ts";
import { addCreateFlags, createFlags, createManifests } from "./write.ts";
import { valueArgument } from "../complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl create -f zone.yaml
  datumctl create namespace shop
  datumctl create configmap web --from-literal=color=blue
  datumctl create secret generic login --from-file=password -n shop

It fails for what is there already; apply changes that.`;

/** `create`. */
export function createCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command: CommandUnknownOpts = new Command("create")
    .description("Create objects from manifests or from the command line")
    .addArgument(valueArgument("nothing", "[words...]"))
    .usage("-f FILE | TYPE NAME [options]")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  command.addOption(command.createOption("--edit").hideHelp());
  addDocumentFlags(command, "create");
  addCreateFlags(command);
  takeBooleanValues(command);
  for (const make of [namespaceCommand, configMapCommand, secretCommand, serviceAccountCommand]) {
    command.addCommand(make(contextOf));
  }
  return command.action(async () => {
    if (command.args.length > 0) command.error("", { code: "commander.excessArguments" });
    if ((command.opts() as { readonly edit?: true }).edit) throw noEdit();
    const cli = contextOf(command);
    const flags = documentFlags(command);
    if (flags.filename === undefined && flags.kustomize === undefined) throw nothingNamed();
    await createManifests(cli, createFlags(command), async () => {
      const manifests = await readDocuments(cli, flags);
      if (manifests.length > 0) return manifests;
      throw new AppError("USAGE", "The selector chooses none of the objects.");
    });
  });
}

function noEdit(): AppError {
  return new AppError("USAGE", "create has no --edit.", {
    hint: "Change the file first, or the object afterwards: datumctl edit TYPE NAME",
  });
}

function nothingNamed(): AppError {
  return new AppError("USAGE", "create takes manifests, or the type of what is to be made.", {
    hint: "For example: datumctl create -f zone.yaml, datumctl create namespace shop",
  });
}

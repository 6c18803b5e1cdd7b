/** The flags that choose the objects of a command, and the objects that they choose. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type Choice,
  chooseObjects,
  type ChosenObject,
  type ChosenObjects,
  withServedKind,
} from "../../kube/write/chosen-objects.ts";
import type { AppError } from "../../errors.ts";
import { changeEach } from "../../kube/write/change-each.ts";
import type { CommandContext } from "../context.ts";
import { addFilenameFlags, type FilenameFlags, filenameFlags, readManifests } from "./manifests.ts";
import type { ResourcePlane } from "./plane.ts";
import { interruptedAfter } from "./failures.ts";
import { openProgress } from "./progress.ts";
import { inTurn } from "./results.ts";

/** What chooses the objects of a command. */
export interface ChoiceFlags extends FilenameFlags {
  readonly selector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly all?: boolean | undefined;
  readonly allNamespaces?: boolean | undefined;
}

/** Adds `-l`, `--field-selector`, `--all`, `-A`, `-f` and `-R` to a command. */
export function addChoiceFlags(command: CommandUnknownOpts, doing: string): void {
  command
    .option("-l, --selector <labels>", `${doing} the objects with these labels, such as app=web,tier!=db`)
    .option("--field-selector <fields>", `${doing} the objects with these fields, such as metadata.name=web`)
    .option("--all", `${doing} all objects of the type`)
    .option("-A, --all-namespaces", "with a selector or --all: in all namespaces");
  addFilenameFlags(command, doing);
}

/** The values of {@link addChoiceFlags}. */
export function choiceFlags(command: { opts(): unknown }): ChoiceFlags {
  const { selector, fieldSelector, all, allNamespaces } = command.opts() as ChoiceFlags;
  return { ...filenameFlags(command), selector, fieldSelector, all, allNamespaces };
}

/** Whether a selector, or `--all`, chooses the objects. */
export function selects({ selector, fieldSelector, all }: ChoiceFlags): boolean {
  return all === true || Boolean(selector) || Boolean(fieldSelector);
}

/** What a command's words and flags choose, with its manifests read. @throws {AppError} as {@link readManifests}. */
export async function readChoice(
  cli: CommandContext,
  plane: Pick<ResourcePlane, "namespace" | "onlyThatNamespace">,
  args: readonly string[],
  flags: ChoiceFlags,
): Promise<Choice> {
  return {
    args,
    manifests: flags.filename === undefined ? undefined : await readManifests(cli, flags),
    labelSelector: flags.selector,
    fieldSelector: flags.fieldSelector,
    all: flags.all,
    allNamespaces: flags.allNamespaces,
    namespace: plane.namespace,
    onlyThatNamespace: plane.onlyThatNamespace,
  };
}

/** The objects that a command's words and flags choose. @throws {AppError} as {@link chooseObjects}. */
export async function choose(
  cli: CommandContext,
  plane: ResourcePlane,
  args: readonly string[],
  flags: ChoiceFlags,
): Promise<ChosenObjects> {
  const chosen = await chooseObjects(plane, await readChoice(cli, plane, args, flags));
  for (const ambiguity of chosen.ambiguities) cli.out.info(ambiguity);
  return chosen;
}

/**
 * Changes each of the chosen objects, with a progress line where a person reads it.
 *
 * @param tell prints what became of an object, in the objects' order.
 * @returns what failed, with what could not be found.
 */
export async function changeChosen<Done>(
  cli: CommandContext,
  { kinds }: Pick<ResourcePlane, "kinds">,
  { objects, errors }: ChosenObjects,
  doing: string,
  change: (object: ChosenObject) => Promise<Done>,
  tell: (done: Done, object: ChosenObject) => void | Promise<void>,
): Promise<readonly AppError[]> {
  using progress = openProgress(cli, doing);
  const failed = [...errors];
  let at = 0;
  const told = inTurn();
  try {
    await changeEach(objects, (object) => withServedKind(kinds, object, change), {
      onProgress: progress.show,
      onResult(result) {
        const object = objects[at++];
        if (result.type === "failed") failed.push(result.error);
        else if (object !== undefined) {
          told.add(() => {
            progress.clear();
            return tell(result.done, object);
          });
        }
      },
    });
  } catch (thrown) {
    progress.clear();
    throw interruptedAfter(thrown, at, objects.length);
  }
  await told.end();
  return failed;
}

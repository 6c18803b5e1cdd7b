/** `edit`: opens objects in an editor, and saves what was changed. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError, failureOrThrow } from "../errors.ts";
import { compactJson } from "../kube/json-text.ts";
import type { JsonMembers } from "../kube/lossless-json.ts";
import { metadataOf } from "../kube/json-parts.ts";
import { changeEach } from "../kube/write/change-each.ts";
import { editDifference, type EditOptions, saveEdit } from "../kube/write/edit.ts";
import {
  editBody,
  type EditFormat,
  type EditReason,
  originalOf,
  withHeader,
  withoutComments,
} from "../kube/write/edit-text.ts";
import { managerOf } from "../kube/write/managed-fields.ts";
import { objectLabel, type ObjectRef } from "../kube/write/object-ref.ts";
import { readExisting } from "../kube/write/read.ts";
import { fullNameOf } from "../kube/resource-names.ts";
import { withoutManagedFields } from "../kube/read/list-items.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { type EditedFile, makeEditedFile } from "../system/edited-file.ts";
import { editorOf, openInEditor } from "../system/editor.ts";
import { onWindows } from "../system/environment.ts";
import { printable } from "../text.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { choose } from "./resources/choose.ts";
import { addValidateFlag, validationOf } from "./resources/documents.ts";
import { endWithFailures } from "./resources/failures.ts";
import { takeBooleanValues } from "./resources/flags.ts";
import { addFilenameFlags, type FilenameFlags, filenameFlags } from "./resources/manifests.ts";
import { openResources, type ResourcePlane } from "./resources/plane.ts";
import {
  openResults,
  type ResultFlags,
  resultFlags,
  type Results,
  tellWarnings,
} from "./resources/results.ts";
import { sayWhere } from "./resources/where.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import { valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl edit dnszone example-com
  datumctl edit configmap/a configmap/b
  KUBE_EDITOR='code --wait' datumctl edit dnszone/example-com -o json
  datumctl edit -f zone.yaml

The editor is that of KUBE_EDITOR, VISUAL or EDITOR, else the system's. What the server does not take is
opened again with the reasons on top; what cannot be saved stays in a file whose name is told.`;

/** `edit`. */
export function editCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("edit")
    .description("Open objects in an editor, and save what you change")
    .argument("[objects...]", "TYPE NAME…, TYPE/NAME…, or TYPE for all of it")
    .addOption(
      valueOption(
        ["json", "yaml"],
        "-o, --output <format>",
        "json or yaml: edit it, and print it afterwards, in this form",
      ),
    )
    .option("--show-managed-fields", "with -o: print metadata.managedFields, too")
    .option("--output-patch", "print what was changed, too, as a patch")
    .addOption(
      valueOption(
        ["status", "scale"],
        "--subresource <name>",
        "edit this sub-resource of the object, such as status",
      ),
    )
    .addOption(
      valueOption(
        "nothing",
        "--field-manager <name>",
        `as whom the fields are written (default: ${managerOf("edit")})`,
      ),
    )
    .addHelpText("after", EXAMPLES);
  addFilenameFlags(command, "edit");
  addValidateFlag(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((args, flags) =>
    runEdit(contextOf(command), {
      ...flags,
      ...filenameFlags(command),
      ...resultFlags(command),
      ...scopeFlags(command),
      args,
    })
  );
  return command;
}

/** The words and flags of `edit`, as they were typed. */
export interface EditInput extends FilenameFlags, ResultFlags, ScopeFlags {
  readonly args: readonly string[];
  readonly outputPatch?: boolean | undefined;
  readonly subresource?: string | undefined;
  readonly fieldManager?: string | undefined;
  readonly validate?: string | undefined;
}

/** Opens the objects that the input names in one text, and saves what the person changed. */
export async function runEdit(cli: CommandContext, input: EditInput): Promise<void> {
  if (input.output && input.output !== "json" && input.output !== "yaml") {
    throw new AppError("USAGE", `-o takes json or yaml, not "${printable(input.output, 60)}".`);
  }
  const options: EditOptions = {
    fieldManager: input.fieldManager || managerOf("edit"),
    validation: validationOf(input.validate),
    subresource: input.subresource || undefined,
  };
  const results = await openResults(cli, input);
  using plane = await openResources(cli, input);
  const originals = await readOriginals(cli, plane, input);
  sayWhere(cli, plane);
  const format = input.output === "json" ? "json" : "yaml";
  const edit = new Edit(
    { cli, plane, results, options, format, showsPatch: input.outputPatch ?? false },
    originals,
  );
  await edit.run();
}

/** An object as the person is shown it. */
interface Original {
  readonly ref: ObjectRef;
  readonly object: JsonMembers;
}

/** @throws {AppError} what the first object that cannot be read throws; nothing is opened then. */
async function readOriginals(
  cli: CommandContext,
  plane: ResourcePlane,
  input: EditInput,
): Promise<Original[]> {
  // A type by itself means all of it, as for kubectl.
  const all = input.args.length === 1 && !input.args[0]?.includes("/");
  const { objects, errors } = await choose(cli, plane, input.args, { ...input, all });
  const read = await changeEach(
    objects,
    async ({ ref }) => withoutManagedFields(await readExisting(plane.client, ref, input.subresource)),
  );
  const failed = read.flatMap((one) => one.type === "failed" ? [one.error] : []);
  endWithFailures(cli, [...errors, ...failed]);
  const found = read.flatMap((one) => one.type === "done" ? [{ ref: one.ref, object: one.done }] : []);
  if (found.length > 0) return found;
  throw new AppError("NOT_FOUND", "There is nothing to edit: no object was found.");
}

interface EditContext {
  readonly cli: CommandContext;
  readonly plane: ResourcePlane;
  readonly results: Results;
  readonly options: EditOptions;
  readonly format: EditFormat;
  readonly showsPatch: boolean;
}

/** What became of a round: saved, or why the text is opened again, or what ends the edit with the text kept. */
interface Saved {
  readonly reasons: readonly EditReason[];
  readonly errors: readonly AppError[];
}

/** One edit: the editor is opened until the server takes the text, or the person gives up. */
class Edit {
  readonly #context: EditContext;
  readonly #originals: Original[];

  constructor(context: EditContext, originals: readonly Original[]) {
    this.#context = context;
    this.#originals = [...originals];
  }

  async run(): Promise<void> {
    const { cli, format } = this.#context;
    const [first] = this.#originals;
    const body = editBody(this.#originals.map(({ object }) => object), format);
    const name = fileName(this.#originals.length === 1 && first !== undefined ? first.object : undefined);
    const shown = withHeader(body, [], format);
    const file = await makeEditedFile(`${name}.${format}`, shown, cli.env("TMPDIR"));
    let errors: readonly AppError[];
    try {
      errors = await this.#rounds(file, body);
    } catch (thrown) {
      errors = [thrown instanceof AppError ? thrown : failureOrThrow(thrown)];
    }
    const [last] = errors.slice(-1);
    if (last === undefined) return await file.remove();
    endWithFailures(cli, [...errors.slice(0, -1), await this.#kept(last, file, shown)]);
  }

  /** @returns what ends the edit with the text kept; none when it ends well. */
  async #rounds(file: EditedFile, body: string): Promise<readonly AppError[]> {
    const { cli, format } = this.#context;
    const before = withoutComments(body);
    let refused: string | undefined;
    for (;;) {
      await openInEditor(editorOf(cli.env, onWindows), file.path, onWindows, cli);
      const text = withoutComments(await file.read());
      if (text === refused) {
        return [new AppError("INVALID", "Edit cancelled, no valid changes were saved.")];
      }
      if (text.trim() === "") {
        cli.out.important("Edit cancelled, saved file was empty.");
        return [];
      }
      if (await this.#isSame(before, text)) {
        cli.out.important("Edit cancelled, no changes made.");
        return [];
      }
      const { reasons, errors } = await this.#save(text);
      if (errors.length > 0) return errors;
      if (reasons.length === 0) return [];
      refused = text;
      await file.write(withHeader(text, reasons, format));
    }
  }

  /** Whether two texts mean the same objects; a text that means nothing is another one. */
  async #isSame(before: string, text: string): Promise<boolean> {
    if (text === before) return true;
    try {
      return compactJson(await objectsIn(before)) === compactJson(await objectsIn(text));
    } catch (thrown) {
      failureOrThrow(thrown);
      return false;
    }
  }

  async #save(text: string): Promise<Saved> {
    let edited: readonly JsonMembers[];
    try {
      edited = await objectsIn(text);
    } catch (thrown) {
      const { message } = failureOrThrow(thrown);
      this.#context.cli.out.important(`error: ${message}`);
      return {
        reasons: [{ head: `The edited file had a syntax error: ${message}`, causes: [] }],
        errors: [],
      };
    }
    const reasons: EditReason[] = [];
    const errors: AppError[] = [];
    for (const object of edited) {
      try {
        const reason = await this.#saveOne(object);
        if (reason !== undefined) reasons.push(reason);
      } catch (thrown) {
        errors.push(failureOrThrow(thrown));
      }
    }
    return { reasons, errors };
  }

  /** @returns why the server did not take it. */
  async #saveOne(object: JsonMembers): Promise<EditReason | undefined> {
    const { cli, plane: { client }, options, results, showsPatch } = this.#context;
    const original = originalOf(object, this.#originals);
    if (original === undefined) {
      throw new AppError("INVALID", `${objectLabel(object)} is none of the objects that were opened.`, {
        hint: "Leave metadata.uid as it is; for another object there is create.",
      });
    }
    const { ref } = original;
    const saved = await saveEdit(client, ref, original.object, object, options);
    if (saved.outcome === "refused") {
      const name = `${fullNameOf(ref.resource)} ${JSON.stringify(printable(ref.name, 253))}`;
      cli.out.important(`error: ${name} is invalid`);
      return { head: `${name} was not valid`, causes: saved.lines };
    }
    if (saved.outcome === "not changed") return void await results.print(original.object, "skipped");
    if (showsPatch) cli.out.line(`Patch: ${compactJson(editDifference(original.object, object))}`);
    tellWarnings(cli, saved.warnings);
    this.#remember(original, object, saved.object);
    await results.print(saved.object, "edited");
    return undefined;
  }

  /** What is saved already is no change when the text comes again because of another object in it. */
  #remember(original: Original, edited: JsonMembers, saved: JsonMembers): void {
    const { resourceVersion = null } = metadataOf(saved);
    const object = { ...edited, metadata: { ...metadataOf(edited), resourceVersion } };
    this.#originals[this.#originals.indexOf(original)] = { ref: original.ref, object };
  }

  /** The error with where the text is; a text that nobody changed is removed. */
  async #kept(error: AppError, file: EditedFile, shown: string): Promise<AppError> {
    const text = await file.read().catch(() => undefined);
    if (text !== undefined && (text === shown || text.trim() === "")) {
      await file.remove();
      return error;
    }
    const isSecret = this.#originals.some(({ object }) => object.kind === "Secret");
    const secret = isSecret ? " It holds a Secret: remove it when you no longer need it." : "";
    const { code, message, hint = "", retryable, cause } = error;
    return new AppError(code, message, {
      hint: `${hint} Your changes are in ${file.path}.${secret}`.trim(),
      retryable,
      cause,
    });
  }
}

/** @throws {AppError} `INVALID` for a text that is no YAML or JSON of objects. */
async function objectsIn(text: string): Promise<readonly JsonMembers[]> {
  const { readManifest } = await import("../kube/manifest.ts");
  return readManifest(text, "the edited file");
}

/** `configmap-a`, as a file may be called anywhere. */
function fileName(object: JsonMembers | undefined): string {
  if (object === undefined) return "objects";
  return objectLabel(object).replace(/[^\w.-]+/g, "-").slice(0, 100);
}

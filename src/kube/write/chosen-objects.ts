/** Which objects a command changes: those that are named, those of manifests, or all that a selector finds. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import { printable } from "../../text.ts";
import type { DiscoverySource } from "../discovery.ts";
import { readLabelSelector } from "../label-selector.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { asMembers, asText, metadataOf } from "../json-parts.ts";
import { listPages } from "../read/list-pages.ts";
import { listItems } from "../read/list-items.ts";
import { isUnserved } from "../resource-client.ts";
import { preferredResources } from "../resource-names.ts";
import type { ReadClient } from "../read/read-client.ts";
import { type ReadTarget, resolveTargets, targetPath } from "../read/targets.ts";
import { findKind, unknownKind } from "./kinds.ts";
import { objectLabel, type ObjectRef, refLabel } from "./object-ref.ts";
import { type Manifest, targetOf } from "./write-all.ts";

/** What chooses the objects. */
export interface Choice {
  /** `TYPE`, `TYPE,TYPE`, `TYPE NAME…` or `TYPE/NAME…`; none with manifests. */
  readonly args: readonly string[];
  readonly manifests?: readonly Manifest[] | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** All objects of the types. */
  readonly all?: boolean | undefined;
  readonly allNamespaces?: boolean | undefined;
  /** Of objects that name none. */
  readonly namespace: string;
  /** Whether manifests of another namespace fail. */
  readonly onlyThatNamespace: boolean;
}

/** An object to change. */
export interface ChosenObject {
  readonly ref: ObjectRef;
  /** Of the very object that was found; undefined where nobody has looked yet. */
  readonly uid?: string | undefined;
  /** The manifest that names it, with its namespace. */
  readonly document?: JsonMembers | undefined;
}

/** The objects, in order. */
export interface ChosenObjects {
  readonly objects: readonly ChosenObject[];
  /** Why other objects could not be found. */
  readonly errors: readonly AppError[];
  /** A sentence for each word that means more than one resource. */
  readonly ambiguities: readonly string[];
}

/** What choosing needs. */
export interface ChoiceContext {
  readonly client: ReadClient;
  readonly kinds: DiscoverySource;
}

/** Whether a selector, or `--all`, chooses the objects. */
export function isSelection({ all, labelSelector = "", fieldSelector = "" }: Choice): boolean {
  return all === true || labelSelector.trim() !== "" || fieldSelector.trim() !== "";
}

/**
 * Finds out which objects are meant. Those that are named need not be there.
 *
 * @throws {AppError} `USAGE` for a choice that says nothing or contradicts itself, `NOT_FOUND` for a type that is not
 * served, and what reading a discovery throws.
 */
export async function chooseObjects(context: ChoiceContext, choice: Choice): Promise<ChosenObjects> {
  checkChoice(choice);
  if (choice.manifests !== undefined) return await inManifests(context, choice, choice.manifests);
  const selects = isSelection(choice);
  const { targets, ambiguities } = await resolveTargets(context.kinds, choice.args, { ...choice, selects });
  if (selects) {
    const found = await selected(context, choice, targets);
    if (!context.kinds.fromCache || !found.errors.some(isUnserved)) return { ...found, ambiguities };
    // What was kept of the server's resources is old.
    await context.kinds.read({ fresh: true });
    return await chooseObjects(context, choice);
  }
  const objects = targets.map(({ resource, namespace = "", name }) => {
    if (name !== undefined) return { ref: { resource, namespace, name } };
    throw new AppError("USAGE", "A type is given, but no name of an object.", {
      hint: "Write TYPE NAME or TYPE/NAME.",
    });
  });
  return { objects, errors: [], ambiguities };
}

/** @throws {AppError} `USAGE`. */
function checkChoice(choice: Choice): void {
  const { args, manifests, all, labelSelector = "", fieldSelector = "" } = choice;
  const [type, ...names] = args;
  if (all && (labelSelector !== "" || fieldSelector !== "")) {
    throw new AppError("USAGE", "--all cannot be combined with a selector.", {
      hint: "A selector chooses some objects, --all chooses every one.",
    });
  }
  if (manifests !== undefined) {
    if (type !== undefined) {
      throw new AppError("USAGE", "Objects are either named or read with -f, not both.");
    }
    if (fieldSelector !== "") {
      throw new AppError("USAGE", "--field-selector cannot be combined with -f.", {
        hint: "Of what -f reads, -l selects some.",
      });
    }
    return;
  }
  if (type === undefined) {
    throw new AppError("USAGE", "No object is named.", {
      hint: "Write TYPE NAME or TYPE/NAME, or name manifests with -f.",
    });
  }
  if (isSelection(choice) && (names.length > 0 || type.includes("/"))) {
    throw new AppError("USAGE", "Objects are either named or selected, not both.", {
      hint: "Leave out the names, or the selector.",
    });
  }
}

/** The objects of manifests; `-l` leaves out those with other labels. */
async function inManifests(
  { client, kinds }: ChoiceContext,
  choice: Choice,
  manifests: readonly Manifest[],
): Promise<ChosenObjects> {
  const isSelected = readLabelSelector(choice.labelSelector ?? "");
  const objects: ChosenObject[] = [];
  const errors: AppError[] = [];
  for (const { document } of manifests) {
    if (!isSelected(asMembers(metadataOf(document).labels))) continue;
    try {
      const [apiVersion, kind] = [asText(document.apiVersion), asText(document.kind)];
      const resource = await findKind(kinds, apiVersion, kind);
      if (resource === undefined) throw await unknownKind(kinds, client, apiVersion, kind);
      const target = targetOf(resource, document, choice);
      if (target.ref.name === "") throw nameless(document);
      objects.push(target);
    } catch (thrown) {
      errors.push(failureOrThrow(thrown));
    }
  }
  return { objects, errors, ambiguities: [] };
}

function nameless(document: JsonMembers): AppError {
  return new AppError("INVALID", `${objectLabel(document)} has no name to find it by.`, {
    hint: "Give it the metadata.name of the object that is meant.",
  });
}

/** Names and uids are all that is asked for. */
const NAMES = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

/** How many objects are asked for at once. */
const CHUNK = 500;

/** What selectors find, in the order of the types. */
async function selected(
  { client }: ChoiceContext,
  { labelSelector, fieldSelector }: Choice,
  targets: readonly ReadTarget[],
): Promise<Omit<ChosenObjects, "ambiguities">> {
  const errors: AppError[] = [];
  const found = await mapConcurrent(targets, async (target) => {
    const objects = new Map<string, ChosenObject>();
    const query = { labelSelector, fieldSelector };
    try {
      const list = { path: targetPath(target), accept: NAMES, query, chunkSize: CHUNK };
      for await (const page of listPages(client, list)) {
        for (const item of listItems(page, client.what)) {
          const { name, namespace, uid } = metadataOf(item);
          const ref = { resource: target.resource, namespace: asText(namespace), name: asText(name) };
          objects.set(`${ref.namespace} ${ref.name}`, { ref, uid: asText(uid) });
        }
      }
    } catch (thrown) {
      errors.push(failureOrThrow(thrown));
    }
    return [...objects.values()];
  });
  return { objects: found.flat(), errors };
}

/**
 * Does something to an object; where its kind is no longer served as an earlier command learned it, once more as it is
 * served now.
 */
export async function withServedKind<Done>(
  kinds: DiscoverySource,
  object: ChosenObject,
  change: (object: ChosenObject) => Promise<Done>,
): Promise<Done> {
  try {
    return await change(object);
  } catch (thrown) {
    if (!(thrown instanceof AppError && isUnserved(thrown))) throw thrown;
    const { resource } = object.ref;
    const fresh = preferredResources(await kinds.read({ fresh: true }))
      .find(({ group, kind }) => group === resource.group && kind === resource.kind);
    if (fresh === undefined || fresh.version === resource.version && fresh.plural === resource.plural) {
      throw thrown;
    }
    return await change({ ...object, ref: { ...object.ref, resource: fresh } });
  }
}

/** `configmap/a in namespace default`, for a person who is asked. */
export function describeRef(ref: ObjectRef): string {
  return ref.resource.namespaced
    ? `${refLabel(ref)} in namespace ${printable(ref.namespace, 100)}`
    : refLabel(ref);
}

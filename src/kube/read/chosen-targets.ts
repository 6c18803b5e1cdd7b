/** What is read: what arguments mean, or the objects that manifests name, as the server has them. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { asText } from "../json-parts.ts";
import { findKind, unknownKind } from "../write/kinds.ts";
import { objectLabel } from "../write/object-ref.ts";
import { type Manifest, targetOf } from "../write/write-all.ts";
import type { ReadContext } from "./show.ts";
import { type ReadScope, type ReadTarget, type ReadTargets, resolveTargets } from "./targets.ts";

/** Manifests that are read from the server. */
export interface ReadManifests {
  readonly manifests: readonly Manifest[];
  /** Whether they are of one file, whose only object is printed without a list around it. */
  readonly isOneFile: boolean;
  /** Whether objects of another namespace fail. */
  readonly onlyThatNamespace: boolean;
}

/** What chooses what is read. */
export interface ReadChoice {
  readonly namespace: string;
  readonly allNamespaces?: boolean | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Read instead of what arguments mean. */
  readonly manifests?: ReadManifests | undefined;
}

/** What is to be read, and why something else cannot be. */
export interface ChosenTargets extends ReadTargets {
  readonly errors: readonly AppError[];
}

/** What is to be read. @throws {AppError} as {@link resolveTargets}. */
export async function chosenTargets(
  context: Pick<ReadContext, "client" | "kinds">,
  args: readonly string[],
  { manifests, ...choice }: ReadChoice,
): Promise<ChosenTargets> {
  if (manifests !== undefined) return await manifestTargets(context, manifests, choice);
  const selects = (choice.labelSelector ?? "") !== "" || (choice.fieldSelector ?? "") !== "";
  return { ...await resolveTargets(context.kinds, args, { ...choice, selects }), errors: [] };
}

async function manifestTargets(
  { client, kinds }: Pick<ReadContext, "client" | "kinds">,
  { manifests, isOneFile, onlyThatNamespace }: ReadManifests,
  { namespace, allNamespaces = false }: ReadScope,
): Promise<ChosenTargets> {
  const scope = { namespace: allNamespaces ? "" : namespace, onlyThatNamespace };
  const targets: ReadTarget[] = [];
  const errors: AppError[] = [];
  for (const { document } of manifests) {
    try {
      const [apiVersion, kind] = [asText(document.apiVersion), asText(document.kind)];
      const resource = await findKind(kinds, apiVersion, kind);
      if (resource === undefined) throw await unknownKind(kinds, client, apiVersion, kind);
      const { ref } = targetOf(resource, document, scope);
      const wanted = ref.name === ""
        ? "name"
        : resource.namespaced && ref.namespace === ""
        ? "namespace"
        : "";
      if (wanted !== "") {
        throw new AppError("INVALID", `${objectLabel(document)} has no ${wanted} to find it by.`, {
          hint: wanted === "name"
            ? "Give it the metadata.name of the object that is meant."
            : "Leave out -A, or give it the metadata.namespace of the object that is meant.",
        });
      }
      targets.push({
        resource,
        namespace: resource.namespaced ? ref.namespace : undefined,
        name: ref.name,
      });
    } catch (thrown) {
      errors.push(failureOrThrow(thrown));
    }
  }
  return { targets, isSingle: isOneFile, ambiguities: [], errors };
}

/** The objects that manifests name, as targets of a read. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { asText } from "../json-parts.ts";
import { findKind, unknownKind } from "../write/kinds.ts";
import { objectLabel } from "../write/object-ref.ts";
import { targetOf } from "../write/write-all.ts";
import type { ReadContext } from "./show.ts";
import type { ChosenTargets, ReadManifests, ReadScope, ReadTarget } from "./targets.ts";

/** Where the objects of manifests are read, and why some cannot be. */
export async function manifestTargets(
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

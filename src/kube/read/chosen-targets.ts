/** What is read: what arguments mean, or the objects that manifests name, as the server has them. */

import type { ReadContext } from "./show.ts";
import { type ChosenTargets, type ReadManifests, resolveTargets } from "./targets.ts";

/** What chooses what is read. */
export interface ReadChoice {
  readonly namespace: string;
  readonly allNamespaces?: boolean | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Read instead of what arguments mean. */
  readonly manifests?: ReadManifests | undefined;
}

/** What is to be read. @throws {AppError} as {@link resolveTargets}. */
export async function chosenTargets(
  context: Pick<ReadContext, "client" | "kinds">,
  args: readonly string[],
  { manifests, ...choice }: ReadChoice,
): Promise<ChosenTargets> {
  if (manifests !== undefined) {
    const { manifestTargets } = await import("./manifest-targets.ts");
    return await manifestTargets(context, manifests, choice);
  }
  const selects = (choice.labelSelector ?? "") !== "" || (choice.fieldSelector ?? "") !== "";
  return { ...await resolveTargets(context.kinds, args, { ...choice, selects }), errors: [] };
}

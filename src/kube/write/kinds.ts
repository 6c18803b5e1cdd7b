/** The resource of an object's kind: served already, or defined by the same input and served in a moment. */

import { AppError } from "../../errors.ts";
import { pathSegment } from "../../http/address.ts";
import { printable } from "../../text.ts";
import { type ApiResource, type DiscoverySource, groupVersionOf, readResource } from "../discovery.ts";
import { isMembers, type JsonMembers } from "../lossless-json.ts";
import { ask, errorOf, isGood, type ResourceClient } from "../resource-client.ts";
import { asItems, asMembers, asText } from "../json-parts.ts";
import { splitApiVersion } from "./object-ref.ts";

/** What is known of a server's kinds. */
export type KnownKinds = Pick<DiscoverySource, "read" | "fromCache">;

/** The resource of a kind; what was kept from an earlier command is read again when it knows no such kind. */
export async function findKind(
  known: KnownKinds,
  apiVersion: string,
  kind: string,
): Promise<ApiResource | undefined> {
  const find = async (fresh: boolean) => {
    const { resources } = await known.read({ fresh });
    return resources.find((one) =>
      one.kind === kind && groupVersionOf(one.group, one.version) === apiVersion
    );
  };
  const found = await find(false);
  return found === undefined && known.fromCache ? await find(true) : found;
}

/** `NOT_FOUND` for a kind that is not served, with the parts that the server could not report. */
export async function unknownKind(
  known: KnownKinds,
  client: ResourceClient,
  apiVersion: string,
  kind: string,
): Promise<AppError> {
  const { missing } = await known.read();
  const parts = missing.map(({ part }) => printable(part, 100)).join(", ");
  const unreported = parts === "" ? "" : ` It did not report ${parts}.`;
  return new AppError(
    "NOT_FOUND",
    `There is no kind ${printable(kind, 100)} in ${
      printable(apiVersion, 100)
    } in ${client.what}.${unreported}`,
    { hint: "Create the definition of the kind first, or correct the apiVersion and the kind." },
  );
}

/** The group version and kind of every resource that a CustomResourceDefinition defines, as {@link kindKey} has it. */
export function definedKinds(definition: JsonMembers): string[] {
  const { group, names, versions } = asMembers(definition.spec);
  return asItems(versions).filter(isMembers).filter(({ served }) => served !== false).map(({ name }) =>
    kindKey(groupVersionOf(asText(group), asText(name)), asText(asMembers(names).kind))
  );
}

/** A kind as one text. */
export function kindKey(apiVersion: string, kind: string): string {
  return `${apiVersion} ${kind}`;
}

/** The resource of a kind as the server itself lists it now; undefined while it does not. */
export async function servedKind(
  client: ResourceClient,
  apiVersion: string,
  kind: string,
): Promise<ApiResource | undefined> {
  const { group, version } = splitApiVersion(apiVersion);
  const path = group === ""
    ? `/api/${pathSegment(version)}`
    : `/apis/${pathSegment(group)}/${pathSegment(version)}`;
  const read = await ask(client, { method: "GET", path, repeatable: true });
  if (read.answer.status === 404) return undefined;
  if (!isGood(read)) throw errorOf(client, read);
  const rows = asItems(read.body?.resources).filter(isMembers);
  return rows.flatMap((row) => readResource(group, version, row)).find((one) => one.kind === kind);
}

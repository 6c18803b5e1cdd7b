/** What reading and watching share: what they need, and how objects are shown. */

import { AppError } from "../../errors.ts";
import { printableLines } from "../../text.ts";
import type { DiscoverySource } from "../discovery.ts";
import type { JsonMembers } from "../lossless-json.ts";
import type { Output } from "./output.ts";
import type { ReadClient } from "./read-client.ts";
import type { TableView } from "./table-lines.ts";
import type { ReadTarget } from "./targets.ts";

/** What reading needs. */
export interface ReadContext {
  readonly client: ReadClient;
  readonly kinds: DiscoverySource;
  /** Prints a text, whose first line may be the titles of columns; resolves when there is room for more. */
  readonly write: (text: string, isTitled?: boolean) => Promise<void>;
  /** True where the text goes to a terminal: it is made safe, and a list is shown while it comes. */
  readonly isTerminal: boolean;
  /** In milliseconds. */
  readonly now: () => number;
}

/** How objects are shown, whatever is read. */
export interface ShowOptions {
  readonly output: Output;
  readonly showLabels?: boolean | undefined;
  readonly labelColumns?: readonly string[] | undefined;
  readonly showKind?: boolean | undefined;
  readonly noHeaders?: boolean | undefined;
  readonly showManagedFields?: boolean | undefined;
}

/** An answer that should be an object. @throws {AppError} `NETWORK` where it does not name its kind. */
export function objectIn(page: JsonMembers, { client }: Pick<ReadContext, "client">): JsonMembers {
  if (typeof page.kind === "string" && page.kind !== "" && page.kind !== "Status") return page;
  throw new AppError("NETWORK", `Something that is no object was answered by ${client.what}.`, {
    hint: "A proxy or captive portal may have answered; else check the API host.",
  });
}

/** The view of a resource's tables. */
export function viewOf(
  { showLabels, labelColumns, showKind, noHeaders, output }: ShowOptions,
  { resource: { kind, group } }: ReadTarget,
  more: { readonly namespace: boolean; readonly isOneOfMany: boolean },
): TableView {
  return {
    wide: output.type === "table" && output.wide,
    namespace: more.namespace,
    kind: showKind || more.isOneOfMany
      ? `${kind.toLowerCase()}${group === "" ? "" : `.${group}`}`
      : undefined,
    labelColumns,
    labels: showLabels,
    noHeaders,
  };
}

/** A text as it is written: safe for a terminal, and as it is for a program. */
export function shownText({ isTerminal }: Pick<ReadContext, "isTerminal">, text: string): string {
  return isTerminal ? printableLines(text) : text;
}

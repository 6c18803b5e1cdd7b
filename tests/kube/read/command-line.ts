/** A command line of `get` as kubectl has it, run by our own engine. */

import { parseArgs } from "node:util";
import { AppError } from "../../../src/errors.ts";
import { get, type GetOptions, type GetResult } from "../../../src/kube/read/get.ts";
import type { ReadContext } from "../../../src/kube/read/show.ts";
import { readOutput } from "../../../src/kube/read/output.ts";
import type { ReadServer } from "./read-server.ts";

/** What came of a command line. */
export interface Ran {
  readonly stdout: string;
  readonly code: number;
  readonly errors: readonly AppError[];
  readonly emptyIn: GetResult["emptyIn"];
}

/** The flags of a command line, and its other arguments. */
export async function optionsOf(
  args: readonly string[],
): Promise<{ readonly words: string[]; readonly options: GetOptions }> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: "string", short: "o" },
      namespace: { type: "string", short: "n" },
      "all-namespaces": { type: "boolean", short: "A" },
      selector: { type: "string", short: "l" },
      "field-selector": { type: "string" },
      "chunk-size": { type: "string" },
      subresource: { type: "string" },
      "ignore-not-found": { type: "boolean" },
      "sort-by": { type: "string" },
      "show-labels": { type: "boolean" },
      "label-columns": { type: "string", short: "L", multiple: true },
      "show-kind": { type: "boolean" },
      "no-headers": { type: "boolean" },
      "show-managed-fields": { type: "boolean" },
    },
  });
  const chunk = values["chunk-size"];
  return {
    words: positionals,
    options: {
      output: await readOutput(values.output, (path) => Deno.readTextFile(path)),
      namespace: values.namespace ?? "default",
      allNamespaces: values["all-namespaces"],
      labelSelector: values.selector,
      fieldSelector: values["field-selector"],
      chunkSize: chunk === undefined ? undefined : Number(chunk),
      subresource: values.subresource,
      ignoreNotFound: values["ignore-not-found"],
      sortBy: values["sort-by"],
      showLabels: values["show-labels"],
      labelColumns: values["label-columns"]?.flatMap((one) => one.split(",")),
      showKind: values["show-kind"],
      noHeaders: values["no-headers"],
      showManagedFields: values["show-managed-fields"],
    },
  };
}

/** Runs `get`. */
export async function runGet(
  server: Pick<ReadServer, "client" | "kinds">,
  args: readonly string[],
  more: Partial<ReadContext & GetOptions> = {},
): Promise<Ran> {
  let stdout = "";
  const context: ReadContext = {
    client: server.client,
    kinds: server.kinds,
    isTerminal: false,
    now: Date.now,
    write: (text) => {
      stdout += text;
      return Promise.resolve();
    },
    ...more,
  };
  try {
    const { words, options } = await optionsOf(args);
    const { errors, emptyIn } = await get(context, words, { ...options, ...more });
    return { stdout, code: errors.length === 0 ? 0 : 1, errors, emptyIn };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return { stdout, code: 1, errors: [thrown], emptyIn: undefined };
  }
}

/** Says on a terminal where a command is about to write. */

import { printable } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import type { ResourcePlane } from "./plane.ts";

/** What of a control plane is named. */
export type NamedPlane = Pick<
  ResourcePlane,
  "what" | "host" | "actingAs" | "namespace" | "onlyThatNamespace"
>;

/** Where a command acts, for people: `the project "web" of api.datum.net, namespace default`. */
export function whereOf(
  { what, host, actingAs, namespace, onlyThatNamespace }: NamedPlane,
  { allNamespaces = false }: { readonly allNamespaces?: boolean | undefined } = {},
): string {
  const server = what.includes(host) ? what : `${what} of ${host}`;
  const who = actingAs === undefined ? "" : ` as ${actingAs}`;
  return `${server}${who}, ${
    allNamespaces
      ? "all namespaces"
      : `namespace ${namespace}${onlyThatNamespace ? "" : " unless another is named"}`
  }`;
}

/**
 * Names the control plane of a write in one line on stderr: `in the project "web" of api.datum.net, namespace default`. Says
 * nothing where no person reads it, nor with `--quiet`.
 */
export function sayWhere(
  { terminal, quiet, style }: Pick<CommandContext, "terminal" | "quiet" | "style">,
  plane: NamedPlane,
  options: { readonly allNamespaces?: boolean | undefined } = {},
): void {
  if (!terminal.errIsTerminal || quiet) return;
  terminal.writeErr(`${style.err.aside(printable(`in ${whereOf(plane, options)}`, Infinity))}\n`);
}

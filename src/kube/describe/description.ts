/** A description under way: lines at levels, with cells between tabs, laid out at the end as kubectl lays them out. */

import { AppError } from "../../errors.ts";
import { membersOf, textOf } from "../json-parts.ts";
import { sortedNames } from "../json-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { alignTabs, MOST_TEXT } from "../table-layout.ts";

const INDENT = "  ";

/** What `kubectl apply` wrote down is no annotation of a person. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** In bytes: a longer annotation gets lines of its own, and its lines are cut. */
const LONGEST_ANNOTATION = 140;

/** A description under way. */
export class Description {
  readonly #lines: string[] = [];
  #size = 0;

  /**
   * Adds a line: cells behind an indentation.
   *
   * @throws {AppError} `INVALID` when the description is too long by now.
   */
  line(level: number, ...cells: readonly string[]): void {
    const line = escaped(`${INDENT.repeat(level)}${cells.join("\t")}\n`);
    this.#size += line.length;
    if (this.#size > MOST_TEXT) throw new AppError("INVALID", "The object is too large to be described.");
    this.#lines.push(line);
  }

  /** Adds what most descriptions begin with: name, namespace, labels, annotations. */
  head(object: JsonMembers, without?: "namespace" | "labels"): void {
    const metadata = membersOf(object, "metadata");
    this.line(0, "Name:", textOf(metadata, "name"));
    if (without !== "namespace") this.line(0, "Namespace:", textOf(metadata, "namespace"));
    if (without === "labels") return;
    this.#labels(membersOf(metadata, "labels"));
    this.#annotations(membersOf(metadata, "annotations"));
  }

  #labels(labels: JsonMembers | undefined): void {
    const names = sortedNames(labels ?? {});
    if (names.length === 0) this.line(0, "Labels:", "<none>");
    names.forEach((name, index) =>
      this.line(0, index === 0 ? "Labels:" : "", `${name}=${textOf(labels, name)}`)
    );
  }

  /** Some annotations are one short line, of others the lines stand below their name. */
  #annotations(annotations: JsonMembers | undefined): void {
    const names = sortedNames(annotations ?? {}).filter((name) => name !== LAST_APPLIED);
    if (names.length === 0) this.line(0, "Annotations:", "<none>");
    names.forEach((name, index) => {
      const title = index === 0 ? "Annotations:" : "";
      const value = textOf(annotations, name).replace(/\n$/, "");
      if (!value.includes("\n") && bytesOf(name) + bytesOf(value) + 2 <= LONGEST_ANNOTATION) {
        return this.line(0, title, `${name}: ${value}`);
      }
      this.line(0, title, `${name}:`);
      for (const line of value.split("\n")) this.line(0, "", INDENT + cut(line, LONGEST_ANNOTATION - 2));
    });
  }

  /**
   * The text.
   *
   * @throws {AppError} `INVALID` when its columns make it too long.
   */
  text(): string {
    return alignTabs(this.#lines.join(""));
  }
}

/** A text as kubectl lets it go to a terminal: escapes and returns are to be seen. */
export function escaped(text: string): string {
  return text.replaceAll("\u001b", "^[").replaceAll("\r", "\\r");
}

const encoder = new TextEncoder();

function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/** A text of at most so many bytes, with points for what is missing. No character is cut through. */
function cut(text: string, most: number): string {
  const bytes = encoder.encode(text);
  if (bytes.length <= most) return text;
  return `${new TextDecoder().decode(bytes.subarray(0, most), { stream: true })}...`;
}

/** The report of `doctor`: a list for people, and one object for programs. */

import { printable, printableValue } from "../../text.ts";
import { VERSION } from "../../version.ts";
import type { Style } from "../output/style.ts";
import { type Area, type Finding, isTrouble, type Verdict } from "./finding.ts";

/** How a report looks. */
export interface Look {
  /** Columns of the terminal. */
  readonly columns: number;
  readonly style: Style;
  /** Shows what is well, too. */
  readonly all: boolean;
}

type VerdictLook = "good" | "command" | "careful" | "bad" | "aside";

/** A sign, a word and a look for each verdict: nothing is told by a look alone. */
const SIGNS: Readonly<
  Record<Verdict, { readonly sign: string; readonly word: string; readonly look: VerdictLook }>
> = {
  ok: { sign: "✓", word: "ok", look: "good" },
  note: { sign: "i", word: "note", look: "command" },
  warning: { sign: "!", word: "warn", look: "careful" },
  fault: { sign: "✗", word: "FAULT", look: "bad" },
  skipped: { sign: "-", word: "skip", look: "aside" },
};

/** The columns of a sign and its word. */
const SIGN_WIDTH = 9;

/** Texts are not broken into narrower columns. */
const NARROWEST = 30;

/** The report for people, ends of lines included. */
export function formatReport(areas: readonly Area[], look: Look): string {
  const width = Math.max(...areas.map(({ title }) => title.length)) + 2;
  const lines = areas.flatMap((area) => areaLines(area, look, width));
  return [...lines, "", ...ending(areas, look.style), ""].join("\n");
}

function areaLines({ title, findings }: Area, look: Look, width: number): string[] {
  const shown = shownOf(findings, look.all);
  return shown.flatMap((finding, at) => {
    const head = signed(finding.verdict, look.style) + (at === 0 ? title : "").padEnd(width);
    const indent = SIGN_WIDTH + width;
    const room = Math.max(NARROWEST, look.columns - indent);
    const pad = " ".repeat(indent);
    const [first = "", ...rest] = wrapped(foundText(finding), room);
    const meaning = finding.verdict === "ok" && !look.all ? [] : wrapped(finding.meaning ?? "", room);
    return [`${head}${first}`.trimEnd(), ...[...rest, ...meaning].map((line) => `${pad}${line}`)];
  });
}

/** All findings of an area, or those that a person has to know of; one line where everything is well. */
function shownOf(findings: readonly Finding[], all: boolean): readonly Finding[] {
  if (all) return findings;
  const telling = findings.filter((finding) => isTrouble(finding) || finding.verdict === "note");
  const fine = findings.filter(({ verdict }) => verdict === "ok");
  if (telling.some(isTrouble)) return telling;
  const [first] = fine.length === 0 ? findings : fine;
  if (first === undefined || (fine.length === 0 && telling.length > 0)) return telling;
  const others = fine.length - 1;
  const more = others > 0 ? `, and ${others} more ${others === 1 ? "check" : "checks"}` : "";
  return [
    { ...first, found: `${more === "" ? first.found : first.found.replace(/\.$/, "")}${more}` },
    ...telling,
  ];
}

function foundText({ about, found }: Finding): string {
  return printable(about === undefined ? found : `${about}: ${found}`, Infinity);
}

function signed(verdict: Verdict, style: Style): string {
  const { sign, word, look } = SIGNS[verdict];
  const text = `${sign} ${word}`;
  return style[look](text) + " ".repeat(SIGN_WIDTH - text.length);
}

/** What is to be typed, and how many troubles there are. */
function ending(areas: readonly Area[], style: Style): string[] {
  const findings = areas.flatMap(({ findings }) => findings);
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  const counts = [counted(count("fault"), "fault"), counted(count("warning"), "warning")].flat();
  if (counts.length === 0) return ["All is well."];
  const troubles = findings.filter(isTrouble);
  const lines = [...new Set(troubles.flatMap(({ line }) => line ?? []))];
  const edits = troubles.flatMap(({ edit, line }) => edit === undefined || line !== undefined ? [] : [edit]);
  const heading = lines.length + edits.length === 0 ? "" : " To mend that, in this order:";
  return [
    `${counts.join(", ")}.${heading}`,
    ...lines.map((line) => `  ${style.command(printable(line, Infinity))}`),
    ...edits.flatMap(({ file, lines }) => [
      `  In ${printable(file, Infinity)}:`,
      ...lines.map((line) => `    ${printableIndented(line)}`),
    ]),
  ];
}

/** A line of YAML keeps its place. */
function printableIndented(line: string): string {
  const [indent = ""] = /^ */.exec(line) ?? [];
  return indent + printable(line, Infinity);
}

function counted(count: number, word: string): string[] {
  return count === 0 ? [] : [`${count} ${word}${count === 1 ? "" : "s"}`];
}

/**
 * A text in lines of at most so many columns, broken at blanks. A word that is longer has a line of its own.
 */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text, Infinity).split(" ").filter((word) => word !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && longer.length > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === "" ? lines : [...lines, line];
}

/** The report for programs. Its members are stable: docs/doctor.md lists them. */
export function reportObject(areas: readonly Area[]): unknown {
  return printableValue({
    version: VERSION,
    ok: !areas.some(({ findings }) => findings.some(isTrouble)),
    checks: areas.flatMap(({ title, findings }) =>
      findings.map(({ check, verdict, about = null, found, meaning = null, line = null, edit = null }) => ({
        area: title,
        check,
        verdict,
        about,
        found,
        meaning,
        line,
        edit,
      }))
    ),
  });
}

/** The names of the checks that are in trouble, for `-o name`. */
export function troubledChecks(areas: readonly Area[]): string[] {
  const troubled = areas.flatMap(({ findings }) => findings.filter(isTrouble));
  return [...new Set(troubled.map(({ check }) => check))];
}

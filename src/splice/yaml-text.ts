/** Values as YAML that every version reads alike: scalars, block style, flow style. */

/** A mapping's data, as `Document.toJS()` gives it. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for a value that goes on the line of its key: a scalar, or an empty list or mapping. */
export function isInline(value: unknown): boolean {
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

// A string that both YAML 1.1 (kubectl's) and 1.2 read back from this text without quotes.
const PLAIN = /^(?:[A-Za-z_]|\.{0,2}\/|--?(?=[A-Za-z]))(?:[\w.\/@+=~-]|:(?=[\w.\/@+=~-]))*$/;
const WORDS_WITH_A_MEANING = /^(?:null|true|false|yes|no|on|off|y|n)$/i;

/** A scalar, quoted when it must be. */
export function scalarText(value: unknown): string {
  if (typeof value === "number") {
    if (Number.isNaN(value)) return ".nan";
    if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  }
  if (typeof value !== "string") return value === null || value === undefined ? "null" : String(value);
  return PLAIN.test(value) && !WORDS_WITH_A_MEANING.test(value) ? value : quoted(value);
}

function quoted(value: string): string {
  // JSON does not escape these; YAML parsers refuse or fold them.
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The text of a value for which {@link isInline} is true. */
export function inlineText(value: unknown): string {
  if (Array.isArray(value)) return "[]";
  return isRecord(value) ? "{}" : scalarText(value);
}

/** A scalar in the same quotes as the one it replaces. */
export function likeScalar(value: unknown, style: string | undefined): string {
  if (typeof value !== "string") return inlineText(value);
  if (style === "QUOTE_DOUBLE") return quoted(value);
  if (style === "QUOTE_SINGLE" && /^[\x20-\x7e]*$/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return scalarText(value);
}

/** A list or mapping in block style, each line indented. */
export function blockLines(value: unknown, indent: number): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => itemLines(item, indent, 2));
  const pad = " ".repeat(indent);
  return Object.entries(isRecord(value) ? value : {}).flatMap(([key, inner]) =>
    isInline(inner)
      ? [`${pad}${scalarText(key)}: ${inlineText(inner)}`]
      : [`${pad}${scalarText(key)}:`, ...blockLines(inner, Array.isArray(inner) ? indent : indent + 2)]
  );
}

/** An item of a block list; its text begins `gap` columns after the start of the dash. */
export function itemLines(value: unknown, dash: number, gap: number): string[] {
  const lead = `${" ".repeat(dash)}-${" ".repeat(gap - 1)}`;
  if (isInline(value)) return [lead + inlineText(value)];
  const lines = blockLines(value, dash + gap);
  return lines.map((line, index) => index === 0 ? lead + line.slice(dash + gap) : line);
}

/** A value in flow style, as JSON writes it; over several lines when an indent is given. */
export function flowText(value: unknown, indent: string | undefined, unit: string, eol: string): string {
  if (isInline(value)) return typeof value === "string" ? quoted(value) : inlineText(value);
  const inner = indent === undefined ? undefined : indent + unit;
  const parts = Array.isArray(value)
    ? value.map((item) => flowText(item, inner, unit, eol))
    : Object.entries(isRecord(value) ? value : {}).map(([key, item]) =>
      `${quoted(key)}: ${flowText(item, inner, unit, eol)}`
    );
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return inner === undefined
    ? `${open}${parts.join(", ")}${close}`
    : `${open}${eol}${parts.map((part) => inner + part).join(`,${eol}`)}${eol}${indent}${close}`;
}

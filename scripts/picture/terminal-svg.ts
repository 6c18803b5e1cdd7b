/** Draws what a terminal shows as an SVG: each column in its place, in the colours of a light theme and of a dark one. */

/** The theme of a picture; `auto` follows the viewer. */
export type Theme = "light" | "dark" | "auto";

/** Text of one look, in columns from the left. */
interface Run {
  readonly column: number;
  readonly text: string;
  readonly look: readonly string[];
}

/** The classes of the attributes and colours that are drawn, by their numbers of ECMA-48. */
const LOOKS: Readonly<Record<string, string>> = {
  "1": "bold",
  "2": "dim",
  "31": "red",
  "32": "green",
  "33": "yellow",
  "36": "cyan",
};

/** A terminal's colours as two of the usual themes have them. */
const THEMES = {
  light: {
    ground: "#ffffff",
    frame: "#d0d7de",
    text: "#1f2328",
    red: "#c4282d",
    green: "#1a7f37",
    yellow: "#9a6700",
    cyan: "#0b7285",
  },
  dark: {
    ground: "#101723",
    frame: "#2b3648",
    text: "#d6deeb",
    red: "#ff7b72",
    green: "#56d364",
    yellow: "#e3b341",
    cyan: "#76e3ea",
  },
} as const;

/** Of a column and a line, in pixels. */
const [WIDTH, HEIGHT] = [8.4, 20] as const;
const [LEFT, TOP, BOTTOM] = [20, 52, 18] as const;

/**
 * The runs of the lines of a text with escapes for colours, broken at that many columns.
 *
 * @throws for any other escape: the picture would show something else than the terminal does.
 */
export function readRuns(text: string, columns: number): readonly (readonly Run[])[] {
  const lines: Run[][] = [];
  for (const line of text.replaceAll("\r\n", "\n").trimEnd().split("\n")) {
    let runs: Run[] = [];
    let column = 0;
    let look: readonly string[] = [];
    // deno-lint-ignore no-control-regex -- escapes are what is read here
    for (const [part, codes] of line.matchAll(/\u001b\[([\d;]*)m|[^\u001b]+|\u001b/g)) {
      if (part === "\u001b") throw new Error(`An escape that is no colour: ${JSON.stringify(line)}`);
      if (codes !== undefined) look = looksAfter(look, codes);
      for (const character of codes === undefined ? part : "") {
        if (column === columns) {
          lines.push(runs);
          [runs, column] = [[], 0];
        }
        const last = runs.at(-1);
        if (last?.look === look) runs[runs.length - 1] = { ...last, text: last.text + character };
        else runs.push({ column, text: character, look });
        column += 1;
      }
    }
    lines.push(runs);
  }
  return lines;
}

function looksAfter(look: readonly string[], codes: string): readonly string[] {
  return codes.split(";").reduce<readonly string[]>((before, code) => {
    if (code === "" || code === "0") return [];
    const name = LOOKS[code];
    if (name === undefined) throw new Error(`A colour that is not drawn: ${code}`);
    return [...before, name];
  }, look);
}

/** A terminal with that text. `label` says what it shows, for who cannot see it. */
export function terminalSvg(
  text: string,
  { columns, label, theme }: { readonly columns: number; readonly label: string; readonly theme: Theme },
): string {
  const lines = readRuns(text, columns);
  const width = Math.ceil(LEFT * 2 + columns * WIDTH);
  const height = TOP + lines.length * HEIGHT + BOTTOM;
  const drawn = lines.flatMap((runs, line) => {
    const y = TOP + (line + 1) * HEIGHT - 6;
    return runs.filter(({ text }) => text.trim() !== "").map(({ column, text, look }) => {
      const x = (LEFT + column * WIDTH).toFixed(1);
      const room = ([...text].length * WIDTH).toFixed(1);
      const names = look.length === 0 ? "" : ` class="${look.join(" ")}"`;
      return `<text x="${x}" y="${y}" textLength="${room}"${names}>${escaped(text)}</text>`;
    });
  });
  const lights = ["#ff6159", "#ffbd2e", "#28c941"].map((colour, at) =>
    `<circle cx="${26 + at * 20}" cy="24" r="6" fill="${colour}"/>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" xml:space="preserve" role="img" aria-label="${
    escaped(label)
  }">
<style>
text { font: 14px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.bold { font-weight: 700 }
.dim { opacity: .65 }
${theme === "auto" ? themeOf("light") : themeOf(theme)}
${theme === "auto" ? `@media (prefers-color-scheme: dark) {\n${themeOf("dark")}\n}\n` : ""}</style>
<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="12"/>
${[...lights, ...drawn].join("\n")}
</svg>
`;
}

function themeOf(name: keyof typeof THEMES): string {
  const { ground, frame, text, ...colours } = THEMES[name];
  return [
    `.ground { fill: ${ground}; stroke: ${frame} }`,
    `text { fill: ${text} }`,
    ...Object.entries(colours).map(([look, colour]) => `.${look} { fill: ${colour} }`),
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}

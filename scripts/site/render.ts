/** Turns the Markdown of the documentation into HTML pages that need no script. */

import { Marked, type Tokens } from "marked";
import { gfmHeadingId } from "marked-gfm-heading-id";
import { type Page, PAGES, SECTIONS } from "./pages.ts";

/** Where the repository is read, for links to what the site does not have. */
export interface Surroundings {
  /** The address of a file of the repository. */
  fileAddress(path: string): string;
}

/**
 * The whole HTML of a page.
 *
 * @throws {Error} when a link leads to a file that is neither a page nor an asset, nor in the repository.
 */
export function renderPage(page: Page, markdown: string, surroundings: Surroundings): string {
  const title = /^# (.*)$/m.exec(markdown)?.[1] ?? page.name;
  const content = makeMarked(page, surroundings).parse(markdown, { async: false });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title === "datumctl" ? "datumctl" : `${title} · datumctl`)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
</head>
<body>
<a class="skip" href="#content">To the text</a>
<header><a href="index.html">datumctl</a></header>
<details class="menu"><summary>All pages</summary>${navigation(page)}</details>
<div class="columns">
<nav aria-label="Pages">${navigation(page)}</nav>
<main id="content">
${content}</main>
</div>
</body>
</html>
`;
}

function navigation(current: Page): string {
  return SECTIONS.map(({ title, pages }) => {
    const links = pages.map(({ file, name }) =>
      `<li><a href="${file}"${file === current.file ? ' aria-current="page"' : ""}>${escaped(name)}</a></li>`
    );
    return `<h2>${escaped(title)}</h2><ul>${links.join("")}</ul>`;
  }).join("");
}

function makeMarked(page: Page, surroundings: Surroundings): Marked {
  const marked = new Marked({ gfm: true }, gfmHeadingId());
  marked.use({
    walkTokens(token) {
      if (token.type === "link" || token.type === "image") {
        token.href = addressFrom(page, token.href, surroundings);
      }
    },
    renderer: {
      // What is wider than the screen scrolls by itself.
      table(token: Tokens.Table) {
        const cells = (row: readonly Tokens.TableCell[], tag: "th" | "td") =>
          row.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join("");
        const rows = token.rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n");
        return `<div class="table" tabindex="0"><table><thead><tr>${
          cells(token.header, "th")
        }</tr></thead><tbody>\n${rows}</tbody></table></div>\n`;
      },
      code({ text, lang }: Tokens.Code) {
        return `<pre tabindex="0"><code${lang ? ` class="${escaped(lang)}"` : ""}>${
          escaped(text)
        }</code></pre>\n`;
      },
    },
  });
  return marked;
}

/** Where a link of a page leads on the site. */
function addressFrom(page: Page, href: string, { fileAddress }: Surroundings): string {
  if (/^(?:[a-z]+:|#)/.test(href)) return href;
  const [path = "", anchor] = href.split("#", 2);
  const source = new URL(path, `file:///${page.source}`).pathname.slice(1);
  const target = PAGES.find((other) => other.source === source);
  const behind = anchor === undefined ? "" : `#${anchor}`;
  if (target !== undefined) return `${target.file}${behind}`;
  if (source.endsWith(".svg")) return source.slice(source.lastIndexOf("/") + 1);
  return `${fileAddress(source)}${behind}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}

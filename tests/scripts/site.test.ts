/** Proves that the site has every page of the documentation, that its links lead somewhere, and that it needs no script. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { buildSite } from "../../scripts/site.ts";
import { PAGES } from "../../scripts/site/pages.ts";
import { renderPage } from "../../scripts/site/render.ts";
import { inScratch, namesIn } from "../scratch.ts";

/** The site's pages by their files. */
async function built(): Promise<ReadonlyMap<string, string>> {
  return await inScratch(async (folder) => {
    await buildSite(`${folder}/site`);
    const names = await namesIn(`${folder}/site`);
    return new Map(
      await Promise.all(
        names.map(async (name) => [name, await Deno.readTextFile(`${folder}/site/${name}`)] as const),
      ),
    );
  });
}

const site = await built();
const pages = [...site].filter(([name]) => name.endsWith(".html"));

Deno.test("every page of docs/ is in the site's navigation, once", async () => {
  const sources = PAGES.map(({ source }) => source);
  assert.equal(new Set(sources).size, sources.length);
  const docs = (await namesIn(`${ROOT}docs`)).filter((name) => name.endsWith(".md"));
  for (const name of docs) assert.ok(sources.includes(`docs/${name}`), name);
  assert.equal(pages.length, sources.length);
  for (const [name, text] of pages) {
    for (const { file } of PAGES) assert.ok(text.includes(`href="${file}"`), `${name} → ${file}`);
  }
});

Deno.test("every link of the site leads to a page, a heading of it, or another site by https", () => {
  const anchors = new Map(
    pages.map(([name, text]) => [name, [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)]),
  );
  let followed = 0;
  for (const [name, text] of pages) {
    for (const [, href = ""] of text.matchAll(/<a [^>]*href="([^"]*)"/g)) {
      if (/^https:/.test(href)) continue;
      const [file = "", anchor] = href.split("#", 2);
      const target = anchors.get(file === "" ? name : file);
      assert.ok(target !== undefined, `${name}: ${href}`);
      if (anchor !== undefined) assert.ok(target.includes(anchor), `${name}: ${href}`);
      followed += 1;
    }
    for (const [, src = ""] of text.matchAll(/<img [^>]*src="([^"]*)"/g)) assert.ok(site.has(src), src);
  }
  assert.ok(followed > 100);
});

Deno.test("no page has a script, a style of its own, or anything from another site", () => {
  for (const [name, text] of pages) {
    assert.doesNotMatch(text, /<script|<style|<iframe|\son\w+=|javascript:/i, name);
    for (const [, address = ""] of text.matchAll(/<(?:link|img|source)[^>]*(?:href|src)="([^"]*)"/g)) {
      assert.doesNotMatch(address, /^(?:https?:)?\/\//, name);
    }
  }
});

Deno.test("Markdown becomes HTML in which code and tables stay what they are", () => {
  const page = { source: "docs/kubectl.md", file: "kubectl.html", name: "kubectl" };
  const html = renderPage(
    page,
    '# A & b\n\n[c](commands.md#ctx) [d](../LICENSE)\n\n```sh\necho "<$X>"\n```\n\n| a | b |\n| - | - |\n| `x` | <y |\n',
    { fileAddress: (path) => `https://example.com/${path}` },
  );
  assert.match(html, /<title>A &amp; b · datumctl<\/title>/);
  assert.match(html, /href="commands\.html#ctx"/);
  assert.match(html, /href="https:\/\/example\.com\/LICENSE"/);
  assert.match(html, /<code class="sh">echo &quot;&lt;\$X&gt;&quot;<\/code>/);
  assert.match(html, /<div class="table" tabindex="0"><table>[^]*<td><code>x<\/code><\/td><td>&lt;y<\/td>/);
  assert.match(html, /<a href="kubectl\.html" aria-current="page">/);
});

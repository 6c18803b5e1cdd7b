/** `deno task site`: the documentation as a static site, in dist/site/. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { ROOT } from "./compile.ts";
import { PAGES } from "./site/pages.ts";
import { renderPage } from "./site/render.ts";

/** Where the repository's other files are read. */
const REPOSITORY = "https://github.com/datumctl/datumctl/blob/main";

/** Writes the site into a folder, which is made new. */
export async function buildSite(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(folder, { recursive: true });
  const surroundings = {
    fileAddress(path: string) {
      // A link to nothing is found here, not by a reader.
      Deno.statSync(`${ROOT}${path}`);
      return `${REPOSITORY}/${path}`;
    },
  };
  for (const page of PAGES) {
    const markdown = await Deno.readTextFile(`${ROOT}${page.source}`);
    await Deno.writeTextFile(`${folder}/${page.file}`, renderPage(page, markdown, surroundings));
  }
  for await (const { name } of Deno.readDir(`${ROOT}docs`)) {
    if (name.endsWith(".svg")) await Deno.copyFile(`${ROOT}docs/${name}`, `${folder}/${name}`);
  }
  await Deno.copyFile(`${ROOT}scripts/site/style.css`, `${folder}/style.css`);
}

if (import.meta.main) {
  await buildSite(`${ROOT}dist/site`);
  console.log(`The site is in dist/site: ${PAGES.length} pages. Open dist/site/index.html`);
}

/** Makes a chunk that is loaded lazily one that is loaded at the start, where it is always needed: a chunk less to load. */

import { exportsOf } from "./merge-start.ts";

/**
 * Turns each `import("./NAME-1.js")` of a bundle into a static import. The bundle must not be minified, nor may that module
 * use another one while it is evaluated.
 */
export async function loadAtOnce(folder: string, name: string): Promise<void> {
  const lazily = new RegExp(String.raw`\bimport\("(\./${name}-\d+\.js)"\)`);
  for (const { name: chunk } of [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".js"))) {
    const text = await Deno.readTextFile(`${folder}/${chunk}`);
    const [call, path] = lazily.exec(text) ?? [];
    if (call === undefined || path === undefined) continue;
    const names = exportsOf(await Deno.readTextFile(`${folder}/${path}`));
    const imported = names.map((one) => `${one} as atOnce_${one}`).join(", ");
    const loaded = `({ ${names.map((one) => `${one}: atOnce_${one}`).join(", ")} })`;
    await Deno.writeTextFile(
      `${folder}/${chunk}`,
      `import { ${imported} } from "${path}";\n${text.replaceAll(call, () => loaded)}`,
    );
  }
}

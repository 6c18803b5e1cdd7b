/**
 * Names the chunks of a bundle by the order in which they are met. The bundler puts a digest into each name that differs
 * with the folder of the sources and of the package cache: the program would be another in each checkout.
 */

/** A chunk where another one names it. */
const CHUNK = /"\.\/([^"/]+\.js)"/g;

/** Renames all chunks that `main.js` leads to, and what names them. */
export async function nameByOrder(folder: string): Promise<void> {
  const texts = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".js")) texts.set(name, await Deno.readTextFile(`${folder}/${name}`));
  }
  const names = orderedNames(texts);
  for (const name of texts.keys()) await Deno.remove(`${folder}/${name}`);
  for (const [name, text] of texts) {
    const renamed = text.replaceAll(CHUNK, (quoted, other: string) => {
      const to = names.get(other);
      return to === undefined ? quoted : `"./${to}"`;
    });
    await Deno.writeTextFile(`${folder}/${names.get(name) ?? name}`, renamed);
  }
}

/** `add-profile-QPDVA4C7.js` is `add-profile-12.js` when it is the twelfth to be named, beginning at `main.js`. */
function orderedNames(texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const waiting = ["main.js"];
  for (const name of waiting) {
    for (const [, other = ""] of (texts.get(name) ?? "").matchAll(CHUNK)) {
      if (other === "main.js" || names.has(other) || !texts.has(other)) continue;
      names.set(other, other.replace(/-[A-Z0-9]{8}\.js$/, `-${names.size + 1}.js`));
      waiting.push(other);
    }
  }
  return names;
}

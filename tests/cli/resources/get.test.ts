/** Proves that `get` prints what `kubectl get` prints, line by line and template by template. */

import assert from "node:assert/strict";
import { columnTemplates, jsonPathTemplates, WIDGET_KIND, WIDGETS } from "./get-templates.ts";
import { DIFFERENT, FILES, LINES, OBJECTS } from "./get-lines.ts";
import { LINES as MORE_LINES } from "../../kube/read/get-lines.ts";
import { masked } from "../../kube/read/masked.ts";
import { differences } from "./same-lines.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./world.ts";

async function writeFiles({ folder }: ResourceWorld): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    const path = `${folder}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
}

Deno.test("get prints what kubectl prints", { ignore: !atHand }, async (context) => {
  await using world = await openResourceWorld();
  await world.server.admin.apply(...OBJECTS);
  await writeFiles(world);
  const lines = [...LINES, ...MORE_LINES].map((line) => ["get", ...line]);
  await context.step(`${lines.length} lines`, async () => {
    assert.ok(lines.length >= 600);
    const said = /^No resources found.*$/m;
    assert.equal((await differences(world, lines, { mask: masked, said })).join("\n\n"), "");
  });
  for (const { why, lines } of DIFFERENT) {
    await context.step(why, async () => {
      const found = await differences(world, lines.map((line) => `get ${line}`), { mask: masked });
      assert.equal(found.length, lines.length, `of ${lines.join("\n")}\ndiffer\n${found.join("\n\n")}`);
    });
  }
  const templates = [...jsonPathTemplates(), ...columnTemplates()];
  await context.step(`${templates.length} templates`, async () => {
    assert.ok(templates.length >= 200);
    await world.server.admin.apply(WIDGET_KIND);
    await Deno.writeTextFile(`${world.folder}/widgets.json`, WIDGETS);
    const made = await world.kubectl("create", "-f", `${world.folder}/widgets.json`);
    assert.equal(made.code, 0, made.stderr);
    assert.equal((await differences(world, templates, { mask: masked })).join("\n\n"), "");
  });
});

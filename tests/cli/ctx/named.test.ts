/** Proves which organization or project a text means: ids first, then what people call them, never one of several. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { idsOf, namedTarget } from "../../../src/cli/ctx/named.ts";
import { targetName, type TargetRow } from "../../../src/cli/ctx/targets.ts";
import { expectError } from "../../expect-error.ts";

/** An organization with its projects, as they are listed. */
function listed(
  id: string,
  name: string | undefined,
  projects: Record<string, string | undefined> = {},
): TargetRow[] {
  return [
    { organization: id, displayName: name },
    ...Object.entries(projects).map(([project, displayName]) => ({
      organization: id,
      project,
      displayName,
      within: name,
    })),
  ];
}

const ROWS = [
  ...listed("acme", "Acme Corporation", { web: "Web shop", data: "R&D/Data", old: undefined }),
  ...listed("initech", "acme", { tps: "Reports", "web-2": "web" }),
  ...listed("umbrella", "Umbrella", { hive: "Reports", lab: "Zoë's lab", web: "initech" }),
];

const meant = (text: string, rows: readonly TargetRow[] = ROWS) => {
  const found = namedTarget(rows, text);
  return found && targetName(found);
};

Deno.test("display names, alone and mixed with ids, with slashes in them, in any letter case", () => {
  for (
    const [text, target] of [
      ["Acme Corporation", "acme"],
      ["Acme Corporation/Web shop", "acme/web"],
      ["Acme Corporation/web", "acme/web"],
      ["acme/Web shop", "acme/web"],
      ["Web shop", "acme/web"],
      ["R&D/Data", "acme/data"],
      ["acme/R&D/Data", "acme/data"],
      ["Acme Corporation/R&D/Data", "acme/data"],
      ["acme corporation/WEB SHOP", "acme/web"],
      ["Umbrella/Reports", "umbrella/hive"],
      // Its letters in one piece and in two.
      ["Zo\u00eb's lab", "umbrella/lab"],
      ["Zoe\u0308's lab", "umbrella/lab"],
    ] as const
  ) assert.equal(meant(text), target, text);
});

Deno.test("what is not there is not found, and no part of a name is one", () => {
  for (
    const text of [
      "Corporation",
      "shop",
      "acme/Reports",
      "Umbrella/Web shop",
      "undefined",
      "acme/undefined",
      "",
    ]
  ) {
    assert.equal(meant(text), undefined, text);
  }
});

Deno.test("an id wins over a display name that is spelled like it", () => {
  assert.equal(meant("acme"), "acme", "not initech, which is called so");
  assert.equal(meant("initech"), "initech", "not the project of that name");
  assert.equal(meant("acme/web"), "acme/web", "not initech's project web-2, called acme/web in both parts");
  assert.equal(meant("acme/tps"), undefined, "nothing of an organization that is called like acme's id");
  assert.equal(meant("ACME/tps"), "initech/tps");
});

Deno.test("several of one name are wrong usage, and the ids are named", () => {
  expectError(() => namedTarget(ROWS, "Reports"), {
    code: "USAGE",
    message: '"Reports" is the name of several: initech/tps, umbrella/hive.',
    hint: "Name one by its id: datumctl ctx use initech/tps",
  });
  const twins = [...listed("a", "Twins", { one: "Same", two: "Same" }), ...listed("b", "twins")];
  expectError(() => namedTarget(twins, "a/Same"), { code: "USAGE" });
  assert.equal(meant("Twins", twins), "a", "spelled exactly so");
  assert.equal(meant("twins", twins), "b");
  expectError(() => namedTarget(twins, "TWINS"), { code: "USAGE" });
  const many = Array.from({ length: 9 }, (_, at) => listed(`o${at}`, "Same")).flat();
  expectError(() => namedTarget(many, "Same"), { message: /several: o0, o1, o2, o3, o4 and 4 more\./ });
});

Deno.test("what is called by the id of another's project is not taken for it", () => {
  const rows = [
    ...listed("acme", "Acme", { prod: "Production" }),
    ...listed("evil", "prod-org", { p: "prod", q: "Prod" }),
  ];
  expectError(() => namedTarget(rows, "prod"), {
    code: "USAGE",
    message: '"prod" is the name of several: acme/prod, evil/p.',
    hint: "Name one by its id: datumctl ctx use acme/prod",
  });
  expectError(() => namedTarget(rows, "PROD"), { code: "USAGE" });
  assert.equal(meant("evil/prod", rows), "evil/p");
  assert.equal(meant("same", listed("one", "One", { same: "same" })), "one/same");
});

Deno.test("a display name with control characters is found as it is shown, and says nothing harmful", () => {
  const rows = listed("evil", "Good\u001b[2J\u202ename");
  assert.equal(meant("Good [2J name", rows), "evil");
  expectError(() => namedTarget([...rows, ...listed("two", "Good\u001b[2J\u202ename")], "Good [2J name"), {
    message: '"Good [2J name" is the name of several: evil, two.',
  });
});

Deno.test("what is listed is always found by its ids, whatever everything is called", () => {
  const id = fc.stringMatching(/^[a-c]{1,2}$/);
  const name = fc.option(fc.oneof(id, fc.stringMatching(/^[a-c]\/[a-c]$/), fc.string()), { nil: undefined });
  const rows = fc.dictionary(id, fc.tuple(name, fc.dictionary(id, name, { maxKeys: 3 })), {
    minKeys: 1,
    maxKeys: 3,
  })
    .map((all) => Object.entries(all).flatMap(([id, [name, projects]]) => listed(id, name, projects)));
  fc.assert(fc.property(rows, (all) => {
    for (const row of all) assert.equal(meant(targetName(row), all), targetName(row));
  }));
});

Deno.test("a text is ids where it can be; nothing beside a slash is wrong usage", () => {
  assert.deepEqual(idsOf("acme"), { organization: "acme", project: undefined });
  assert.deepEqual(idsOf("acme/web"), { organization: "acme", project: "web" });
  for (const text of ["Acme", "acme/Web", "a/b/c", "acme / web"]) assert.equal(idsOf(text), undefined, text);
  for (const text of ["", " ", "acme/", "/web", "/"]) expectError(() => idsOf(text), { code: "USAGE" });
});

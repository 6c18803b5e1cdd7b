/** Which name a new session gets by itself: of people of many scripts, and of those whose names look alike. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "../fast-check.ts";
import { isSessionName } from "../../src/sessions/name.ts";
import { defaultSessionName } from "../../src/sessions/new-name.ts";
import { isDoubtful, lookAlike, skeletonOf } from "../../src/sessions/look-alikes.ts";
import { freeName } from "../../src/sessions/save.ts";
import { RUNS } from "../fuzz.ts";

const ISSUER = "https://login.example.com";
const HOST = "login.example.com";

interface Someone {
  readonly label: string;
  readonly subject: string;
  readonly issuer?: string;
}

/** The names that people get who sign in one after the other, by their subject. */
async function namesOf(people: readonly Someone[]): Promise<Record<string, string>> {
  const sessions: { name: string; issuer: string; user: { subject: string } }[] = [];
  for (const { label, subject, issuer = ISSUER } of people) {
    const user = { subject };
    const name = await freeName(sessions, label, { issuer, apiHost: HOST, user });
    assert.ok(isSessionName(name), name);
    for (const other of sessions) assert.ok(!lookAlike(other.name, name), `${name} looks like ${other.name}`);
    sessions.push({ name, issuer, user });
  }
  return Object.fromEntries(sessions.map(({ name, user: { subject } }) => [subject, name]));
}

const mark = (subject: string, issuer = ISSUER) =>
  createHash("sha256").update(`${issuer}\n${subject}`).digest("hex").slice(0, 6);

/** People of more than six scripts, with the ending that their name has wherever and whenever they sign in. */
const PEOPLE: readonly (readonly [label: string, marked: boolean])[] = [
  // Latin, and what looks like it: Cyrillic, Greek and Cherokee letters, wide, small and bold ones.
  ["ada@example.com", false],
  ["аda@example.com", true],
  ["аԁа@example.com", true],
  ["ａｄａ@example.com", true],
  ["𝐚𝐝𝐚@example.com", true],
  ["aca@example.com", false],
  ["аса@example.com", true],
  ["αϲα@example.com", true],
  ["Zoë", false],
  ["Zоë", true],
  ["Søren", false],
  // Cyrillic
  ["иван", false],
  ["Анна Каренина", false],
  ["Aннa Kaренина", true],
  // Greek
  ["αλέξης", false],
  ["αλέξηѕ", true],
  // Arabic, Hebrew
  ["علي", false],
  ["שרה", false],
  ["שרה٣", true],
  // Devanagari
  ["नेहा", false],
  ["नेहा१", false],
  ["neha१", true],
  // Han, Kana, Hangul, alone and with Latin, as people write them
  ["李小龍", false],
  ["田中taro", false],
  ["タナカ", false],
  ["김민수", false],
  ["สมชาย", false],
];

Deno.test("people of many scripts get the same names in whichever order they sign in", async () => {
  const people = PEOPLE.map(([label], at) => ({ label, subject: `u-${at}` }));
  const expected = Object.fromEntries(PEOPLE.map(([label, marked], at) => [
    `u-${at}`,
    `${label.replaceAll(" ", "-")}@${HOST}${marked ? `-${mark(`u-${at}`)}` : ""}`,
  ]));
  assert.deepEqual(await namesOf(people), expected);
  assert.deepEqual(await namesOf(people.toReversed()), expected);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(people), async (some) => {
      for (const [subject, name] of Object.entries(await namesOf(some))) {
        assert.equal(name, expected[subject]);
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("another person of the same label gets six characters, the same person's next client a number", async () => {
  const ada = { label: "ada@example.com", subject: "u-1" };
  const other = { ...ada, issuer: `${ISSUER}/realms/b`, subject: "u-2" };
  const name = `ada@example.com@${HOST}`;
  assert.deepEqual(await namesOf([ada, other]), {
    "u-1": name,
    "u-2": `${name}-${mark("u-2", other.issuer)}`,
  });
  assert.deepEqual(await namesOf([other, ada]), { "u-2": name, "u-1": `${name}-${mark("u-1")}` });
  const session = (name: string, subject: string) => ({ name, issuer: ISSUER, user: { subject } });
  const identity = { issuer: ISSUER, apiHost: HOST, user: { subject: "u-1" } };
  assert.equal(await freeName([session(name, "u-1")], ada.label, identity), `${name}-2`);
  assert.equal(
    await freeName([session(name, "u-1"), session(`${name}-2`, "u-1")], ada.label, identity),
    `${name}-3`,
  );
  const marked = `${name}-${mark("u-1")}`;
  assert.equal(
    await freeName([session(name, "u-2"), session(marked, "u-1")], ada.label, identity),
    `${marked}-2`,
  );
});

Deno.test("a look-alike within one script is as another person of the same label", async () => {
  // Arabic and Persian kaf; a letter with its stroke, and one with a stroke over it.
  for (const [one = "", other = ""] of [["كيان", "کیان"], ["Łukasz", "L\u0338ukasz"]]) {
    const names = await namesOf([{ label: one, subject: "u-1" }, { label: other, subject: "u-2" }]);
    assert.equal(names["u-1"], `${one}@${HOST}`);
    assert.equal(names["u-2"], `${other}@${HOST}-${mark("u-2")}`);
  }
});

Deno.test("letters and digits of ASCII are told apart by everybody", async () => {
  assert.deepEqual(
    await namesOf(["user1", "userl", "userI", "rn", "m"].map((label) => ({ label, subject: label }))),
    Object.fromEntries(["user1", "userl", "userI", "rn", "m"].map((label) => [label, `${label}@${HOST}`])),
  );
});

Deno.test("names that are cut keep their endings, and are names", async () => {
  for (const letter of ["x", "ж", "李", "𠀀"]) {
    const label = letter.repeat(300);
    const names = Object.values(await namesOf([{ label, subject: "u-1" }, { label, subject: "u-2" }]));
    assert.match(names[1] ?? "", new RegExp(`-${mark("u-2")}$`));
  }
});

Deno.test("whoever signs in, names are names, no two look alike, and words of ASCII alone keep theirs", async () => {
  const label = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
    fc.array(fc.constantFrom(..."aаαoоοeеpрcсxхiіjѕ1l.@-"), { minLength: 1, maxLength: 5 }).map((parts) =>
      parts.join("")
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(label, { minLength: 2, maxLength: 5 }), async (labels) => {
      const people = labels.map((label, at) => ({ label, subject: `u-${at}` }));
      const names = await namesOf(people);
      for (const { label, subject } of people) {
        const usual = defaultSessionName(label, HOST);
        const shared = labels.filter((other) => defaultSessionName(other, HOST) === usual).length > 1;
        if (/^[\x20-\x7e]+$/.test(usual) && !shared) assert.equal(names[subject], usual);
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("skeletons are of what is seen: every letter of the table of confusables that is meant", () => {
  // From confusables.txt of Unicode 13.
  for (
    const [text, skeleton] of [["рорсогn", "popcorn"], ["ѕсоре", "scope"], ["ǉeto", "ljeto"], ["m", "rn"]]
  ) {
    assert.equal(skeletonOf(text ?? ""), skeleton);
  }
  assert.equal(isDoubtful("рорсогn@example.com"), true);
  assert.equal(isDoubtful("popcorn@example.com"), false);
});

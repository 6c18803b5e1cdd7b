/** Finds names that look alike: skeletons by Unicode's confusables, and words in two scripts. */

import confusables from "unhomoglyph/data.json" with { type: "json" };

const TABLE: Readonly<Record<string, string>> = confusables;

const ASCII = /^[\x20-\x7e]*$/;

/** Some characters of the table map to others in it. */
const ROUNDS = 3;

/**
 * The skeleton of a text: two texts of one skeleton look alike. Unicode Technical Standard 39, 4; letters of other widths or
 * weights that its table lacks become plain ones.
 */
export function skeletonOf(text: string): string {
  let skeleton = text.normalize("NFD");
  for (let round = 0; round < ROUNDS; round++) {
    const parts = Array.from(skeleton, (character) => TABLE[character] ?? character.normalize("NFKD"));
    skeleton = parts.join("").normalize("NFD");
  }
  return skeleton;
}

/** True for texts that look alike, and for equal ones. Two texts of ASCII alone never look alike. */
export function lookAlike(one: string, other: string): boolean {
  if (one === other) return true;
  return !(ASCII.test(one) && ASCII.test(other)) && skeletonOf(one) === skeletonOf(other);
}

/** True for a text with a word that mixes scripts, or that looks like ASCII and is not. */
export function isDoubtful(text: string): boolean {
  return text.split(/[._@+:-]+/).some((word) =>
    !ASCII.test(word) && (mixesScripts(word) || ASCII.test(skeletonOf(word)))
  );
}

/** The scripts in modern use. Unicode Standard Annex 31, table 5. */
const SCRIPTS = [
  ...["Arabic", "Armenian", "Bengali", "Bopomofo", "Cyrillic", "Devanagari", "Ethiopic", "Georgian", "Greek"],
  ...["Gujarati", "Gurmukhi", "Hangul", "Han", "Hebrew", "Hiragana", "Kannada", "Katakana", "Khmer", "Lao"],
  ...["Latin", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thaana", "Thai", "Tibetan"],
] as const;

/** The scripts that one language mixes. Unicode Technical Standard 39, 5.2: "highly restrictive". */
const TOGETHER: readonly RegExp[] = [
  ...SCRIPTS.map((script) => [script]),
  ["Latin", "Han", "Hiragana", "Katakana"],
  ["Latin", "Han", "Bopomofo"],
  ["Latin", "Han", "Hangul"],
].map((scripts) =>
  new RegExp(`^(?:${scripts.map((script) => `\\p{Script_Extensions=${script}}`).join("|")})$`, "u")
);

/** Common signs and ASCII digits belong to no script; the digits of one script belong to it. */
const OF_NO_SCRIPT = /^(?:[0-9]|(?!\p{Nd})(?:\p{Script=Common}|\p{Script=Inherited}))$/u;

function mixesScripts(word: string): boolean {
  const characters = [...word].filter((character) => !OF_NO_SCRIPT.test(character));
  if (TOGETHER.some((script) => characters.every((character) => script.test(character)))) return false;
  // Historic scripts are not listed here; a word of one of them alone mixes nothing.
  return characters.some((character) => TOGETHER.some((script) => script.test(character)));
}

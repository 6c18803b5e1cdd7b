/** Which characters names of sessions are made of: letters, marks and digits of any script, and a few signs. */

import { withoutControls } from "../text.ts";

/** In code points. */
const LONGEST = 128;

/** In bytes of UTF-8: what is made of a name still fits into a file's name and a keyring's account. */
const LARGEST = 200;

// What most names are made of: the other pattern is worth its making only beyond it.
const ASCII_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+:-]{0,127}$/;

const NAME = /^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._@+:-]{0,127}$/u;

const FOREIGN = /[^\p{L}\p{M}\p{Nd}._@+:-]/gu;

const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** True when a text can be a session's name: composed as Unicode's NFC has it, and without invisible characters. */
export function isSessionName(name: string): boolean {
  if (ASCII_NAME.test(name)) return true;
  return NAME.test(name) && name === name.normalize("NFC") && name === withoutControls(name) && fits(name);
}

/**
 * A text as a session's name: invisible characters go, what no name is made of becomes `-`, and what is too long is
 * cut so that `ending` still fits behind it. What nothing is left of is `session`.
 */
export function sessionNameOf(text: string, ending = ""): string {
  const name = text.replace(INVISIBLE, "").normalize("NFC").replace(FOREIGN, "-")
    .replace(/^[^\p{L}\p{Nd}]+/u, "");
  const characters = [...name === "" ? "session" : name];
  while (!fits(`${characters.join("")}${ending}`)) characters.pop();
  return `${characters.join("")}${ending}`;
}

/** True for a name so long that its end may have been cut, wherever that was. */
export function mayBeCut(name: string): boolean {
  return !fits(`${name}123456789`);
}

function fits(name: string): boolean {
  return [...name].length <= LONGEST && new TextEncoder().encode(name).length <= LARGEST;
}

/** Text wrapped at blanks, as kubectl wraps descriptions. */

import { columnsOf } from "../table-layout.ts";

/** An end of line, blanks, or a word, which a hard space is a part of. */
const PART = /\n|[^\P{White_Space}\n\u00a0]+|[\P{White_Space}\u00a0]+/gu;
const BLANK = /^[^\P{White_Space}\u00a0]/u;

/**
 * A text with an end of line before each word that would go beyond a limit, in place of the blanks before it. A word
 * that is too long for any line stays in the line where it begins unless little room is left there. The ends of lines
 * that the text has stay, and so do blanks before them where they fit.
 *
 * @param limit in characters.
 */
export function wrapWords(text: string, limit: number): string {
  const done: string[] = [];
  let column = 0;
  let blanks = "";
  const put = (part: string) => {
    done.push(part);
    column += columnsOf(part);
  };
  const putBlanks = () => {
    if (column + columnsOf(blanks) <= limit) put(blanks);
    blanks = "";
  };
  for (const [part] of text.matchAll(PART)) {
    if (part === "\n") {
      putBlanks();
      done.push(part);
      column = 0;
    } else if (BLANK.test(part)) blanks = part;
    else {
      const length = columnsOf(part);
      // How many characters of the word reach beyond the limit first.
      const beyond = Math.max(1, limit + 1 - column - columnsOf(blanks));
      if (beyond <= length && beyond < limit) {
        done.push("\n");
        column = 0;
        blanks = "";
      }
      put(blanks);
      put(part);
      blanks = "";
    }
  }
  putBlanks();
  return done.join("");
}

/** Owns how a text that may be anything is read as JSON. */

/** A JSON value, or undefined when the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

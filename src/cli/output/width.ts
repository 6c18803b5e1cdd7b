/** Owns how many columns a terminal gives a text, apart from all else because its patterns of Unicode load slowly. */

export { default as columnsOf } from "string-width";

/** The number of terminal columns of a text. A module of its own because its Unicode patterns load slowly. */

export { default as columnsOf } from "string-width";

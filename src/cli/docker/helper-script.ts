/** The script that Docker finds as its credential helper, in the forms that it is shipped and written in. */

import { shellQuote } from "../../text.ts";

/** What Docker calls the helper: `docker-credential-` goes before the name in its configuration. */
export const HELPER_NAME = "datumctl";

/** The script's name. */
export const HELPER = `docker-credential-${HELPER_NAME}`;

/** Its name on a system. */
export function helperFileName(windows: boolean): string {
  return windows ? `${HELPER}.cmd` : HELPER;
}

/** The script that packages bring: it runs the program beside it, else the one on PATH. */
export function shippedHelper(windows: boolean): string {
  // The command processor would look into the working folder before PATH.
  return windows
    ? `@echo off\r\n"%~dp0datumctl.exe" docker-credential %*\r\n`
    : `#!/bin/sh\nPATH="\${0%/*}:$PATH"; exec datumctl docker-credential "$@"\n`;
}

/** The same for npm, whose links are made for scripts of Node alone. */
export const NPM_HELPER =
  `#!/usr/bin/env node\nprocess.argv.splice(2, 0, "docker-credential"), require("./datumctl.js");\n`;

/** The script that runs one program by its full path. */
export function writtenHelper(program: string, windows: boolean): string {
  return windows
    ? `@echo off\r\n"${program.replaceAll("%", "%%")}" docker-credential %*\r\n`
    : `#!/bin/sh\nexec ${shellQuote(program)} docker-credential "$@"\n`;
}

/** The program that a script of {@link writtenHelper} runs; undefined for any other text. */
export function programOfHelper(text: string): string | undefined {
  const [, quoted] = /^#!\/bin\/sh\nexec (.+) docker-credential "\$@"\n$/.exec(text) ?? [];
  if (quoted !== undefined) return quoted.replace(/^'(.*)'$/s, "$1").replaceAll("'\\''", "'");
  const [, program] = /^@echo off\r\n"([^"\r\n]+)" docker-credential %\*\r\n$/.exec(text) ?? [];
  return program === undefined || program.startsWith("%~") ? undefined : program.replaceAll("%%", "%");
}

/** The script that a package manager's own link is, as those of pnpm, Scoop and npm on Windows. */
const LINK = new RegExp(`[\\\\/]${HELPER}\\.(?:js|cmd)"`);

/** How a script that a package brought finds its program: beside itself, or as the package manager has it. */
export function shippedAs(text: string): "script" | "link" | undefined {
  if (text === shippedHelper(false) || text === shippedHelper(true)) return "script";
  return text === NPM_HELPER || LINK.test(text) ? "link" : undefined;
}

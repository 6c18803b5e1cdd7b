/** Owns the entry: get-token's short way in a few lines, else the whole command line. */

import { readGetToken } from "./src/credential/arguments.ts";
import { runGetToken } from "./src/credential/get-token.ts";
import { errorFormatOf, formatError, toAppError } from "./src/errors.ts";
import { openPlace } from "./src/sessions/place.ts";
import { commandLine, environment, exit, parentProcess } from "./src/system/environment.ts";
import { canAsk, writeAll } from "./src/system/terminal.ts";

const writeOut = (text: string) => writeAll(Deno.stdout, text);
const writeErr = (text: string) => writeAll(Deno.stderr, text);

async function main(): Promise<number> {
  const errorFormat = errorFormatOf(commandLine, environment("DATUMCTL_ERROR_FORMAT"));
  try {
    const request = readGetToken(commandLine);
    if (request !== undefined) {
      const place = openPlace(environment, () => {});
      return await runGetToken(request, {
        place,
        env: environment,
        parent: parentProcess,
        errorFormat,
        started: 0,
        canAsk,
        writeOut,
        writeErr,
      });
    }
  } catch (thrown) {
    const error = toAppError(thrown);
    writeErr(formatError(error, errorFormat));
    return error.exitCode;
  }
  const { runFromProcess } = await import("./src/cli/process.ts");
  return await runFromProcess();
}

exit(await main());

/** `trust`: lets a folder's `.datumctl.json` count, takes that back, and lists what counts. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { fileOf, type FoundFile, nearestFile, notFollowed, pathIn } from "../sessions/folder-file.ts";
import { FOLDER_FILE } from "../sessions/folders-above.ts";
import { lockTrusted } from "../sessions/trust.ts";
import { readTrusted } from "../sessions/trusted-files.ts";
import { absolutePath } from "../system/environment.ts";
import { kindOf, realPath } from "../system/files.ts";
import { outputOption, valueArgument } from "./complete/declare.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { checkFile, namesInWords } from "./folder-names.ts";
import { formatListing, listFormat } from "./output/table.ts";

const EXAMPLES = `
Examples:
  datumctl trust
  datumctl trust ~/work/.datumctl.json
  datumctl trust --list
  datumctl trust --remove

A ${FOLDER_FILE} that came with a folder decides nothing until it is trusted. That holds for its content: after a
change it has to be trusted again. What you write with datumctl use is trusted.`;

/** `trust`. */
export function trustCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("trust")
    .description(`Let this folder's ${FOLDER_FILE} decide what commands act as and on`)
    .addArgument(valueArgument("file", "[file]", "the file or its folder; the nearest one when left out"))
    .option("--list", "list what is trusted")
    .option("--remove", "take the trust in the file back")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText("after", EXAMPLES);
  command.action((path, flags) => runTrust(contextOf(command), { path, ...flags }));
  return command;
}

interface TrustInput {
  readonly path: string | undefined;
  readonly remove?: true | undefined;
  readonly list?: true | undefined;
  readonly output?: string | undefined;
}

/** Trusts the file's content as it is now, takes the trust in a file back, or lists what is trusted. */
export async function runTrust(cli: CommandContext, input: TrustInput): Promise<void> {
  const { path, remove, list, output } = input;
  if (list) {
    if (path !== undefined || remove) {
      throw new AppError("USAGE", "--list goes with neither a file nor --remove.");
    }
    return await printTrusted(cli, output);
  }
  if (output !== undefined) throw new AppError("USAGE", "-o goes with --list.");
  if (remove) return await takeBack(cli, path);
  using trusted = await lockTrusted(cli.store);
  const file = await fileMeant(cli, path);
  if (file?.names === undefined || file.digest === undefined) {
    throw file === undefined ? noFile(path) : notFollowed(file);
  }
  checkFile(file.path, file.names);
  await trusted.add(file.path, file.digest);
  cli.out.success(`Trusted ${file.path}: ${namesInWords(file.names)}.`);
}

async function fileMeant(cli: CommandContext, path: string | undefined): Promise<FoundFile | undefined> {
  if (path === undefined) return await nearestFile(cli.store);
  return await fileOf(cli.store, await folderOf(path));
}

/** The folder of the file that a path names: the folder itself, or one that holds the file. */
async function folderOf(path: string): Promise<string> {
  // As of a variable that is not set: it must not mean the working folder.
  if (path === "") {
    throw new AppError("USAGE", "The file's name is empty.", { hint: "Name it, or its folder." });
  }
  const absolute = absolutePath(path).replace(/(?<=.)[\\/]+$/, "");
  const folder = await kindOf(absolute) === "file" || absolute.endsWith(FOLDER_FILE)
    ? absolute.replace(/[\\/][^\\/]*$/, "") || "/"
    : absolute;
  if (absolute !== folder && !/(?:^|[\\/])\.datumctl\.json$/.test(absolute)) {
    throw new AppError("USAGE", `${printable(path)} is not a ${FOLDER_FILE}.`, {
      hint: "Name that file, or its folder.",
    });
  }
  return await realPath(folder) ?? folder;
}

function noFile(path: string | undefined): AppError {
  const where = path === undefined ? "here or in a folder above" : `at ${printable(path)}`;
  return new AppError("NOT_FOUND", `There is no ${FOLDER_FILE} ${where}.`, {
    hint: "Write one: datumctl use --project ID",
  });
}

async function takeBack(cli: CommandContext, path: string | undefined): Promise<void> {
  using trusted = await lockTrusted(cli.store);
  const file = path === undefined ? (await nearestFile(cli.store))?.path : pathIn(await folderOf(path));
  if (file === undefined) throw noFile(path);
  if (!await trusted.remove(file)) {
    throw new AppError("NOT_FOUND", `${printable(file, Infinity)} is not trusted.`, {
      hint: "See what is: datumctl trust --list",
    });
  }
  cli.out.success(`No longer trusted: ${printable(file, Infinity)}`);
}

/** A file that is or was trusted, as it is now. */
interface Row {
  readonly file: string;
  readonly state: "trusted" | "changed" | "gone";
  readonly found: FoundFile | undefined;
}

async function printTrusted(
  { store, out, style }: CommandContext,
  output: string | undefined,
): Promise<void> {
  const format = listFormat(output);
  const files = [...new Set((await readTrusted(store)).map(({ file }) => file))].sort();
  const rows: Row[] = [];
  for (const file of files) {
    const found = await fileOf(store, file.slice(0, -FOLDER_FILE.length - 1) || "/");
    const state = found === undefined ? "gone" : found.trusted ? "trusted" : "changed";
    rows.push({ file, state, found: state === "trusted" ? found : undefined });
  }
  out.text(
    await formatListing<Row>(
      {
        rows,
        columns: [
          { title: "File", text: ({ file }) => file },
          { title: "State", text: ({ state }) => state },
          {
            title: "Names",
            text: ({ found }) => found?.names === undefined ? "" : namesInWords(found.names),
          },
        ],
        name: ({ file }) => file,
        object: ({ file, state }) => ({ file, state }),
      },
      format,
      style.out,
    ),
  );
  if (rows.length === 0 && format === "table") out.info(`No ${FOLDER_FILE} is trusted.`);
}

/** Reads the manifests that `-f` names: files, folders, addresses and standard input. */

import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { hostOf } from "../../http/address.ts";
import { CHECK_NETWORK, type HttpContext, MEBIBYTE, noAnswer, sendBounded } from "../../http/bounded.ts";
import type { Manifest } from "../../kube/write/write-all.ts";
import { requestLimits } from "../../providers/context.ts";
import { kindOf, listFolder, realPath } from "../../system/files.ts";
import { readGivenFile } from "../../system/given-file.ts";
import { printable } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { listed } from "./flags.ts";

/** Which manifests are read. */
export interface FilenameFlags {
  /** Files, folders, https addresses, and `-` for standard input. */
  readonly filename?: readonly string[] | undefined;
  /** Whether the folders in a folder are read, too. */
  readonly recursive?: boolean | undefined;
}

/** Adds `-f` and `-R` to a command. */
export function addFilenameFlags(command: CommandUnknownOpts, doing: string): void {
  command.addOption(
    new Option(
      "-f, --filename <file>",
      `file, folder or https address of what to ${doing}, - for stdin; repeatable`,
    )
      .argParser(listed),
  );
  command.option("-R, --recursive", "with -f and a folder: the folders in it, too");
}

/** The values of {@link addFilenameFlags}. */
export function filenameFlags(command: { opts(): unknown }): FilenameFlags {
  const { filename, recursive } = command.opts() as FilenameFlags;
  return { filename, recursive };
}

/** Standard input, or an address: no more of it is read. In bytes. */
const LARGEST = 64 * MEBIBYTE;

/** What of a folder is read. */
const IN_FOLDERS = /\.(?:json|ya?ml)$/;

/** Folders within folders are read to this depth, so that a circle of links ends. */
const DEEPEST_FOLDER = 64;

/**
 * Every object of the manifests, in the order of their names.
 *
 * @throws {AppError} `USAGE` for what is not there or holds no object, `INVALID` for what is no YAML or JSON of Kubernetes
 * objects, `STORAGE` and `NETWORK` for what cannot be read.
 */
export async function readManifests(
  cli: CommandContext,
  { filename = [], recursive = false }: FilenameFlags,
): Promise<Manifest[]> {
  if (filename.length === 0) {
    throw new AppError("USAGE", "There is nothing to read: name files, folders or addresses with -f.", {
      hint: "For example: -f web.yaml, or -f - for standard input.",
    });
  }
  if (filename.filter((one) => one === "-").length > 1) {
    throw new AppError("USAGE", "-f - can be given once: standard input is read to its end.");
  }
  const { readManifest } = await import("../../kube/manifest.ts");
  const found: Manifest[] = [];
  for (const name of filename) {
    for await (const { text, source } of textsOf(cli, name, recursive)) {
      for (const document of readManifest(text, source)) found.push({ document, source });
    }
  }
  if (found.length > 0) return found;
  const sources = filename.map((name) => name === "-" ? "standard input" : printable(name));
  throw new AppError("USAGE", `There is no object in ${sources.join(", ")}.`, {
    hint:
      "A manifest names an apiVersion, a kind and a metadata.name. Of folders .yaml, .yml and .json are " +
      "read, and the folders in them with -R.",
  });
}

/** A text, and where it is from. */
interface SourceText {
  readonly text: string;
  readonly source: string;
}

async function* textsOf(
  cli: CommandContext,
  name: string,
  recursive: boolean,
): AsyncGenerator<SourceText, void, void> {
  if (name === "-") return yield { text: await readStandardInput(cli), source: "standard input" };
  if (/^https?:\/\//i.test(name)) {
    return yield { text: await readAddress(cli, name), source: printable(name) };
  }
  const kind = await kindBehind(name);
  if (kind === undefined) throw new AppError("USAGE", `The path "${printable(name)}" does not exist.`);
  if (kind === "folder") return yield* textsIn(name, recursive, DEEPEST_FOLDER);
  yield await readFile(name);
}

async function* textsIn(
  folder: string,
  recursive: boolean,
  levels: number,
): AsyncGenerator<SourceText, void, void> {
  for (const name of await listFolder(folder)) {
    const path = `${folder.replace(/\/+$/, "")}/${name}`;
    const kind = await kindOf(path);
    if (kind === "folder") {
      if (recursive && levels > 0) yield* textsIn(path, recursive, levels - 1);
    } else if (IN_FOLDERS.test(name) && await kindBehind(path) === "file") yield await readFile(path);
  }
}

/** What is at a path, with its links followed. */
async function kindBehind(path: string): ReturnType<typeof kindOf> {
  const kind = await kindOf(path);
  if (kind !== "link") return kind;
  const real = await realPath(path);
  return real === undefined ? undefined : await kindOf(real);
}

async function readFile(path: string): Promise<SourceText> {
  const text = await readGivenFile(path, "-f", "Send it on standard input: -f -");
  if (text !== undefined) return { text, source: printable(path) };
  throw new AppError("USAGE", `The path "${printable(path)}" does not exist.`);
}

async function readStandardInput({ terminal, out }: CommandContext): Promise<string> {
  if (terminal.canAsk) out.info("Reading from the terminal; end with Ctrl-D.");
  const text = await terminal.readIn(LARGEST);
  if (text.length <= LARGEST) return text;
  throw new AppError("USAGE", `Standard input is longer than ${LARGEST / MEBIBYTE} MiB.`, {
    hint: "Apply it in parts.",
  });
}

/** How many redirects are followed: no credential goes along. */
const MOST_REDIRECTS = 5;

/** The text at an address. It is asked for without any credential. */
async function readAddress(cli: CommandContext, address: string): Promise<string> {
  using network = cli.openNetwork();
  const context: HttpContext = { ...requestLimits(cli), fetch: network.fetch };
  let at = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const { status, headers, body } = await send(context, at);
    const location = headers.get("location");
    if (status >= 300 && status < 400 && location !== null) {
      at = URL.parse(location, at)?.href ?? location;
      continue;
    }
    if (status === 200) return new TextDecoder().decode(body);
    throw new AppError("INVALID", `${hostOf(at)} has no manifest at that address (HTTP ${status}).`, {
      hint: `See what is there: ${printable(at)}`,
    });
  }
  throw new AppError("INVALID", `${hostOf(address)} redirects more than ${MOST_REDIRECTS} times.`, {
    hint: "Name the address where it ends.",
  });
}

async function send(context: HttpContext, address: string) {
  const host = hostOf(address);
  return await sendBounded(context, address, { headers: { accept: "*/*" } }, {
    largest: () => LARGEST,
    bodyMayTakeLong: true,
    errors: {
      address: (asked, why) =>
        new AppError("USAGE", `-f: ${asked} ${why}.`, { hint: "Download it, and name the file." }),
      late: (proxy) => noAnswer(host, { proxy }),
      tooLarge: (mebibytes) =>
        new AppError("NETWORK", `${host} sent more than ${mebibytes} MiB.`, { retryable: false }),
      broken: (cause) =>
        new AppError("NETWORK", `${host} closed the connection before the manifest was complete.`, {
          hint: CHECK_NETWORK,
          cause,
        }),
    },
  });
}

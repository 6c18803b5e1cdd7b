/** Archives that are the same bytes for the same content: fixed owner, order, dates and modes. */

import { gzip } from "node:zlib";
import { zipSync } from "fflate";
import { packTar } from "modern-tar";
import type { Release } from "./table.ts";

/** A file of an archive. */
export interface Entry {
  /** Its path in the archive, without `./`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: 0o644 | 0o755;
}

/** What an archive is made for. */
type Dated = Pick<Release, "date" | "trial">;

/** How hard it is compressed. */
type Level = 1 | 6;

/** A trial is made often and sent nowhere: it is made in half the time. */
export function levelOf({ trial }: Dated): Level {
  return trial ? 1 : 6;
}

const UNIX = 3;
const REGULAR_FILE = 0o100000;

/** A text as an ordinary file. */
export function textEntry(path: string, text: string): Entry {
  return { path, bytes: new TextEncoder().encode(text), mode: 0o644 };
}

/**
 * A gzipped tar archive (POSIX ustar), in the order of paths, with the release's date.
 *
 * @param folders writes an entry for each folder, too, as Debian's packages have them, and `./` before each path.
 */
export async function tarGz(
  entries: readonly Entry[],
  release: Dated,
  { folders = false }: { readonly folders?: boolean } = {},
): Promise<Uint8Array> {
  const common = { mtime: new Date(release.date * 1000), uid: 0, gid: 0, uname: "root", gname: "root" };
  const prefix = folders ? "./" : "";
  const files = inOrder(entries).map(({ path, bytes, mode }) => ({
    header: { ...common, name: `${prefix}${path}`, size: bytes.length, mode, type: "file" as const },
    body: bytes,
  }));
  const above = (folders ? foldersOf(entries) : []).map((path) => ({
    header: { ...common, name: `./${path}`, size: 0, mode: 0o755, type: "directory" as const },
  }));
  return await gzipped(await packTar([...above, ...files]), levelOf(release));
}

/** A zip archive, in the order of paths, with the release's date. Dates in it have no time zone: it holds UTC. */
export function zip(entries: readonly Entry[], release: Dated): Uint8Array {
  // fflate writes the local time of a date.
  const here = new Date(release.date * 1000);
  const level = levelOf(release);
  const mtime = new Date(release.date * 1000 + here.getTimezoneOffset() * 60_000);
  return zipSync(Object.fromEntries(
    inOrder(entries).map(({ path, bytes, mode }) =>
      [path, [bytes, { mtime, os: UNIX, attrs: (REGULAR_FILE | mode) * 2 ** 16, level }]] as const
    ),
  ));
}

/** Compressed, without a name or a date. */
export function gzipped(bytes: Uint8Array, level: Level = 6): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    gzip(bytes, { level }, (error, result) => error === null ? resolve(result) : reject(error))
  );
}

function inOrder(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => a.path < b.path ? -1 : 1);
}

/** The folders that files lie in, those above first: "", "usr/", "usr/bin/". */
function foldersOf(entries: readonly Entry[]): readonly string[] {
  const found = new Set<string>([""]);
  for (const { path } of entries) {
    const names = path.split("/").slice(0, -1);
    names.forEach((_name, at) => found.add(`${names.slice(0, at + 1).join("/")}/`));
  }
  return [...found].sort();
}

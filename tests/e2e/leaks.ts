/** The search for secrets where they must not be: in texts, and in every file below some folders. */

import type { Secret } from "../cloud/cloud.ts";

/** Something to search for. */
export interface Needle {
  /** What it is, for the message; never the secret itself. */
  readonly what: string;
  /** Its bytes, a character for each. */
  readonly bytes: string;
}

/**
 * What to search for: every secret as it is and as a query has it, an ID token by its signature too, and a
 * session's key also as raw bytes and in hexadecimal.
 */
export function needlesOf(secrets: readonly Secret[], keys: readonly string[] = []): Needle[] {
  const needles: Needle[] = [];
  const add = (what: string, bytes: string) => {
    if (bytes.length < 16) throw new Error(`The ${what} is too short to be searched for.`);
    if (!needles.some((needle) => needle.bytes === bytes)) needles.push({ what, bytes });
  };
  for (const { kind, value } of secrets) {
    add(kind, value);
    add(`${kind}, encoded`, encodeURIComponent(value));
    add(`${kind} in base64`, btoa(value).replace(/=+$/, ""));
    if (kind === "id_token") add("signature of an id_token", value.split(".")[2] ?? "");
  }
  for (const key of keys) {
    const raw = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
    const hex = Array.from(raw, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
    add("key", key);
    add("key, raw", byCharacter(Uint8Array.from(raw, (byte) => byte.charCodeAt(0))));
    add("key in hexadecimal", hex);
    add("key in base64", btoa(raw).replace(/=+$/, ""));
  }
  return needles;
}

/** What of the needles a text holds. */
export function leaksIn(text: string, needles: readonly Needle[]): string[] {
  return needles.filter(({ bytes }) => text.includes(bytes)).map(({ what }) => what);
}

/**
 * Every leak below the folders, as `path: what`, and how many files there are. A file that was last written before
 * `since`, in milliseconds since 1970, is not read.
 */
export async function leaksBelow(
  folders: readonly string[],
  needles: readonly Needle[],
  since = 0,
): Promise<{ readonly leaks: string[]; readonly files: number }> {
  const leaks: string[] = [];
  let files = 0;
  const visit = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      leaks.push(...leaksIn(name, needles).map((what) => `the name of ${path}: ${what}`));
      if (isDirectory) await visit(path);
      if (!isFile) continue;
      files++;
      if (since > 0 && await writtenAt(path) < since) continue;
      // Others may be at work in the project's folder.
      const bytes = await Deno.readFile(path).catch(() => undefined);
      if (bytes === undefined) continue;
      leaks.push(...leaksIn(byCharacter(bytes), needles).map((what) => `${path}: ${what}`));
    }
  };
  for (const folder of folders) await visit(folder);
  return { leaks, files };
}

async function writtenAt(path: string): Promise<number> {
  const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
  return mtime?.getTime() ?? Infinity;
}

/** Bytes as text, a character for each byte, so that binary files can be searched. */
function byCharacter(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

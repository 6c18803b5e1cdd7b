/** The one table of a release: what it is, for which machines, what its files are called, and their sums. */

import type { Target } from "../targets.ts";

/** The program and its packages. */
export const NAME = "datumctl";

/** One sentence for package indexes. */
export const DESCRIPTION = "Sign in to Kubernetes-style clouds and hand kubectl fresh credentials";

/** The project's page, below which its releases are served. */
export const HOMEPAGE = "https://github.com/datumctl/datumctl";

/** The licence of the project, an SPDX identifier. */
export const LICENCE = "Apache-2.0";

/** Whom packages name, as Debian and RPM want it. */
export const MAINTAINER = "The datumctl authors <maintainers@datumctl.invalid>";

/** Told in every packaging file, each in its own comments. */
export const NOTES = [
  "The program carries its code behind itself: stripping it, or changing it in any other way, breaks it.",
  "On Linux it needs glibc 2.27 or newer; it does not run on musl.",
] as const;

/** A machine that a release is made for. */
export interface Platform {
  readonly target: Target;
  readonly os: "linux" | "darwin" | "windows";
  readonly arch: "amd64" | "arm64";
}

/** All machines of a release. */
export const PLATFORMS: readonly Platform[] = [
  { target: "x86_64-unknown-linux-gnu", os: "linux", arch: "amd64" },
  { target: "aarch64-unknown-linux-gnu", os: "linux", arch: "arm64" },
  { target: "x86_64-apple-darwin", os: "darwin", arch: "amd64" },
  { target: "aarch64-apple-darwin", os: "darwin", arch: "arm64" },
  { target: "x86_64-pc-windows-msvc", os: "windows", arch: "amd64" },
  { target: "aarch64-pc-windows-msvc", os: "windows", arch: "arm64" },
];

/** What is released. */
export interface Release {
  /** Semantic version, without a `v`. */
  readonly version: string;
  /** The commit's 40 hexadecimal digits, `-dirty` behind them in a trial release of changed files. */
  readonly commit: string;
  /** The date of all files, in seconds since 1970. */
  readonly date: number;
  /** A release for trial, on a base runtime that is not Deno's own download: it is never published. */
  readonly trial: boolean;
}

/** A release whose archives are made. */
export interface Released extends Release {
  /** Its archives hold `completions/`. */
  readonly completions: boolean;
  /** Its archives hold `man/`. */
  readonly manPages: boolean;
  /** The SHA-256 of each file in hexadecimal, by the file's name. */
  readonly sums: ReadonlyMap<string, string>;
}

/** A file that can be downloaded. */
export interface Download {
  readonly name: string;
  readonly url: string;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
}

/** The program's file in an archive. */
export function programName({ os }: Platform): string {
  return os === "windows" ? `${NAME}.exe` : NAME;
}

/** The name of a machine's archive. */
export function archiveName({ version }: Release, { os, arch }: Platform): string {
  return `${NAME}_${version}_${os}_${arch}.${os === "windows" ? "zip" : "tar.gz"}`;
}

/** The name of a Linux machine's package. */
export function packageName({ version }: Release, { os, arch }: Platform, kind: "deb" | "rpm"): string {
  return `${NAME}_${version}_${os}_${arch}.${kind}`;
}

/** The name of the list of what is in a release. */
export function sbomName({ version }: Release): string {
  return `${NAME}_${version}.cdx.json`;
}

/** The file of sums, as `sha256sum --check` reads it. */
export const SUMS = "checksums.txt";

/** Where the page of a release is. */
export function releasePage({ version }: Release): string {
  return `${HOMEPAGE}/releases/tag/v${version}`;
}

/**
 * The archive for a machine.
 *
 * @throws {Error} when the release has none.
 */
export function archiveOf(release: Released, os: Platform["os"], arch: Platform["arch"]): Download {
  const platform = PLATFORMS.find((one) => one.os === os && one.arch === arch);
  const name = platform === undefined ? undefined : archiveName(release, platform);
  const sha256 = name === undefined ? undefined : release.sums.get(name);
  if (name === undefined || sha256 === undefined) {
    throw new Error(`The release has no archive for ${os} on ${arch}.`);
  }
  return { name, url: `${HOMEPAGE}/releases/download/v${release.version}/${name}`, sha256 };
}

/** The file of sums of some files. */
export function sumsFile(sums: ReadonlyMap<string, string>): string {
  return [...sums].sort(([a], [b]) => a < b ? -1 : 1).map(([name, sum]) => `${sum}  ${name}\n`).join("");
}

/** The notes of a packaging file, a line each, with a warning where the release is for trial. */
export function notes({ trial }: Release): readonly string[] {
  return trial ? ["This is a trial build: it must not be published.", ...NOTES] : NOTES;
}

/** {@link notes} as comments. */
export function comments(release: Release, prefix: string): string {
  return notes(release).map((line) => `${prefix}${line}\n`).join("");
}

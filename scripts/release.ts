/** `deno task release`: all files of a release, and for trial one that is marked as such. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { parseArgs } from "node:util";
import { VERSION } from "../src/version.ts";
import { buildDate, headCommit } from "./commit.ts";
import { ownRuntimeReachable, ROOT } from "./compile.ts";
import { hasRpmbuild } from "./release/linux-packages.ts";
import { makeRelease } from "./release/make.ts";
import { checkPrograms, compilePrograms, programsIn } from "./release/programs.ts";
import { type Platform, PLATFORMS, type Release } from "./release/table.ts";

const USAGE = `Usage: deno task release [options]

  --trial            on the base runtime that trial builds take, and of changed files, too: marked, never published
  --programs FOLDER  takes FOLDER/TARGET/datumctl instead of compiling
  --tag TAG          fails unless TAG is v and the version
  --out FOLDER       a new or empty folder; dist/release is made anew without it
  --without-rpm      makes no packages for RPM's distributions, which take rpmbuild
  --only NAMES       such as linux_amd64,windows_arm64: a part for tests, without packaging/`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      "trial": { type: "boolean", default: false },
      "programs": { type: "string" },
      "tag": { type: "string" },
      "out": { type: "string" },
      "without-rpm": { type: "boolean", default: false },
      "only": { type: "string" },
      "help": { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  if (values.tag !== undefined && values.tag !== `v${VERSION}`) {
    throw new Error(`The tag is ${values.tag} and deno.json has the version ${VERSION}.`);
  }
  const platforms = chosenPlatforms(values.only);
  const withRpm = !values["without-rpm"];
  if (withRpm && !await hasRpmbuild()) {
    throw new Error("rpmbuild is missing. Install it (Debian: rpm), or pass --without-rpm.");
  }
  const release = await describe(values.trial, values.programs !== undefined);
  const out = await emptyFolder(values.out);
  const work = await Deno.makeTempDir({ prefix: "datumctl-release-" });
  try {
    const programs = values.programs === undefined
      ? await compilePrograms(release, platforms, work)
      : programsIn(values.programs);
    await checkPrograms(release, platforms, programs);
    await makeRelease(release, programs, out, { platforms, rpm: withRpm }, (file) => console.log(file));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  console.error(
    `datumctl ${VERSION} of ${release.commit}${
      release.trial ? " (trial build, never to be published)" : ""
    } ` +
      `is in ${out}`,
  );
}

/** What is released from here. */
async function describe(trial: boolean, compiled: boolean): Promise<Release> {
  const commit = await headCommit();
  if (commit === undefined) throw new Error("A release is made of a commit, and this is no git repository.");
  if (!trial) await refuseTrial(commit.id, compiled);
  return { version: VERSION, commit: commit.id, date: await buildDate(), trial };
}

async function refuseTrial(commit: string, compiled: boolean): Promise<void> {
  const otherwise = "--trial makes a release that is marked and never published.";
  if (commit.endsWith("-dirty")) {
    throw new Error(`Files differ from the commit: commit or stash them. ${otherwise}`);
  }
  if (compiled) return;
  if (Deno.env.get("DENORT_BIN")) {
    throw new Error(`DENORT_BIN names a base runtime by hand: a release takes Deno's own. ${otherwise}`);
  }
  if (!await ownRuntimeReachable()) {
    throw new Error(`The base runtime of Deno ${Deno.version.deno} cannot be fetched here. ${otherwise}`);
  }
}

function chosenPlatforms(only: string | undefined): readonly Platform[] {
  if (only === undefined) return PLATFORMS;
  return only.split(",").map((name) => {
    const found = PLATFORMS.find(({ os, arch }) => `${os}_${arch}` === name);
    if (found !== undefined) return found;
    throw new Error(`--only names ${PLATFORMS.map(({ os, arch }) => `${os}_${arch}`).join(", ")}.`);
  });
}

async function emptyFolder(chosen: string | undefined): Promise<string> {
  const usual = `${ROOT}dist/release`;
  if (chosen === undefined) {
    await Deno.remove(usual, { recursive: true }).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
  const folder = chosen ?? usual;
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(folder)) {
    throw new Error(`${folder} is not empty: ${name} lies there. Name another folder with --out.`);
  }
  return folder;
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}

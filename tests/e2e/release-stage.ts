/** A release for trial, made once for all tests of a run; a registry of npm that serves its packages. */

import { unpackTar } from "modern-tar";
import { headCommit } from "../../scripts/commit.ts";
import { ROOT } from "../../scripts/compile.ts";
import { PLATFORMS } from "../../scripts/release/table.ts";
import { hostTarget } from "../../scripts/targets.ts";
import { run } from "../scripts/release/example.ts";

/** Whether a release can be made here: of a commit, on Linux. */
export const CAN_RELEASE = Deno.build.os === "linux" && await headCommit() !== undefined;

/** This machine in the names of archives, such as `linux_amd64`. */
export const HERE = PLATFORMS.filter(({ target }) => target === hostTarget())
  .map(({ os, arch }) => `${os}_${arch}`).join();

let made: Promise<string> | undefined;

/** The folder of a release for trial with everything: `$DATUMCTL_RELEASE`, else one that is made once per run. */
export function trialRelease(): Promise<string> {
  return made ??= (async () => {
    const given = Deno.env.get("DATUMCTL_RELEASE");
    if (given !== undefined) return given;
    const folder = await Deno.makeTempDir({ prefix: "datumctl-release-test-" });
    addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    await makeRelease(["--trial", "--out", `${folder}/release`]);
    return `${folder}/release`;
  })();
}

/** Runs `deno task release` of a repository, without its task. */
export async function makeRelease(
  args: readonly string[],
  { root = ROOT, env = {}, umask = "022" }: {
    readonly root?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly umask?: string;
  } = {},
): Promise<void> {
  const command = [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-check",
    "--allow-all",
    `${root}scripts/release.ts`,
  ];
  await run("sh", ["-c", `umask ${umask}; exec "$@"`, "sh", ...command, ...args], {
    env: { ...env },
    cwd: root,
  });
}

/** Where the release is unpacked for this machine. */
export async function unpackedInto(folder: string): Promise<string> {
  const release = await trialRelease();
  for await (const { name } of Deno.readDir(release)) {
    if (name.endsWith(`_${HERE}.tar.gz`)) await run("tar", ["-xzf", `${release}/${name}`, "-C", folder]);
  }
  return folder;
}

/** A registry of npm on this machine. */
export interface Registry extends AsyncDisposable {
  readonly url: string;
}

/** Serves the packages of npm in a folder, as registry.npmjs.org would. */
export async function serveRegistry(folder: string): Promise<Registry> {
  const packages = new Map<string, { readonly manifest: Record<string, unknown>; readonly file: string }>();
  for await (const { name: file } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(`${folder}/${file}`);
    const manifest = JSON.parse(await packageJson(bytes));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes)).toBase64();
    packages.set(manifest.name, {
      manifest: { ...manifest, dist: { integrity: `sha512-${digest}`, tarball: `/files/${file}` } },
      file,
    });
  }
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, origin } = new URL(request.url);
    const asked = decodeURIComponent(pathname.slice(1));
    if (asked.startsWith("files/")) {
      const file = [...packages.values()].find(({ file }) => asked === `files/${file}`)?.file;
      return file === undefined
        ? new Response(null, { status: 404 })
        : new Response((await Deno.open(`${folder}/${file}`)).readable);
    }
    const found = packages.get(asked)?.manifest;
    if (found === undefined) return Response.json({ error: "not found" }, { status: 404 });
    const { version, dist, ...rest } = found as { version: string; dist: { tarball: string } };
    const served = { ...rest, version, dist: { ...dist, tarball: origin + dist.tarball } };
    return Response.json({
      name: asked,
      "dist-tags": { latest: version },
      versions: { [version]: served },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function packageJson(tarball: Uint8Array<ArrayBuffer>): Promise<string> {
  const plain = new Blob([tarball]).stream().pipeThrough(new DecompressionStream("gzip"));
  const filter = ({ name }: { readonly name: string }) => name === "package/package.json";
  const [entry] = await unpackTar(plain, { filter });
  return new TextDecoder().decode(entry?.data);
}

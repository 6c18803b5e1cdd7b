/** A server of releases on this machine, as the installers find them: the newest, each by its version, and their sums. */

import { makeCertificates } from "../cloud/certificates.ts";

/** A release to serve. */
export interface Served {
  readonly version: string;
  /** The body of a shell script in the program's place, instead of one that tells its version as the real one does. */
  readonly program?: string;
  /** The path of a real program. */
  readonly binary?: string;
  /** Files of the archive beside the program, by their paths in it. */
  readonly files?: Readonly<Record<string, string>>;
}

/** How an answer differs from what was published: one bit is another, only its first 50 bytes come, or none does. */
export type Damage = "changed" | "cut" | "missing";

/** A running server of releases. */
export interface ReleaseServer extends AsyncDisposable {
  /** The value of BASE_URL. */
  readonly base: string;
  /** The paths that were asked for. */
  readonly asked: string[];
  /** Makes another release the newest one. */
  publish(served: Served): Promise<void>;
  /** From here on, what is asked for at paths that end so is damaged. */
  damage(end: string, how: Damage): void;
}

/** The usual files beside the program. */
export const FILES: Readonly<Record<string, string>> = {
  "LICENSE": "the licence\n",
  "man/datumctl.1": ".TH DATUMCTL 1\n",
  "completions/datumctl.bash": "# bash\n",
  "completions/_datumctl": "#compdef datumctl\n",
  "completions/datumctl.fish": "# fish\n",
};

/**
 * Starts a server with one release, over TLS where `redirect` is given: each archive is then answered by a redirect
 * to that origin.
 *
 * @param folder an empty folder of the test's own.
 */
export async function serveReleases(
  folder: string,
  served: Served,
  tls?: { readonly redirect: string },
): Promise<ReleaseServer & { readonly caPem: string | undefined }> {
  const published = new Map<string, Uint8Array>();
  const damaged = new Map<string, Damage>();
  const asked: string[] = [];

  const publish = async (release: Served) => {
    const sums: string[] = [];
    // A real program is for this machine alone.
    const here = `linux_${Deno.build.arch === "aarch64" ? "arm64" : "amd64"}`;
    for (const target of release.binary === undefined ? ["linux_amd64", "linux_arm64"] : [here]) {
      const name = `datumctl_${release.version}_${target}.tar.gz`;
      const bytes = await archive(`${folder}/${release.version}`, release);
      published.set(`/download/v${release.version}/${name}`, bytes);
      const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toHex();
      sums.push(`${sum}  ${name}`);
    }
    const list = new TextEncoder().encode(`${sums.join("\n")}\n`);
    published.set(`/download/v${release.version}/checksums.txt`, list);
    published.set("/latest/download/checksums.txt", list);
  };

  const answer = ({ url }: Request): Response => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    const bytes = published.get(pathname);
    const how = [...damaged].find(([end]) => pathname.endsWith(end))?.[1];
    if (bytes === undefined || how === "missing") return new Response("not here", { status: 404 });
    if (tls !== undefined && pathname.endsWith(".tar.gz") && tls.redirect !== "") {
      return new Response(null, { status: 302, headers: { location: tls.redirect + pathname } });
    }
    if (how === "changed") {
      return new Response(Uint8Array.from(bytes, (byte, at) => at === 40 ? byte ^ 1 : byte));
    }
    if (how === "cut") return new Response(new Uint8Array(bytes.slice(0, 50)));
    return new Response(new Uint8Array(bytes));
  };

  await publish(served);
  const certificates = tls === undefined ? undefined : await makeCertificates(new Date());
  const listening = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = certificates === undefined ? Deno.serve(listening, answer) : Deno.serve(
    { ...listening, cert: certificates.certificatePem, key: certificates.keyPem },
    answer,
  );
  const scheme = certificates === undefined ? "http://127.0.0.1" : "https://localhost";
  return {
    base: `${scheme}:${server.addr.port}`,
    caPem: certificates?.caPem,
    asked,
    publish,
    damage(end, how) {
      damaged.set(end, how);
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function archive(
  folder: string,
  { version, program, binary, files = FILES }: Served,
): Promise<Uint8Array> {
  const body = program ?? `echo "Version    ${version}"\necho "Runtime    Deno 2.9.6"`;
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  await Deno.mkdir(folder, { recursive: true });
  if (binary !== undefined) await Deno.copyFile(binary, `${folder}/datumctl`);
  else await Deno.writeTextFile(`${folder}/datumctl`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const { stdout } = await new Deno.Command("tar", {
    args: ["--sort=name", "--mtime=@0", "--use-compress-program=gzip -1", "-cf", "-", "-C", folder, "."],
  }).output();
  return stdout;
}

/** Packages for Debian and for RPM's distributions, and where their files go. */

import { createHash } from "node:crypto";
import { type Entry, gzipped, levelOf, tarGz, textEntry } from "./archives.ts";
import type { Contents } from "./contents.ts";
import { helperEntry } from "./helper.ts";
import { comments, DESCRIPTION, HOMEPAGE, LICENCE, MAINTAINER, NAME, notes, type Release } from "./table.ts";

/** A kind of Linux package. */
export type PackageKind = "deb" | "rpm";

/** Where a Linux package puts the program and what lies beside it. */
export async function installedFiles(
  program: Uint8Array,
  contents: Contents,
  kind: PackageKind,
): Promise<readonly Entry[]> {
  const share = "usr/share";
  const folders: Readonly<Record<string, string>> = {
    "datumctl.bash": `${share}/bash-completion/completions/${NAME}`,
    "_datumctl": `${share}/zsh/${kind === "deb" ? "vendor-completions" : "site-functions"}/_${NAME}`,
    "datumctl.fish": `${share}/fish/vendor_completions.d/${NAME}.fish`,
  };
  const papers = contents.papers.map((entry) => ({
    ...entry,
    path: `${share}/doc/${NAME}/${entry.path === "LICENSE" ? "copyright" : entry.path}`,
  }));
  const completions = contents.completions.flatMap((entry) => {
    const path = folders[nameOf(entry)];
    return path === undefined ? [] : [{ ...entry, path }];
  });
  const manPages = await Promise.all(contents.manPages.map(async (entry) => ({
    ...entry,
    path: `${share}/man/man1/${nameOf(entry)}.gz`,
    bytes: await gzipped(entry.bytes),
  })));
  return [
    { path: `usr/bin/${NAME}`, bytes: program, mode: 0o755 },
    helperEntry("linux", "usr/bin/"),
    ...papers,
    ...completions,
    ...manPages,
  ];
}

function nameOf({ path }: Entry): string {
  return path.replace(/^.*\//, "");
}

/** A binary package for Debian. deb(5), deb-control(5) */
export async function deb(
  release: Release,
  architecture: "amd64" | "arm64",
  files: readonly Entry[],
): Promise<Uint8Array> {
  const installed = Math.ceil(files.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1024);
  const control = [
    `Package: ${NAME}`,
    `Version: ${packageVersion(release.version)}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${installed}`,
    "Depends: libc6 (>= 2.27), libgcc-s1 | libgcc1",
    "Recommends: ca-certificates, libsecret-tools",
    "Section: utils",
    "Priority: optional",
    `Homepage: ${HOMEPAGE}`,
    `Description: ${DESCRIPTION}`,
    ...notes(release).map((line) => ` ${line}`),
    "",
  ].join("\n");
  const sums = files.toSorted((a, b) => a.path < b.path ? -1 : 1).map(({ path, bytes }) =>
    `${createHash("md5").update(bytes).digest("hex")}  ${path}\n`
  );
  const controlFiles = [textEntry("control", control), textEntry("md5sums", sums.join(""))];
  return ar([
    { path: "debian-binary", bytes: new TextEncoder().encode("2.0\n"), mode: 0o644 },
    {
      path: "control.tar.gz",
      bytes: await tarGz(controlFiles, release, { folders: true }),
      mode: 0o644,
    },
    { path: "data.tar.gz", bytes: await tarGz(files, release, { folders: true }), mode: 0o644 },
  ], release.date);
}

/** `1.0.0-rc.1` is older than `1.0.0` for Debian and RPM when it is written `1.0.0~rc.1`. */
function packageVersion(version: string): string {
  return version.replace("-", "~");
}

/** An archive of ar, as deb(5) wants it. */
function ar(entries: readonly Entry[], date: number): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [encoder.encode("!<arch>\n")];
  for (const { path, bytes, mode } of entries) {
    const header = path.padEnd(16) + String(date).padEnd(12) + "0".padEnd(6) + "0".padEnd(6) +
      `100${mode.toString(8)}`.padEnd(8) + String(bytes.length).padEnd(10) + "`\n";
    parts.push(encoder.encode(header), bytes);
    if (bytes.length % 2 === 1) parts.push(encoder.encode("\n"));
  }
  return concatenated(parts);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A package for RPM's distributions, made by rpmbuild. */
export async function rpm(
  release: Release,
  architecture: "x86_64" | "aarch64",
  files: readonly Entry[],
): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "datumctl-rpm-" });
  try {
    for (const { path, bytes, mode } of files) {
      const to = `${folder}/files/${path}`;
      await Deno.mkdir(to.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(to, bytes);
      await Deno.chmod(to, mode);
      await Deno.utime(to, release.date, release.date);
    }
    await Deno.writeTextFile(`${folder}/${NAME}.spec`, rpmSpec(release, files));
    const { success, stderr } = await new Deno.Command("rpmbuild", {
      args: [
        "-bb",
        "--quiet",
        ...["--target", `${architecture}-linux`],
        ...["--define", `_topdir ${folder}/build`],
        ...["--define", `prebuilt ${folder}/files`],
        `${folder}/${NAME}.spec`,
      ],
      env: { SOURCE_DATE_EPOCH: String(release.date), LC_ALL: "C.UTF-8", HOME: folder },
      stdin: "null",
      stdout: "null",
    }).output();
    if (!success) throw new Error(`rpmbuild failed:\n${new TextDecoder().decode(stderr).trim()}`);
    const built = `${folder}/build/RPMS/${architecture}`;
    for await (const { name } of Deno.readDir(built)) return await Deno.readFile(`${built}/${name}`);
    throw new Error("rpmbuild left no package.");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether {@link rpm} can be called here. */
export async function hasRpmbuild(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("rpmbuild", { args: ["--version"], stdout: "null" }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What rpmbuild reads. */
export function rpmSpec(release: Release, files: readonly Entry[]): string {
  const paths = files.map(({ path }) => `${path.startsWith("usr/share/doc/") ? "%doc " : ""}/${path}`).sort();
  return `${comments(release, "# ")}
# Nothing may touch the program after it was compiled.
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%global _missing_build_ids_terminate_build 0
# The same files make the same package, on every machine.
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global _buildhost reproducible
%global _binary_payload w${levelOf(release)}.gzdio

Name:           ${NAME}
Version:        ${packageVersion(release.version)}
Release:        1
Summary:        ${DESCRIPTION}
License:        ${LICENCE}
URL:            ${HOMEPAGE}
AutoReqProv:    no
Requires:       glibc >= 2.27, libgcc
Recommends:     ca-certificates, libsecret

%description
${notes(release).join("\n")}

%install
cp -a "%{prebuilt}/." "%{buildroot}"

%files
%defattr(-,root,root)
${paths.join("\n")}
`;
}

/** Proves that each packaging file is one that its own system takes, and leads to the archives of the table. */

import assert from "node:assert/strict";
import { validate } from "dockerfile-utils";
import * as v from "valibot";
import { parse } from "yaml";
import { packagingFiles } from "../../../scripts/release/packaging/files.ts";
import { archiveName, PLATFORMS, type Released } from "../../../scripts/release/table.ts";
import { inScratch } from "../../scratch.ts";
import { has, releasedExample, run, sumOf } from "./example.ts";
import { CAN_BUILD_KREW, krewProgram } from "./krew.ts";

function file(path: string, release: Released = releasedExample()): string {
  return packagingFiles(release).get(path) ?? assert.fail(`there is no packaging/${path}`);
}

/** Where each machine's archive is, and its sum. */
const ARCHIVES = PLATFORMS.map((platform, at) => ({
  ...platform,
  url: `https://github.com/datumctl/datumctl/releases/download/v1.2.3/${
    archiveName(releasedExample(), platform)
  }`,
  sha256: sumOf(at),
}));

const archive = (os: string, arch: string) =>
  ARCHIVES.find((one) => one.os === os && one.arch === arch) ?? assert.fail(`${os} ${arch}`);

Deno.test("every packaging file says that the program must not be stripped, and that it needs glibc", () => {
  for (const [path, text] of packagingFiles(releasedExample())) {
    if (path === "aur/.SRCINFO") continue;
    assert.match(text, /stripping it, or changing it in any other way, breaks it/, path);
    assert.match(text, /needs glibc 2\.27 or newer/, path);
    assert.doesNotMatch(text, /trial/, path);
  }
});

Deno.test("every packaging file of a trial release says that it must not be published", () => {
  for (const [path, text] of packagingFiles(releasedExample({ trial: true }))) {
    if (path !== "aur/.SRCINFO") assert.match(text, /trial build: it must not be published/, path);
  }
});

Deno.test("no packaging file is made of a release that lacks an archive", () => {
  const sums = new Map([...releasedExample().sums].slice(1));
  assert.throws(() => packagingFiles(releasedExample({ sums })), /no archive for linux on amd64/);
});

Deno.test({
  name: "Homebrew's formula is Ruby, and fetches the archive of each system by its sum",
  ignore: !has("ruby"),
  async fn() {
    await inScratch(async (folder) => {
      const path = `${folder}/datumctl.rb`;
      await Deno.writeTextFile(path, file("homebrew/datumctl.rb"));
      assert.match(await run("ruby", ["-wc", path]), /Syntax OK/);
      const stand = new URL("homebrew.rb", import.meta.url).pathname;
      for (const { os, arch, url, sha256 } of ARCHIVES.filter(({ os }) => os !== "windows")) {
        const facts = JSON.parse(await run("ruby", [stand, path, os, arch]));
        assert.deepEqual([facts.url, facts.sha256, facts.version], [url, sha256, "1.2.3"]);
        assert.ok(facts.desc.length < 80 && !/^(?:an?|the) |\.$/i.test(facts.desc), facts.desc);
      }
    });
  },
});

Deno.test({
  name: "Krew's own checker takes the plugin's manifest, and refuses a changed one",
  ignore: !CAN_BUILD_KREW,
  async fn() {
    const checker = await krewProgram("validate-krew-manifest");
    await inScratch(async (folder) => {
      const path = `${folder}/datum-login.yaml`;
      const check = () => run(checker, ["-skip-install", "-manifest", path]);
      const text = file("krew/datum-login.yaml");
      await Deno.writeTextFile(path, text);
      await check();
      await Deno.writeTextFile(path, text.replace(/sha256: .*/, "sha256: abc"));
      await assert.rejects(check(), /sha256/);
    });
    const { spec } = parse(file("krew/datum-login.yaml"));
    assert.deepEqual(
      spec.platforms.map((
        one: { selector: { matchLabels: { os: string; arch: string } }; uri: string; sha256: string },
      ) => [one.selector.matchLabels.os, one.selector.matchLabels.arch, one.uri, one.sha256]),
      ARCHIVES.map(({ os, arch, url, sha256 }) => [os, arch, url, sha256]),
    );
    assert.ok(spec.shortDescription.length <= 50, spec.shortDescription);
  },
});

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const https = v.pipe(v.string(), v.regex(/^https:\/\/\S+$/));

Deno.test("scoop's manifest has what its wiki asks for, and nothing that scoop does not know", () => {
  const machine = v.strictObject({ url: https, hash: sha256 });
  const manifest = v.parse(
    v.strictObject({
      "##": v.array(v.string()),
      version: v.pipe(v.string(), v.regex(/^[\w.+-]+$/)),
      description: v.pipe(v.string(), v.regex(/^(?!datumctl)\S.*\S$/)),
      homepage: https,
      license: v.literal("Apache-2.0"),
      architecture: v.strictObject({ "64bit": machine, arm64: machine }),
      bin: v.tuple([v.literal("datumctl.exe"), v.literal("docker-credential-datumctl.cmd")]),
      checkver: v.strictObject({ github: https }),
      autoupdate: v.strictObject({
        architecture: v.strictObject({
          "64bit": v.strictObject({ url: https }),
          arm64: v.strictObject({ url: https }),
        }),
        hash: v.strictObject({ url: v.literal("$baseurl/checksums.txt") }),
      }),
    }),
    JSON.parse(file("scoop/datumctl.json")),
  );
  const { architecture, autoupdate, version } = manifest;
  for (const [name, arch] of [["64bit", "amd64"], ["arm64", "arm64"]] as const) {
    const { url, sha256: hash } = archive("windows", arch);
    assert.deepEqual(architecture[name], { url, hash });
    assert.equal(autoupdate.architecture[name].url.replaceAll("$version", version), url);
  }
});

Deno.test("winget's three files have what its schema asks for, and agree with each other", () => {
  const identity = {
    PackageIdentifier: v.pipe(v.string(), v.regex(/^[^.\s]{1,32}\.[^.\s]{1,32}$/)),
    PackageVersion: v.literal("1.2.3"),
    ManifestVersion: v.literal("1.10.0"),
  };
  const text = (longest: number) => v.pipe(v.string(), v.minLength(2), v.maxLength(longest));
  const read = <const Shape extends v.ObjectEntries>(name: string, type: string, shape: Shape) => {
    const content = file(`winget/Datumctl.Datumctl${name}.yaml`);
    assert.match(
      content,
      new RegExp(`^# yaml-language-server: \\S+winget-manifest\\.${type}\\.1\\.10\\.0\\.schema\\.json\n`),
    );
    return v.parse(v.strictObject({ ...identity, ManifestType: v.literal(type), ...shape }), parse(content));
  };
  read("", "version", { DefaultLocale: v.literal("en-US") });
  read(".locale.en-US", "defaultLocale", {
    PackageLocale: v.literal("en-US"),
    Publisher: text(256),
    PackageName: text(256),
    PackageUrl: https,
    License: text(512),
    LicenseUrl: https,
    ShortDescription: text(256),
    Moniker: text(40),
    Tags: v.pipe(v.array(text(40)), v.maxLength(16)),
    ReleaseNotesUrl: https,
  });
  const { Installers } = read(".installer", "installer", {
    InstallerType: v.literal("zip"),
    NestedInstallerType: v.literal("portable"),
    NestedInstallerFiles: v.tuple([
      v.strictObject({
        RelativeFilePath: v.literal("datumctl.exe"),
        PortableCommandAlias: v.literal("datumctl"),
      }),
    ]),
    Commands: v.tuple([v.literal("datumctl")]),
    ReleaseDate: v.literal("2026-11-29"),
    Installers: v.array(
      v.strictObject({
        Architecture: v.picklist(["x64", "arm64"]),
        InstallerUrl: https,
        InstallerSha256: v.pipe(v.string(), v.regex(/^[0-9A-F]{64}$/)),
      }),
    ),
  });
  assert.deepEqual(
    Installers.map((one) => [one.Architecture, one.InstallerUrl, one.InstallerSha256.toLowerCase()]),
    [["x64", "amd64"], ["arm64", "arm64"]].map(([name, arch = ""]) => {
      const { url, sha256 } = archive("windows", arch);
      return [name, url, sha256];
    }),
  );
});

Deno.test({
  name: "makepkg makes of AUR's PKGBUILD the .SRCINFO beside it, and shellcheck finds nothing",
  ignore: !has("makepkg") || !has("shellcheck") || !has("setpriv"),
  async fn() {
    await inScratch(async (folder) => {
      // makepkg refuses to run as root.
      await Deno.chmod(folder, 0o777);
      await Deno.writeTextFile(`${folder}/PKGBUILD`, file("aur/PKGBUILD"));
      await run("bash", ["-n", `${folder}/PKGBUILD`]);
      // What makepkg reads and sets is not used in the file itself.
      await run("shellcheck", ["--shell=bash", "--exclude=SC2034,SC2154", `${folder}/PKGBUILD`]);
      const nobody = Deno.uid() === 0 ? ["--reuid=65534", "--regid=65534", "--clear-groups"] : [];
      const printed = await run("setpriv", [...nobody, "makepkg", "--printsrcinfo"], {
        cwd: folder,
        env: { HOME: folder },
      });
      assert.equal(printed.trimEnd(), file("aur/.SRCINFO").trimEnd());
      for (const arch of ["amd64", "arm64"]) {
        const { url, sha256 } = archive("linux", arch);
        assert.ok(printed.includes(` = ${url}\n`) && printed.includes(` = ${sha256}\n`), arch);
      }
      assert.match(printed, /\toptions = !strip\n/);
    });
  },
});

Deno.test("a version with a hyphen is one that Arch Linux takes", () => {
  const sums = new Map(
    PLATFORMS.map((
      platform,
    ) => [archiveName({ ...releasedExample(), version: "1.0.0-rc.1" }, platform), "0"]),
  );
  const text = file("aur/PKGBUILD", releasedExample({ version: "1.0.0-rc.1", sums }));
  assert.match(text, /^pkgver='1\.0\.0rc\.1'$/m);
});

Deno.test("the Containerfile is well formed: distroless, not root, the program as entry point", () => {
  const text = file("oci/Containerfile");
  assert.deepEqual(validate(text), []);
  assert.notDeepEqual(validate(text.replace("ENTRYPOINT", "ENTRYPONT")), [], "a fault is found");
  const [, , last = ""] = text.split(/^FROM /m);
  assert.match(last, /^gcr\.io\/distroless\/cc-/);
  assert.match(last, /^USER [1-9]\d*:[1-9]\d*$/m);
  assert.match(last, /^ENTRYPOINT \["\/usr\/bin\/datumctl"\]$/m);
  for (const arch of ["amd64", "arm64"]) {
    const added = /^ADD (\S+)/m.exec(text)?.[1]?.replace("${TARGETARCH}", arch);
    assert.ok(archive("linux", arch).url.endsWith(`/${added}`));
  }
});

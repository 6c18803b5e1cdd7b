/** Proves a release as people get it: the same bytes twice; installed by each system that is here, run, and removed. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { ROOT } from "../../scripts/compile.ts";
import { kubectlPath } from "../../scripts/npm-packages.ts";
import { VERSION } from "../../src/version.ts";
import { filesBelow, inScratch, scratchFolder, writeScript } from "../scratch.ts";
import { has, run } from "../scripts/release/example.ts";
import { CAN_BUILD_KREW, krewProgram } from "../scripts/release/krew.ts";
import {
  CAN_RELEASE,
  HERE,
  makeRelease,
  serveRegistry,
  trialRelease,
  unpackedInto,
} from "./release-stage.ts";

const MACHINES = [
  "linux_amd64",
  "linux_arm64",
  "darwin_amd64",
  "darwin_arm64",
  "windows_amd64",
  "windows_arm64",
];

/** A test of a release, where one can be made and these programs are. */
function releaseTest(name: string, programs: readonly string[], fn: () => Promise<void>): void {
  const missing = programs.filter((program) => !has(program));
  const ignore = !CAN_RELEASE || missing.length > 0;
  // deno-lint-ignore no-console -- says what is skipped, and why
  if (ignore) console.log(`skipped: "${name}" (${missing.join(", ") || "no release can be made here"})`);
  Deno.test({ name, ignore, fn });
}

/** What a program says of itself. */
async function versionOf(program: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const said = JSON.parse(
    await run(program, ["version", "-o", "json"], { env: { HOME: "/nowhere", ...env } }),
  );
  assert.equal(said.trial, true);
  assert.match(said.commit, /^[0-9a-f]{40}(?:-dirty)?$/);
  return said.version;
}

/** Docker finds its helper in that folder on PATH, and the helper the program beside it. */
async function answersDocker(folder: string): Promise<void> {
  const env = { HOME: "/nowhere", PATH: `${folder}:${Deno.env.get("PATH")}` };
  assert.equal(
    await run("sh", ["-c", "docker-credential-datumctl version"], { env, clearEnv: true }),
    `docker-credential-datumctl (datumctl) ${VERSION}\n`,
  );
}

async function entryNames(folder: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

releaseTest("a release has an archive for each machine, packages, an SBOM and their sums", [], async () => {
  const release = await trialRelease();
  const archives = MACHINES.map((name) =>
    `datumctl_${VERSION}_${name}.${name.startsWith("windows") ? "zip" : "tar.gz"}`
  );
  const packages = ["linux_amd64", "linux_arm64"].flatMap((name) =>
    ["deb", "rpm"].map((kind) => `datumctl_${VERSION}_${name}.${kind}`)
  );
  const published = [...archives, ...packages, `datumctl_${VERSION}.cdx.json`].sort();
  assert.deepEqual(await entryNames(release), [...published, "checksums.txt", "packaging"].sort());
  const checked = await run("sha256sum", ["--strict", "--check", "checksums.txt"], { cwd: release });
  assert.deepEqual(checked.trim().split("\n"), published.map((name) => `${name}: OK`));
});

releaseTest(
  "an archive has the program, the papers, and the program says that it is for trial",
  ["unzip"],
  async () => {
    const release = await trialRelease();
    const completions: (readonly string[])[] = [];
    const wanted = ["LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt"];
    for (const machine of MACHINES) {
      const windows = machine.startsWith("windows");
      const path = `${release}/datumctl_${VERSION}_${machine}.${windows ? "zip" : "tar.gz"}`;
      const names = (windows ? await run("unzip", ["-Z1", path]) : await run("tar", ["-tzf", path])).trim()
        .split("\n");
      const isHelp = (name: string) => /^(?:completions|man)\//.test(name);
      const beside = names.filter((name) => !isHelp(name));
      const programs = windows
        ? ["datumctl.exe", "docker-credential-datumctl.cmd"]
        : ["datumctl", "docker-credential-datumctl"];
      assert.deepEqual(beside, [...wanted, ...programs], machine);
      for (const name of ["man/datumctl.1", "man/datumctl-auth-login.1"]) {
        assert.ok(names.includes(name), `${machine} ${name}`);
      }
      completions.push(names.filter((name) => name.startsWith("completions/")).sort());
    }
    await inScratch(async (folder) => {
      assert.equal(await versionOf(`${await unpackedInto(folder)}/datumctl`), VERSION);
      await answersDocker(folder);
      const hasCommand = /^ {2}completion\b/m.test(await run(`${folder}/datumctl`, ["--help"]));
      const files = ["_datumctl", "datumctl.bash", "datumctl.fish", "datumctl.ps1"];
      const inEach = hasCommand ? files.map((name) => `completions/${name}`) : [];
      assert.deepEqual(completions, MACHINES.map(() => inEach));
      assert.match(
        await run(`${folder}/datumctl`, ["version"]),
        /^Version: +\S+ \(trial build\)\nCommit: +[0-9a-f]{40}/,
      );
    });
  },
);

releaseTest("a release made again, elsewhere and by somebody else, is the same bytes", [], async () => {
  const first = await trialRelease();
  await inScratch(async (folder) => {
    await Deno.mkdir(`${folder}/another-folder-for-temporary-files`);
    await makeRelease(
      ["--trial", "--only", `${HERE},windows_arm64`, "--out", `${folder}/release`],
      {
        umask: "077",
        env: { TMPDIR: `${folder}/another-folder-for-temporary-files`, TZ: "Asia/Kathmandu", LC_ALL: "C" },
      },
    );
    const names = (await entryNames(`${folder}/release`)).filter((name) => name !== "checksums.txt");
    assert.equal(names.length, 5, names.join());
    for (const name of names) await run("cmp", [`${first}/${name}`, `${folder}/release/${name}`]);
  });
});

releaseTest(
  "without --trial, neither another base runtime nor changed files make a release",
  ["git"],
  async () => {
    await using folder = await scratchFolder();
    const root = `${folder.path}/copy/`;
    await run("git", ["clone", "--quiet", ROOT, root]);
    const refused = async (
      args: readonly string[],
      env: Readonly<Record<string, string>>,
      reason: RegExp,
    ) => {
      await assert.rejects(makeRelease(["--without-rpm", ...args], { root, env }), reason);
      await assert.rejects(Deno.stat(`${root}dist`), Deno.errors.NotFound);
    };
    await refused([], { DENORT_BIN: "/bin/true" }, /DENORT_BIN names a base runtime by hand/);
    await refused(
      [],
      { HTTPS_PROXY: "http://127.0.0.1:9" },
      /base runtime of Deno \S+ cannot be fetched here/,
    );
    await refused(["--tag", "v0.0.0"], {}, /The tag is v0\.0\.0 and deno\.json has the version/);
    await Deno.writeTextFile(`${root}src/new.ts`, "");
    await refused([], {}, /Files differ from the commit/);
  },
);

releaseTest("programs of another commit are no programs of a release", [], async () => {
  await inScratch(async (folder) => {
    for (const target of ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]) {
      await Deno.mkdir(`${folder}/${target}`);
      await writeScript(`${folder}/${target}/datumctl`, "echo another program");
    }
    await assert.rejects(
      makeRelease([
        "--trial",
        "--programs",
        folder,
        "--only",
        HERE,
        "--without-rpm",
        "--out",
        `${folder}/out`,
      ]),
      /is not of the commit [0-9a-f]{40}/,
    );
  });
});

releaseTest("the Debian package is installed, runs, and is removed without a trace", ["dpkg"], async () => {
  const release = await trialRelease();
  await inScratch(async (root) => {
    // dpkg's own list of what is installed here comes along: what the package depends on is checked.
    await Deno.mkdir(`${root}/var/lib/dpkg`, { recursive: true });
    for (const name of ["info", "updates", "triggers"]) await Deno.mkdir(`${root}/var/lib/dpkg/${name}`);
    await Deno.copyFile("/var/lib/dpkg/status", `${root}/var/lib/dpkg/status`);
    const dpkg = (...args: string[]) => run("dpkg", [`--root=${root}`, "--force-not-root", ...args]);
    const files = async () => (await filesBelow(root)).filter((path) => !path.startsWith(`${root}/var/`));
    assert.deepEqual(await files(), []);
    await dpkg("--install", `${release}/datumctl_${VERSION}_${HERE}.deb`);
    assert.match(await dpkg("--status", "datumctl"), /^Status: install ok installed$/m);
    assert.equal(await dpkg("--verify", "datumctl"), "", "every file is as the package has it");
    assert.equal(await versionOf(`${root}/usr/bin/datumctl`), VERSION);
    await answersDocker(`${root}/usr/bin`);
    const { uid, mode } = await Deno.stat(`${root}/usr/bin/datumctl`);
    assert.deepEqual([uid, (mode ?? 0) & 0o777], [Deno.uid(), 0o755]);
    if ((await files()).some((path) => path.includes("/man1/"))) {
      assert.match(await run("man", ["-M", `${root}/usr/share/man`, "datumctl"]), /datumctl/i);
    }
    await dpkg("--purge", "datumctl");
    assert.deepEqual(await files(), []);
  });
});

releaseTest("the RPM is whole, installed, runs, and is removed without a trace", ["rpm"], async () => {
  const release = await trialRelease();
  await inScratch(async (root) => {
    const path = `${release}/datumctl_${VERSION}_${HERE}.rpm`;
    const rpm = (...args: string[]) => run("rpm", ["--root", root, ...args]);
    assert.match(await run("rpm", ["--checksig", "--nosignature", path]), /digests OK/);
    const asked = "%{NAME} %{VERSION} %{LICENSE} %{BUILDHOST} %{OS}\n[%{REQUIRENAME}\n]";
    const facts = await run("rpm", ["-qp", "--queryformat", asked, path]);
    assert.match(facts, new RegExp(`^datumctl ${VERSION} Apache-2\\.0 reproducible linux\n`));
    assert.match(facts, /^glibc$/m);
    // RPM's own list here is empty: what the package depends on is Debian's.
    await rpm("--install", "--nodeps", path);
    assert.equal(await versionOf(`${root}/usr/bin/datumctl`), VERSION);
    await answersDocker(`${root}/usr/bin`);
    await rpm("--erase", "datumctl");
    const left = (await filesBelow(root)).filter((one) => one.startsWith(`${root}/usr/`));
    assert.deepEqual(left.filter((one) => !one.startsWith(`${root}/usr/lib/sysimage/rpm/`)), []);
  });
});

releaseTest("Homebrew's formula installs from the archive, and its own test passes", ["ruby"], async () => {
  const release = await trialRelease();
  await using folder = await scratchFolder();
  await Deno.mkdir(`${folder.path}/unpacked`);
  const stand = `${ROOT}tests/scripts/release/homebrew.rb`;
  const formula = `${release}/packaging/homebrew/datumctl.rb`;
  const [os = "", arch = ""] = HERE.split("_");
  const args = [stand, formula, os, arch, await unpackedInto(`${folder.path}/unpacked`), folder.path];
  const { sha256 } = JSON.parse(await run("ruby", args));
  assert.match(
    await Deno.readTextFile(`${release}/checksums.txt`),
    new RegExp(`^${sha256}  .*_${HERE}\\.tar\\.gz$`, "m"),
  );
  assert.equal(await versionOf(`${folder.path}/bin/datumctl`), VERSION);
  await answersDocker(`${folder.path}/bin`);
});

releaseTest("makepkg makes Arch Linux's package of the archive, and leaves the program as it is", [
  "makepkg",
  "pacman",
  "bsdtar",
  "fakeroot",
  "setpriv",
], async () => {
  const release = await trialRelease();
  await using folder = await scratchFolder();
  const archive = `datumctl_${VERSION}_${HERE}.tar.gz`;
  await Deno.copyFile(`${release}/packaging/aur/PKGBUILD`, `${folder.path}/PKGBUILD`);
  // Where makepkg finds the file that it would fetch.
  await Deno.copyFile(`${release}/${archive}`, `${folder.path}/${archive}`);
  const nobody = Deno.uid() === 0 ? ["--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  if (Deno.uid() === 0) await run("chown", ["-R", "65534:65534", folder.path]);
  await run("setpriv", [...nobody, "makepkg", "--nodeps"], {
    cwd: folder.path,
    env: { HOME: folder.path, PKGEXT: ".pkg.tar" },
  });
  await unpackedInto(`${folder.path}/src`);
  await run("cmp", [`${folder.path}/src/datumctl`, `${folder.path}/pkg/datumctl-bin/usr/bin/datumctl`]);
  await answersDocker(`${folder.path}/pkg/datumctl-bin/usr/bin`);
  assert.ok((await entryNames(folder.path)).some((name) => /^datumctl-bin-.*\.pkg\.tar$/.test(name)));
});

if (CAN_BUILD_KREW) {
  releaseTest("Krew installs the plugin from the archive, and kubectl runs it", ["git"], async () => {
    const release = await trialRelease();
    const kubectl = await kubectlPath();
    await using folder = await scratchFolder();
    const env = {
      KREW_ROOT: folder.path,
      KREW_NO_UPGRADE_CHECK: "1",
      HOME: folder.path,
      PATH: `${folder.path}/bin:${kubectl?.replace(/\/[^/]*$/, "") ?? ""}:${Deno.env.get("PATH")}`,
    };
    await run(await krewProgram("krew"), [
      "install",
      `--manifest=${release}/packaging/krew/datum-login.yaml`,
      `--archive=${release}/datumctl_${VERSION}_${HERE}.tar.gz`,
    ], { env });
    assert.equal(await versionOf(`${folder.path}/bin/kubectl-datum_login`, env), VERSION);
    if (kubectl !== undefined) {
      assert.match(await run(kubectl, ["datum-login", "version"], { env }), /trial build/);
    }
    const { spec } = parse(await Deno.readTextFile(`${release}/packaging/krew/datum-login.yaml`));
    assert.equal(spec.platforms.length, MACHINES.length);
  });
}

/** Installs from a registry into an empty folder, and returns the path of the command. */
async function npmInstall(folder: string, registry: string, flags = ["--global"]): Promise<string> {
  await run("npm", [
    "install",
    ...["--prefix", folder, "--cache", `${folder}/cache`, "--registry", registry],
    ...["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts"],
    ...flags,
    "datumctl",
  ], { env: { HOME: folder } });
  return flags.includes("--global") ? `${folder}/bin/datumctl` : `${folder}/node_modules/.bin/datumctl`;
}

releaseTest(
  "npm installs the program of this machine alone, which runs without a script of ours",
  ["npm"],
  async () => {
    await using registry = await serveRegistry(`${await trialRelease()}/packaging/npm`);
    await using folder = await scratchFolder();
    const command = await npmInstall(folder.path, registry.url);
    assert.equal(await versionOf(command), VERSION);
    await answersDocker(command.replace(/\/[^/]*$/, ""));
    const programs = (await filesBelow(`${folder.path}/lib`)).filter((path) =>
      /\/bin\/datumctl(?:\.exe)?$/.test(path)
    );
    assert.equal(programs.length, 1, programs.join());
    const fails = await new Deno.Command(command, { args: ["no-such-command"], stdin: "null" }).output();
    assert.equal(fails.code, 2, "the exit code is the program's");
    assert.match(new TextDecoder().decode(fails.stderr), /Unknown command/);
  },
);

releaseTest("npm's command passes signals on, and ends as the program does", ["npm"], async () => {
  await using registry = await serveRegistry(`${await trialRelease()}/packaging/npm`);
  await using folder = await scratchFolder();
  const command = await npmInstall(folder.path, registry.url);
  const [program = ""] = (await filesBelow(`${folder.path}/lib`)).filter((path) =>
    path.endsWith("/bin/datumctl")
  );
  for (const [action, code, signal] of [["exit 7", 7, null], ["kill -TERM $$", 143, "SIGTERM"]] as const) {
    await writeScript(
      program,
      `trap '${action === "exit 7" ? action : "trap - TERM; " + action}' TERM; echo ready
      while :; do sleep 0.1; done`,
    );
    const child = new Deno.Command(command, { stdin: "null", stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGTERM");
    const ended = await child.status;
    assert.deepEqual([ended.code, ended.signal], [code, signal]);
    await reader.cancel();
  }
});

releaseTest("npm's command without the program says what to type", ["npm"], async () => {
  await using registry = await serveRegistry(`${await trialRelease()}/packaging/npm`);
  await using folder = await scratchFolder();
  const command = await npmInstall(folder.path, registry.url, ["--omit=optional"]);
  const { code, stderr } = await new Deno.Command(command, { args: ["version"], stdin: "null" }).output();
  assert.equal(code, 1);
  assert.match(
    new TextDecoder().decode(stderr),
    /npm left out the package @datumctl\/\w+-\w+\.[^]*npm install --include=optional datumctl\n$/,
  );
});

releaseTest("npm publishes no trial release", ["npm"], async () => {
  const folder = `${await trialRelease()}/packaging/npm`;
  // Nothing listens there: a package that were not private would end in another error.
  const registry = [
    "--fetch-retries=0",
    "--registry",
    "http://127.0.0.1:9/",
    "--//127.0.0.1:9/:_authToken=none",
  ];
  for (const name of [`datumctl-${VERSION}.tgz`, `datumctl-linux-x64-${VERSION}.tgz`]) {
    await assert.rejects(run("npm", ["publish", ...registry, `${folder}/${name}`]), /EPRIVATE/);
  }
});

releaseTest("the program for Linux on arm64 signs in, hands out a token and signs out, under emulation", [
  "qemu-aarch64-static",
], async () => {
  const release = await trialRelease();
  await inScratch(async (folder) => {
    await run("tar", ["-xzf", `${release}/datumctl_${VERSION}_linux_arm64.tar.gz`, "-C", folder]);
    await writeScript(
      `${folder}/emulated`,
      `exec qemu-aarch64-static -L /usr/aarch64-linux-gnu '${folder}/datumctl' "$@"`,
    );
    const smoke = ["run", "--quiet", "--no-check", "--allow-all", `${ROOT}scripts/smoke.ts`];
    const story = await run(Deno.execPath(), [...smoke, `${folder}/emulated`, "file"], { cwd: ROOT });
    assert.match(story, /Built for: +aarch64-unknown-linux-gnu/);
    assert.match(story, /The binary works here\.\n$/);
  });
});

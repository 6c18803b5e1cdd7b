/**
 * Proves the installers: what the one for Linux and macOS installs and refuses, and that it leaves nothing half-done; of
 * the one for Windows, that it is PowerShell and knows the same release.
 */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { assertMissing, filesBelow, inScratch, modeOf, writeScript } from "../scratch.ts";
import { powershellFaults } from "./powershell.ts";
import { type Damage, FILES, type ReleaseServer, type Served, serveReleases } from "./release-server.ts";

const SCRIPT = `${ROOT}scripts/install/install.sh`;
const PATH = "/usr/local/bin:/usr/bin:/bin";
const RELEASE: Served = { version: "1.2.3" };

/** The shells that run the installer, as far as they are here. */
const SHELLS: readonly (readonly string[])[] = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]
  .filter(([program = ""]) => findProgram(program, PATH) !== undefined);
const ignore = Deno.build.os !== "linux" || findProgram("curl", PATH) === undefined;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home, a server of releases, and the installer run there. */
interface Stage {
  readonly home: string;
  readonly server: ReleaseServer;
  install(
    options?: {
      readonly env?: Record<string, string>;
      readonly args?: readonly string[];
      readonly shell?: readonly string[];
    },
  ): Promise<Ended>;
}

async function onStage(work: (stage: Stage) => Promise<void>, release = RELEASE): Promise<void> {
  await inScratch(async (folder) => {
    const home = `${folder}/home`;
    await Deno.mkdir(home);
    await using server = await serveReleases(`${folder}/served`, release);
    await work({
      home,
      server,
      async install({ env = {}, args = [], shell = ["sh"] } = {}) {
        const [program = "sh", ...before] = shell;
        const child = new Deno.Command(program, {
          args: [...before, SCRIPT, ...args],
          clearEnv: true,
          env: { PATH, HOME: home, BASE_URL: server.base, ...env },
          cwd: home,
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        });
        const { code, stdout, stderr } = await child.output();
        const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
        return { code, stdout: text(stdout), stderr: text(stderr) };
      },
    });
  });
}

/** What lies below a folder, by paths relative to it. */
async function below(folder: string): Promise<string[]> {
  return (await filesBelow(folder)).map((path) => path.slice(folder.length + 1)).sort();
}

const INSTALLED = [
  ".local/bin/datumctl",
  ".local/share/bash-completion/completions/datumctl",
  ".local/share/datumctl/installed-files",
  ".local/share/doc/datumctl/LICENSE",
  ".local/share/fish/vendor_completions.d/datumctl.fish",
  ".local/share/man/man1/datumctl.1",
  ".local/share/zsh/site-functions/_datumctl",
];

for (const shell of SHELLS) {
  Deno.test({
    name: `${shell.join(" ")}: install.sh installs, replaces and takes away`,
    ignore,
    fn: () =>
      onStage(async ({ home, server, install }) => {
        const first = await install({ shell });
        assert.deepEqual([first.code, first.stderr], [0, ""], first.stdout);
        assert.match(first.stdout, /Installed datumctl 1\.2\.3: .*\/home\/\.local\/bin\/datumctl/);
        assert.match(first.stdout, /is not on your PATH[^]*export PATH="[^"]*\/\.local\/bin:\$PATH"/);
        assert.match(first.stdout, /Next: datumctl login/);
        assert.deepEqual(await below(home), INSTALLED);
        assert.equal(await modeOf(`${home}/.local/bin/datumctl`), 0o755);

        const { "LICENSE": _, ...fewer } = FILES;
        await server.publish({ version: "1.3.0", files: { ...fewer, "man/datumctl-login.1": ".TH\n" } });
        const path = `${home}/.local/bin:${PATH}`;
        const second = await install({ shell, env: { PATH: path } });
        assert.equal(second.code, 0, second.stderr);
        assert.match(second.stdout, /Installed datumctl 1\.3\.0/);
        assert.doesNotMatch(second.stdout, /PATH/);
        assert.deepEqual(
          await below(home),
          [...INSTALLED.filter((name) => !name.endsWith("LICENSE")), ".local/share/man/man1/datumctl-login.1"]
            .sort(),
        );

        await Deno.writeTextFile(`${home}/.local/bin/mine`, "");
        const gone = await install({ shell, args: ["--uninstall"] });
        assert.equal(gone.code, 0, gone.stderr);
        assert.match(gone.stdout, /sessions are still there: .*\.config\/datumctl and the keyring/);
        assert.deepEqual(await below(home), [".local/bin/mine"]);
        await assertMissing(`${home}/.local/share/man`);
      }),
  });
}

Deno.test({
  name: "a version that is asked for is the one that is installed, into the folder that is named",
  ignore,
  fn: () =>
    onStage(async ({ home, server, install }) => {
      await server.publish({ version: "2.0.0-rc.1" });
      for (const [VERSION, told] of [["v1.2.3", "1.2.3"], ["2.0.0-rc.1", "2.0.0-rc.1"]] as const) {
        const { code, stdout, stderr } = await install({ env: { VERSION, PREFIX: "my tools" } });
        assert.equal(code, 0, stderr);
        assert.ok(stdout.includes(`Installed datumctl ${told}: ${home}/my tools/bin/datumctl`), stdout);
      }
      assert.ok(!server.asked.includes("/latest/download/checksums.txt"));
      await assertMissing(`${home}/.local`);
    }),
});

const ARCHIVE = "_linux_amd64.tar.gz";

/** What is refused: how the release or the machine differs, and what is said. */
const REFUSED: readonly {
  readonly name: string;
  readonly damage?: readonly [end: string, how: Damage];
  readonly env?: Record<string, string>;
  readonly release?: Served;
  readonly says: RegExp;
}[] = [
  {
    name: "another file",
    damage: [ARCHIVE, "changed"],
    says: /not the file that was published[^]*expected \w{64}/,
  },
  { name: "a cut file", damage: [ARCHIVE, "cut"], says: /not the file that was published/ },
  { name: "a missing archive", damage: [ARCHIVE, "missing"], says: /Cannot fetch .*_linux_amd64\.tar\.gz/ },
  { name: "a missing list", damage: ["checksums.txt", "missing"], says: /Cannot fetch the list of sums/ },
  {
    name: "a cut list",
    damage: ["checksums.txt", "cut"],
    says: /no archive for linux on \w+64/,
  },
  {
    name: "an unknown version",
    env: { VERSION: "9.9.9" },
    says: /Cannot fetch the list of sums: .*v9\.9\.9/,
  },
  { name: "no network", env: { BASE_URL: "http://127.0.0.1:9" }, says: /Cannot fetch the list.*\n.*network/ },
  { name: "plain http", env: { BASE_URL: "http://192.0.2.1" }, says: /must begin with https/ },
  { name: "a name that only looks local", env: { BASE_URL: "http://localhost.example" }, says: /must begin/ },
  { name: "no address", env: { BASE_URL: "releases" }, says: /must begin with https/ },
  {
    name: "a folder that cannot be made",
    env: { PREFIX: "/dev/null/x" },
    says: /Cannot make the folder .*\n.*PREFIX/,
  },
  { name: "a folder of the system", env: { PREFIX: "/proc/1" }, says: /Cannot make the folder .*\n.*PREFIX/ },
  { name: "no home", env: { HOME: "" }, says: /HOME is not set/ },
  {
    name: "a program that does not start",
    release: { version: "1.2.3", program: "echo 'GLIBC_2.99 not found' >&2; exit 1" },
    says: /does not start on this system:\n.*GLIBC_2\.99/,
  },
];

for (const { name, damage, env = {}, release, says } of REFUSED) {
  Deno.test({
    name: `install.sh refuses ${name}, with nothing half-installed`,
    ignore: ignore || (name === "another file" && Deno.build.arch !== "x86_64"),
    fn: () =>
      onStage(async ({ home, server, install }) => {
        if (damage !== undefined) server.damage(...damage);
        for (const shell of SHELLS) {
          const { code, stderr, stdout } = await install({ env, shell });
          assert.equal(code, 1, stdout);
          assert.match(stderr, says);
          assert.match(stderr, /^(curl: .*\n)*error: /);
          assert.deepEqual(await below(home), [], shell.join(" "));
        }
      }, release),
  });
}

Deno.test({
  name: "a failed update leaves the version that was there",
  ignore,
  fn: () =>
    onStage(async ({ home, server, install }) => {
      assert.equal((await install()).code, 0);
      await server.publish({ version: "1.3.0" });
      server.damage(".tar.gz", "cut");
      assert.equal((await install()).code, 1);
      assert.deepEqual(await below(home), INSTALLED);
      assert.match(await Deno.readTextFile(`${home}/.local/bin/datumctl`), /1\.2\.3/);
    }),
});

Deno.test({
  name: "another program of that name is not replaced, and one that comes first is named",
  ignore,
  fn: () =>
    onStage(async ({ home, install }) => {
      const vendors = `${home}/.local/bin/datumctl`;
      await Deno.mkdir(`${home}/.local/bin`, { recursive: true });
      await writeScript(vendors, "echo 'Client Version: v0.14.2'");
      const { code, stderr } = await install();
      assert.equal(code, 1);
      assert.match(stderr, /another program at .*\/\.local\/bin\/datumctl/);
      assert.match(await Deno.readTextFile(vendors), /v0\.14\.2/);

      const elsewhere = await install({
        env: { PREFIX: `${home}/tools`, PATH: `${home}/.local/bin:${PATH}` },
      });
      assert.equal(elsewhere.code, 0, elsewhere.stderr);
      assert.match(elsewhere.stdout, /Another datumctl comes first on your PATH: .*\/\.local\/bin\/datumctl/);
    }),
});

Deno.test({
  name: "--uninstall without an installation is an error, and leads nowhere outside its folder",
  ignore,
  fn: () =>
    onStage(async ({ home, install }) => {
      const nothing = await install({ args: ["--uninstall"] });
      assert.equal(nothing.code, 1);
      assert.match(nothing.stderr, /put nothing into .*\.local/);
      await install();
      await Deno.writeTextFile(`${home}/precious`, "");
      await Deno.writeTextFile(
        `${home}/.local/share/datumctl/installed-files`,
        `../precious\n${home}/precious\nbin/datumctl\n`,
      );
      assert.equal((await install({ args: ["--uninstall"] })).code, 0);
      assert.ok((await below(home)).includes("precious"));
      await assertMissing(`${home}/.local/bin/datumctl`);
    }),
});

Deno.test({
  name: "an option that is unknown installs nothing",
  ignore,
  fn: () =>
    onStage(async ({ home, install }) => {
      for (const args of [["--force"], ["--uninstall", "now"]]) {
        const { code, stderr } = await install({ args });
        assert.equal(code, 2);
        assert.match(stderr, /^Usage:/);
      }
      assert.match((await install({ args: ["--help"] })).stdout, /^Usage:[^]*BASE_URL/);
      assert.deepEqual(await below(home), []);
    }),
});

/** A folder of links to the programs that the installer needs, but for those that are left out. */
async function programsBut(folder: string, ...leftOut: readonly string[]): Promise<string> {
  await Deno.mkdir(folder);
  const needed =
    "sh uname mkdir mktemp rm rmdir mv grep sed head tail tr cut cat tar gzip sha256sum curl wget";
  for (const name of needed.split(" ")) {
    const found = findProgram(name, PATH);
    if (found !== undefined && !leftOut.includes(name)) await Deno.symlink(found, `${folder}/${name}`);
  }
  return folder;
}

Deno.test({
  name: "busybox' wget is enough for this machine itself, and refused for https",
  ignore: ignore || findProgram("busybox", PATH) === undefined,
  fn: () =>
    onStage(async ({ home, install }) => {
      const programs = await programsBut(`${home}/../programs`, "curl", "wget");
      const without = await install({ env: { PATH: programs } });
      assert.match(without.stderr, /Neither curl nor wget is here/);

      await writeScript(`${programs}/wget`, 'exec /usr/bin/busybox wget "$@"');
      const refused = await install({ env: { PATH: programs, BASE_URL: "https://127.0.0.1:9" } });
      assert.match(refused.stderr, /not GNU's and does not check certificates/);
      assert.deepEqual(await below(home), []);

      const { code, stderr } = await install({ env: { PATH: programs } });
      assert.equal(code, 0, stderr);
      assert.deepEqual(await below(home), INSTALLED);
    }),
});

for (const fetcher of ["curl", "wget"]) {
  Deno.test({
    name: `${fetcher}: certificates are checked, and a redirect goes to https alone`,
    ignore: ignore || findProgram(fetcher, PATH) === undefined,
    fn: () =>
      onStage(async ({ home, server, install }) => {
        const programs = await programsBut(`${home}/../programs`, fetcher === "curl" ? "wget" : "curl");
        await using target = await serveReleases(`${home}/../target`, RELEASE, { redirect: "" });
        const ca = `${home}/../ca.pem`;
        const reach = async (BASE_URL: string, pem: string | undefined) => {
          await Deno.writeTextFile(ca, pem ?? "");
          await Deno.writeTextFile(`${home}/../wgetrc`, `ca_certificate = ${ca}\n`);
          return await install({
            env: { PATH: programs, BASE_URL, CURL_CA_BUNDLE: ca, WGETRC: `${home}/../wgetrc` },
          });
        };
        const unknown = await install({ env: { PATH: programs, BASE_URL: target.base } });
        assert.match(unknown.stderr, /Cannot fetch the list of sums/);

        await using astray = await serveReleases(`${home}/../astray`, RELEASE, { redirect: server.base });
        const refused = await reach(astray.base, astray.caPem);
        assert.match(refused.stderr, /Cannot fetch https:.*\.tar\.gz/);
        assert.deepEqual([server.asked, await below(home)], [[], []]);

        await using around = await serveReleases(`${home}/../around`, RELEASE, { redirect: target.base });
        const both = `${around.caPem}\n${target.caPem}`;
        const { code, stderr } = await reach(around.base, both);
        assert.equal(code, 0, stderr);
        assert.ok(target.asked.some((path) => path.endsWith(".tar.gz")));
        assert.deepEqual(await below(home), INSTALLED);
      }),
  });
}

Deno.test({
  name: "where GitHub's program is set up, an archive that its workflow did not make is refused",
  ignore,
  fn: () =>
    onStage(async ({ home, server, install }) => {
      const programs = await programsBut(`${home}/../programs`, "curl");
      // Stands for the real host: without BASE_URL the installer asks GitHub.
      await writeScript(
        `${programs}/curl`,
        [
          'while [ "$1" != -- ]; do [ "$1" = --output ] && out=$2; shift; done',
          `path=$(echo "$2" | sed 's|https://github.com/[^/]*/[^/]*/releases||')`,
          `exec /usr/bin/curl -fsS -o "$out" "${server.base}$path"`,
        ].join("\n"),
      );
      const env = { PATH: programs, BASE_URL: "" };
      const gh = (verdict: string) => writeScript(`${programs}/gh`, `[ "$1" = auth ] && exit 0\n${verdict}`);
      await gh("echo 'no attestation matches'; exit 1");
      const refused = await install({ env });
      assert.match(refused.stderr, /no attestation matches\nerror: .* was not made by the workflow/);
      assert.deepEqual(await below(home), []);

      await gh(`printf '%s ' "$@" >"${home}/../asked"`);
      const { code, stdout, stderr } = await install({ env });
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Checked: built by the workflow/);
      assert.match(
        await Deno.readTextFile(`${home}/../asked`),
        /^attestation verify \S+_linux_amd64\.tar\.gz --repo \S+\/datumctl $/,
      );
    }),
});

Deno.test({
  name: "the shell linter finds nothing in install.sh",
  ignore: findProgram("shellcheck", PATH) === undefined,
  async fn() {
    const { code, stdout } = await new Deno.Command("shellcheck", { args: ["--shell=sh", SCRIPT] }).output();
    assert.equal(code, 0, new TextDecoder().decode(stdout));
  },
});

Deno.test("install.ps1 is PowerShell, and the parser would find a fault", async () => {
  const script = await Deno.readTextFile(SCRIPT.replace(/sh$/, "ps1"));
  assert.deepEqual(await powershellFaults(script), []);
  const lines = script.split("\n");
  const at = lines.findIndex((line) => line.includes("foreach ($from in"));
  const broken = [...lines.slice(0, at), lines[at]?.replace(")", ""), ...lines.slice(at + 1)].join("\n");
  assert.notDeepEqual(await powershellFaults(broken), []);
});

Deno.test("both installers ask the same repository and read the same list of sums", async () => {
  const sh = await Deno.readTextFile(SCRIPT);
  const ps1 = await Deno.readTextFile(SCRIPT.replace(/sh$/, "ps1"));
  const repository = /REPOSITORY=(\S+)/.exec(sh)?.[1];
  assert.ok(repository !== undefined && ps1.includes(`$repository = '${repository}'`));
  for (const path of ["/latest/download/checksums.txt", "/checksums.txt", "https://github.com/"]) {
    assert.ok(sh.includes(path) && ps1.includes(path), path);
  }
});

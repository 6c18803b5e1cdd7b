/** Proves that the installer brings the real program to work on a fresh Debian, and tells a musl system why it cannot. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { VERSION } from "../../src/version.ts";
import { filesBelow, inScratch } from "../scratch.ts";
import { serveReleases } from "../scripts/release-server.ts";
import { debianAtHand, debianRoot, PERSON, runInRoot } from "./debian-root.ts";
import { binaryUnderTest } from "./world.ts";

const SCRIPT = `${ROOT}scripts/install/install.sh`;

/** A folder of a test's own in a system, which belongs to its ordinary user and goes with the test. */
async function inHome(root: string, work: (home: string) => Promise<void>): Promise<void> {
  await Deno.mkdir(`${root}/home`, { recursive: true });
  const home = await Deno.makeTempDir({ dir: `${root}/home`, prefix: "person-" });
  try {
    await Deno.chown(home, PERSON, PERSON);
    await Deno.copyFile(SCRIPT, `${home}/install.sh`);
    await Deno.chmod(`${home}/install.sh`, 0o644);
    await work(home.slice(root.length));
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test({
  name: "a fresh Debian: an ordinary user installs the program, uses it and takes it away",
  ignore: !debianAtHand(),
  async fn() {
    const [root, binary] = [await debianRoot(), await binaryUnderTest()];
    await inScratch(async (folder) => {
      await using server = await serveReleases(folder, { version: VERSION, binary });
      await inHome(root, async (HOME) => {
        const env = { HOME, BASE_URL: server.base };
        for (const shell of ["sh", "bash"]) {
          // As the documented line does it: the script comes through a pipe.
          const installed = await runInRoot(root, [shell, "-c", `cat ${HOME}/install.sh | ${shell}`], env);
          assert.equal(installed.code, 0, installed.stderr);
          assert.match(installed.stdout, /Installed datumctl/);
          assert.match(installed.stdout, /Next: datumctl login/);
          const path = /export PATH="(.*):\$PATH"/.exec(installed.stdout)?.[1];
          assert.equal(path, `${HOME}/.local/bin`);

          const typed = (line: string) =>
            runInRoot(root, [shell, "-c", `PATH="${path}:$PATH"; ${line}`], { HOME });
          const version = await typed("datumctl version -o name");
          assert.deepEqual([version.code, version.stdout], [0, `${VERSION}\n`], version.stderr);
          const list = await typed("datumctl auth list");
          assert.equal(list.code, 0, list.stderr);

          const gone = await runInRoot(root, [shell, `${HOME}/install.sh`, "--uninstall"], env);
          assert.equal(gone.code, 0, gone.stderr);
          const left = (await filesBelow(`${root}${HOME}`)).map((file) =>
            file.slice(root.length + HOME.length + 1)
          );
          assert.deepEqual(left.filter((file) => !file.startsWith(".config/datumctl/")), ["install.sh"]);
        }
      });
    });
  },
});

Deno.test({
  name: "a fresh Debian: a prefix on a read-only file system is refused, with nothing half-installed",
  ignore: !debianAtHand(),
  async fn() {
    const root = await debianRoot();
    await inScratch(async (folder) => {
      await using server = await serveReleases(folder, { version: VERSION });
      await inHome(root, async (HOME) => {
        const PREFIX = `${HOME}/disk`;
        await Deno.mkdir(root + PREFIX);
        const { stdout, stderr } = await new Deno.Command("unshare", {
          args: [
            "--mount",
            "sh",
            "-c",
            `mount -t tmpfs -o ro none "$0" && exec chroot --userspec=${PERSON}:${PERSON} "${root}" ` +
            `/usr/bin/env -i PATH=/usr/bin:/bin HOME="${HOME}" PREFIX="${PREFIX}" BASE_URL="${server.base}" ` +
            `sh ${HOME}/install.sh`,
            root + PREFIX,
          ],
          stdin: "null",
        }).output();
        const said = new TextDecoder().decode(stderr);
        assert.match(said, /error: Cannot make the folder .*\/disk\/bin\.\n.*Set PREFIX/);
        assert.equal(new TextDecoder().decode(stdout), "");
        assert.deepEqual(server.asked, []);
      });
    });
  },
});

Deno.test({
  name: "a system with musl is told so before anything is fetched",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0 ||
    findProgram("busybox", Deno.env.get("PATH")) === undefined,
  async fn() {
    await inScratch(async (root) => {
      // What such a system consists of, as far as the installer sees it: busybox, and musl's loader.
      await Deno.mkdir(`${root}/bin`);
      await Deno.mkdir(`${root}/lib`);
      await Deno.mkdir(`${root}/home`);
      await Deno.chown(`${root}/home`, PERSON, PERSON);
      await Deno.chmod(root, 0o755);
      await Deno.copyFile("/usr/bin/busybox", `${root}/bin/busybox`);
      await Deno.chmod(`${root}/bin/busybox`, 0o755);
      for (const name of ["sh", "uname", "cat"]) await Deno.symlink("busybox", `${root}/bin/${name}`);
      await Deno.copyFile(SCRIPT, `${root}/home/install.sh`);
      await Deno.writeTextFile(`${root}/lib/ld-musl-x86_64.so.1`, "");
      const { code, stderr } = await runInRoot(root, ["/bin/sh", "/home/install.sh"], {
        PATH: "/bin",
        HOME: "/home",
        BASE_URL: "http://127.0.0.1:9",
      });
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^error: datumctl needs glibc, and this system has musl \(ld-musl-x86_64\.so\.1\)/,
      );
    });
  },
});

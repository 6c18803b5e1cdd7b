/** Proves that archives hold what they are given, as other programs read them, and are the same bytes each time. */

import assert from "node:assert/strict";
import { type Entry, tarGz, textEntry, zip } from "../../../scripts/release/archives.ts";
import { inScratch } from "../../scratch.ts";
import { has, RELEASE, run } from "./example.ts";

const PROGRAM: Entry = { path: "datumctl", bytes: new Uint8Array([0x7f, 0x45, 0, 0xff]), mode: 0o755 };
const ENTRIES = [PROGRAM, textEntry("man/datumctl.1", ".TH\n"), textEntry("LICENSE", "the licence\n")];

Deno.test("a tar archive has root's files with fixed modes and dates, in the order of paths", async () => {
  await inScratch(async (folder) => {
    await Deno.writeFile(`${folder}/a.tar.gz`, await tarGz(ENTRIES, RELEASE));
    const list = await run("tar", ["-tvzf", `${folder}/a.tar.gz`], { env: { TZ: "UTC", LC_ALL: "C" } });
    assert.deepEqual(list.trim().split("\n").map((line) => line.replaceAll(/ +/g, " ")), [
      "-rw-r--r-- root/root 12 2026-11-29 06:30 LICENSE",
      "-rwxr-xr-x root/root 4 2026-11-29 06:30 datumctl",
      "-rw-r--r-- root/root 4 2026-11-29 06:30 man/datumctl.1",
    ]);
    await run("tar", ["-xzf", `${folder}/a.tar.gz`, "-C", folder]);
    assert.deepEqual(await Deno.readFile(`${folder}/datumctl`), PROGRAM.bytes);
  });
});

Deno.test("archives do not differ with the order of their files, nor with the time zone", async () => {
  const make = async (entries: readonly Entry[]) =>
    [await tarGz(entries, RELEASE), zip(entries, RELEASE)].map((bytes) => bytes.toHex());
  const first = await make(ENTRIES);
  const before = Deno.env.get("TZ");
  try {
    Deno.env.set("TZ", "Asia/Kathmandu");
    assert.notEqual(new Date(RELEASE.date * 1000).getHours(), 6, "the time zone is another now");
    assert.deepEqual(await make(ENTRIES.toReversed()), first);
  } finally {
    if (before === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", before);
  }
});

Deno.test("archives differ with any byte, mode and date", async () => {
  const of = async (entries: readonly Entry[], date = RELEASE.date) =>
    [await tarGz(entries, { ...RELEASE, date }), zip(entries, { ...RELEASE, date })].map((bytes) =>
      bytes.toHex()
    );
  const [tar, zipped] = await of(ENTRIES);
  const [first = PROGRAM, ...rest] = ENTRIES;
  for (
    const other of [
      await of([{ ...first, bytes: new Uint8Array([0x7f, 0x45, 0, 0xfe]) }, ...rest]),
      await of([{ ...first, mode: 0o644 }, ...rest]),
      await of(ENTRIES, RELEASE.date + 2),
    ]
  ) {
    assert.notEqual(other[0], tar);
    assert.notEqual(other[1], zipped);
  }
});

Deno.test({
  name: "a zip archive is read by unzip, which leaves the program one that can be run",
  ignore: !has("unzip"),
  async fn() {
    await inScratch(async (folder) => {
      await Deno.writeFile(`${folder}/a.zip`, zip(ENTRIES, RELEASE));
      assert.match(await run("unzip", ["-t", `${folder}/a.zip`]), /No errors detected/);
      await run("unzip", ["-q", `${folder}/a.zip`, "-d", folder], { env: { TZ: "UTC" } });
      const { mode, mtime } = await Deno.stat(`${folder}/datumctl`);
      assert.equal((mode ?? 0) & 0o777, 0o755);
      assert.equal((mtime?.getTime() ?? 0) / 1000, RELEASE.date);
      assert.deepEqual(await Deno.readFile(`${folder}/datumctl`), PROGRAM.bytes);
    });
  },
});

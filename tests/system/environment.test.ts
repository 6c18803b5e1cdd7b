/** Proves where our files are, by what the variables say. */

import assert from "node:assert/strict";
import { environment, foldersOf, homeOf } from "../../src/system/environment.ts";
import { expectError } from "../expect-error.ts";

const from = (variables: Record<string, string>) => (name: string) => variables[name] || undefined;

Deno.test("the folders: the variable of ours, else XDG's, else the home's", () => {
  const all = { DATUMCTL_CONFIG_DIR: "/own", XDG_CONFIG_HOME: "/xdg", HOME: "/home/ada" };
  assert.deepEqual(foldersOf(from(all), false), { config: "/own", sessions: "/own/sessions" });
  const { DATUMCTL_CONFIG_DIR: _, ...xdg } = all;
  assert.equal(foldersOf(from(xdg), false).config, "/xdg/datumctl");
  assert.equal(
    foldersOf(from({ ...xdg, XDG_CONFIG_HOME: "relative" }), false).config,
    "/home/ada/.config/datumctl",
  );
  assert.equal(foldersOf(from({ HOME: "/home/ada" }), false).sessions, "/home/ada/.config/datumctl/sessions");
});

Deno.test("on Windows sessions lie where nothing roams, and a drive's path is absolute", () => {
  const windows = { APPDATA: "C:\\R", LOCALAPPDATA: "C:\\L", HOME: "/x", XDG_CONFIG_HOME: "/y" };
  assert.deepEqual(foldersOf(from(windows), true), {
    config: "C:\\R\\datumctl",
    sessions: "C:\\L\\datumctl\\sessions",
  });
  assert.equal(foldersOf(from({ APPDATA: "C:\\R" }), true).sessions, "C:\\R\\datumctl\\sessions");
  assert.equal(foldersOf(from({ DATUMCTL_CONFIG_DIR: "D:\\own" }), true).config, "D:\\own");
  assert.equal(foldersOf(from({ DATUMCTL_CONFIG_DIR: "\\\\host\\own" }), true).config, "\\\\host\\own");
});

Deno.test("a relative folder of ours counts from the working folder", () => {
  assert.equal(foldersOf(from({ DATUMCTL_CONFIG_DIR: "own" }), false).config, `${Deno.cwd()}/own`);
});

Deno.test("without a home whoever asks for a folder hears which variable is missing and what to set", () => {
  for (const [windows, variable] of [[false, /HOME/], [true, /AppData/]] as const) {
    const folders = foldersOf(from({ HOME: "" }), windows);
    for (const ask of [() => folders.config, () => folders.sessions]) {
      const error = expectError(ask, { code: "STORAGE", message: variable, hint: /DATUMCTL_CONFIG_DIR/ });
      assert.equal(error, folders.missing);
    }
  }
  assert.equal(foldersOf(from({ HOME: "/home/ada" }), false).missing, undefined);
  assert.equal(homeOf(from({ HOME: "" }), false), undefined);
});

Deno.test({
  name: "a variable that is no text is named, and so is a working folder that is none",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const module = (name: string) => JSON.stringify(new URL(`../../src/${name}`, import.meta.url).href);
    const code = `import { absolutePath, environment } from ${module("system/environment.ts")};
      for (const make of [() => environment("NO_TEXT"), () => absolutePath("x")]) {
        try { make(); } catch (error) { console.log(error.code + ": " + error.message); }
      }`;
    const script =
      `mkdir "$(printf 'x\\377')"; cd x*; NO_TEXT=$(printf '\\377') exec "$0" eval --no-check "$1"`;
    const folder = await Deno.makeTempDir();
    try {
      const { stdout } = await new Deno.Command("sh", {
        args: ["-c", script, Deno.execPath(), code],
        cwd: folder,
      }).output();
      assert.equal(
        new TextDecoder().decode(stdout),
        "USAGE: The variable NO_TEXT is no text in UTF-8.\n" +
          "STORAGE: The folder that this command runs in is gone, or its name is no text in UTF-8.\n",
      );
    } finally {
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  },
});

Deno.test("an empty variable counts as unset", () => {
  Deno.env.set("DATUMCTL_TEST_EMPTY", "");
  assert.equal(environment("DATUMCTL_TEST_EMPTY"), undefined);
  Deno.env.delete("DATUMCTL_TEST_EMPTY");
});

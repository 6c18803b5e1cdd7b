/** Proves that every command has a manual page that `man` shows without a warning, with the examples of its help. */

import assert from "node:assert/strict";
import { manPages } from "../../scripts/man-pages.ts";
import { findProgram } from "../../src/system/processes.ts";
import { SessionStore } from "../../src/sessions/store.ts";
import { runLine } from "../cli/run-line.ts";
import { CLOUDS } from "../clouds.ts";
import { testHost } from "../host.ts";
import { inScratch } from "../scratch.ts";

const DATE = 1_764_374_400;
const pages = await manPages(DATE);

Deno.test("there is a page for the program and for each of its commands, with its date and version", () => {
  for (
    const name of ["datumctl", "datumctl-login", "datumctl-auth-login", "datumctl-create-secret-generic"]
  ) {
    assert.match(pages.get(`${name}.1`) ?? "", /^\.TH DATUMCTL\S* 1 2025-11-29 "datumctl \d/, name);
  }
  const program = pages.get("datumctl.1") ?? "";
  for (
    const section of ["COMMANDS", "OPTIONS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"]
  ) {
    assert.ok(program.includes(`.SH ${section}\n`), section);
  }
});

Deno.test({
  name: "man shows every page without a warning, each as wide as a terminal",
  ignore: findProgram("man", Deno.env.get("PATH")) === undefined,
  fn: () =>
    inScratch(async (folder) => {
      for (const [name, text] of pages) await Deno.writeTextFile(`${folder}/${name}`, text);
      for (const name of [...pages.keys(), "broken.1"]) {
        if (name === "broken.1") {
          await Deno.writeTextFile(`${folder}/${name}`, ".TH A 1\n.SH B\n.XX nothing\n\\[nothing]\n");
        }
        const { stdout, stderr } = await new Deno.Command("man", {
          args: ["--warnings", "-E", "UTF-8", "-l", `${folder}/${name}`],
          env: { MANWIDTH: "100", LC_ALL: "C.UTF-8", PAGER: "cat", MANPAGER: "cat" },
        }).output();
        const told = new TextDecoder().decode(stderr);
        if (name === "broken.1") {
          assert.match(told, /warning/);
          continue;
        }
        assert.equal(told, "", name);
        assert.match(new TextDecoder().decode(stdout), /\nSYNOPSIS\n[^]*\nOPTIONS\n/, name);
      }
    }),
});

Deno.test("a page says what its command's help says: its examples, its flags, its remarks", async () => {
  const store = new SessionStore(testHost(), CLOUDS);
  for (const words of [["auth", "update-kubeconfig"], ["get"], ["logout"], ["create", "configmap"]]) {
    const help = (await runLine([...words, "--help"], { store })).stdout;
    const page = (pages.get(`datumctl-${words.join("-")}.1`) ?? "").replaceAll("\\-", "-").replaceAll(
      "\\e",
      "\\",
    );
    const examples = help.split("Examples:\n")[1]?.split("\n\n")[0]?.split("\n").map((line) =>
      line.replace(/^ {2}/, "")
    ) ??
      [];
    assert.ok(examples.length > 0);
    for (const line of examples) assert.ok(page.includes(`\n${line}\n`), line);
    for (const flag of help.match(/^ {2}(-\w, )?--[\w-]+/gm) ?? []) {
      assert.ok(page.includes(flag.trim()), flag);
    }
  }
});

Deno.test("what roff would take for an instruction is printed as it is", () => {
  for (const [name, text] of pages) {
    assert.match(text, /^[\x20-\x7e\n]*$/, `${name} is ASCII`);
    const known = /^(\.(TH|SH|SS|TP|PP|B|I|BR|RI|EX|EE|nh|ad)\b|[^.'])/;
    for (const line of text.split("\n").filter((line) => line !== "")) assert.match(line, known, name);
  }
});

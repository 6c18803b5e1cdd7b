/** Proves the report of `doctor`: verdicts in words, colour where it belongs, lines to type at the end. */

import assert from "node:assert/strict";
import { PLAIN, stylesOf } from "../../../src/cli/output/style.ts";
import type { Area } from "../../../src/cli/doctor/finding.ts";
import { formatReport, reportObject, troubledChecks, wrapped } from "../../../src/cli/doctor/report.ts";

const AREAS: readonly Area[] = [
  {
    title: "Files",
    findings: [
      { check: "files.folder", verdict: "ok", about: "/home/ada/.config/datumctl", found: "it can be read." },
      { check: "files.private", verdict: "ok", found: "nobody else can read them" },
    ],
  },
  {
    title: "Issuer",
    findings: [
      { check: "issuer.metadata", verdict: "ok", found: "well" },
      {
        check: "issuer.device",
        verdict: "note",
        about: "login.example",
        found: "no codes",
        meaning: "No codes.",
      },
    ],
  },
  {
    title: "kubectl",
    findings: [
      {
        check: "kubectl.kuberc",
        verdict: "fault",
        about: "/home/ada/.kube/kuberc",
        found: "kubectl does not run datumctl\u001b[2J",
        meaning: "Without it, kubectl gets no token.",
        line: "kubectl kuberc set --section credentialplugin",
        edit: { file: "/home/ada/.kube/kuberc", lines: ["- name: datumctl"] },
      },
      {
        check: "kubectl.found",
        verdict: "warning",
        found: "two lines",
        line: "kubectl kuberc set --section credentialplugin",
      },
      { check: "kubectl.version", verdict: "ok", found: "v1.35.2" },
    ],
  },
  {
    title: "Launcher",
    findings: [{ check: "launcher.runtime-folder", verdict: "skipped", found: "not used" }],
  },
];

const SEEN = { columns: 80, style: PLAIN, all: false };

Deno.test("the report is short where all is well, and tells the rest with its meaning and the lines to type", () => {
  assert.equal(
    formatReport(AREAS, SEEN),
    `✓ ok     Files     /home/ada/.config/datumctl: it can be read, and 1 more check
✓ ok     Issuer    well
i note             login.example: no codes
                   No codes.
✗ FAULT  kubectl   /home/ada/.kube/kuberc: kubectl does not run datumctl [2J
                   Without it, kubectl gets no token.
! warn             two lines
- skip   Launcher  not used

1 fault, 1 warning. To mend that, in this order:
  kubectl kuberc set --section credentialplugin
`,
  );
  const all = formatReport(AREAS, { ...SEEN, all: true });
  assert.match(all, /^✓ ok {15}v1\.35\.2$/m);
  assert.match(formatReport(AREAS.slice(0, 2), SEEN), /\n\nAll is well\.\n$/);
});

Deno.test("the report names a file's lines where no line can be typed", () => {
  const [, , kubectl] = AREAS;
  const [finding] = kubectl?.findings ?? [];
  assert.ok(finding !== undefined);
  const text = formatReport([{ title: "kubectl", findings: [{ ...finding, line: undefined }] }], SEEN);
  assert.match(text, /\n {2}In \/home\/ada\/\.kube\/kuberc:\n {4}- name: datumctl\n$/);
});

Deno.test("colour is on signs and on lines to type, and changes nothing else", () => {
  const style = stylesOf({ outIsTerminal: true, errIsTerminal: false, showsColours: true }).out;
  const coloured = formatReport(AREAS, { ...SEEN, style });
  // deno-lint-ignore no-control-regex
  assert.equal(coloured.replace(/\u001b\[[\d;]+m/g, ""), formatReport(AREAS, SEEN));
  assert.ok(coloured.includes("\u001b[1;31m✗ FAULT\u001b[0m"));
  // deno-lint-ignore no-control-regex
  assert.match(coloured, /^ {2}\u001b\[36mkubectl /m);
});

Deno.test("a narrow terminal breaks texts at blanks, and never a line to type", () => {
  const long = `datumctl login --profile ${"x".repeat(90)}`;
  const text = formatReport([{
    title: "Sessions",
    findings: [{ check: "a", verdict: "fault", found: "one two three ".repeat(10), line: long }],
  }], { ...SEEN, columns: 20 });
  assert.ok(text.includes(`\n  ${long}\n`));
  assert.ok(text.split("\n").every((line) => line.length <= 50 || line.includes(long)), text);
  assert.deepEqual(wrapped("a bb ccc", 4), ["a bb", "ccc"]);
  assert.deepEqual(wrapped("", 4), []);
});

Deno.test("programs get every finding, with null for what is not there, and no control characters", () => {
  assert.deepEqual(reportObject(AREAS.slice(3)), {
    version: (reportObject([]) as { version: string }).version,
    ok: true,
    checks: [{
      area: "Launcher",
      check: "launcher.runtime-folder",
      verdict: "skipped",
      about: null,
      found: "not used",
      meaning: null,
      line: null,
      edit: null,
    }],
  });
  const { ok, checks } = reportObject(AREAS) as { ok: boolean; checks: readonly { found: string }[] };
  assert.equal(ok, false);
  assert.ok(checks.every(({ found }) => !found.includes("\u001b")));
  assert.deepEqual(troubledChecks(AREAS), ["kubectl.kuberc", "kubectl.found"]);
});

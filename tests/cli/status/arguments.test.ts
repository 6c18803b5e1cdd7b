/** Proves which lines of `status` are read without the framework, and as what. */

import assert from "node:assert/strict";
import { readStatus } from "../../../src/cli/status/arguments.ts";

const NOTHING = { short: false, format: undefined, output: "table", named: undefined };

Deno.test("a prompt's flags are read without the framework", () => {
  for (
    const [words, wanted] of [
      [[], {}],
      [["--short"], { short: true }],
      [["--short", "--short"], { short: true }],
      [["--format", "{user} at {host}"], { format: "{user} at {host}" }],
      [["--format=a=b"], { format: "a=b" }],
      [["--format="], { format: "" }],
      [["--profile", "work", "--short"], { short: true, named: "work" }],
      [["--session=work"], { named: "work" }],
    ] as const
  ) assert.deepEqual(readStatus(["status", ...words]), { ...NOTHING, ...wanted }, words.join(" "));
});

Deno.test("every other line is left to the whole command line", () => {
  for (
    const line of [
      "",
      "whoami",
      "status --help",
      "status -h",
      "status --sort",
      "status --short=yes",
      "status --short --format x",
      "status --format",
      "status --format --short",
      "status --format a --format b",
      "status --profile a --session b",
      "status --profile -x",
      "status -o json",
      "status -q",
      "status -v",
      "status --credentials-file key.json",
      "status --error-format json",
      "status more",
      "status --",
      "--short status",
    ]
  ) assert.equal(readStatus(line.split(" ")), undefined, line);
});

/** Proves the short reading of get-token's words: every form of its flags, and agreement with the whole command line. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { flagsOfWrongGetToken, getTokenRequest, readGetToken } from "../../src/plugin/arguments.ts";
import { runGetToken } from "../../src/plugin/get-token.ts";
import { errorFormatOf } from "../../src/errors.ts";
import { type Ran, recordingHost, runLine } from "../cli/run-line.ts";
import { allowError, expectError } from "../expect-error.ts";
import { startIssuer } from "../sessions/issuer.ts";
import { openSandbox, parentOf, type Sandbox } from "../sessions/sandbox.ts";
import { CLOUDS } from "../clouds.ts";

const read = (...words: string[]) => readGetToken(["auth", "get-token", ...words]);

Deno.test("the line of a kubeconfig entry is read", () => {
  assert.deepEqual(
    read("--output=client.authentication.k8s.io/v1", "--session=ada@example.com@api.datum.net"),
    {
      output: "client.authentication.k8s.io/v1",
      session: "ada@example.com@api.datum.net",
    },
  );
});

Deno.test("every flag is read with = and with its value as the next word", () => {
  const forms: readonly (readonly [string, string, Record<string, unknown>])[] = [
    ["--output", "token", { output: "token" }],
    ["--session", "a", { session: "a" }],
    ["--profile", "a", { profile: "a" }],
    ["--active-for", "api.example.com", { activeFor: "api.example.com" }],
    ["--client-id", "kube", { clientId: "kube" }],
    ["--token", "id", { token: "id" }],
    ["--min-ttl", "1m30s", { minimumLife: "1m30s" }],
    ["--request-timeout", "5s", { requestTimeout: "5s" }],
    ["--error-format", "json", { errorFormat: "json" }],
  ];
  const everywhere = ["--session", "--profile", "--request-timeout", "--error-format"];
  for (const [flag, value, expected] of forms) {
    for (
      const words of [
        ["auth", "get-token", `${flag}=${value}`],
        ["auth", "get-token", flag, value],
        ...(everywhere.includes(flag)
          ? [[flag, value, "auth", "get-token"], ["auth", `${flag}=${value}`, "get-token"]]
          : []),
      ]
    ) assert.deepEqual(readGetToken(words), expected, words.join(" "));
  }
  assert.deepEqual(read("-o", "token"), { output: "token" });
  for (
    const [flag, name] of [["--force-refresh", "forceRefresh"], ["--claims", "claims"], ["-v", "verbose"], [
      "--verbose",
      "verbose",
    ]]
  ) {
    assert.deepEqual(read(flag ?? ""), { [name ?? ""]: true });
  }
  assert.deepEqual(read("-q", "--quiet"), { quiet: true });
  assert.equal(read("--token=id", "--token", "access")?.token, "access", "the last one counts");
  assert.equal(read("--session=a=b")?.session, "a=b");
});

Deno.test("what is not known here is left to the whole command line", () => {
  for (
    const args of [
      [],
      ["auth"],
      ["auth", "list"],
      ["get-token", "auth"],
      ["auth", "get-token", "more"],
      ["auth", "get-token", "-h"],
      ["auth", "get-token", "--help"],
      ["auth", "get-token", "--otput=token"],
      ["auth", "get-token", "-otoken"],
      ["auth", "get-token", "-o"],
      ["auth", "get-token", "--session"],
      ["auth", "get-token", "--session", "-x"],
      ["auth", "get-token", "--output", "--claims"],
      ["auth", "get-token", "--claims=yes"],
      ["auth", "get-token", "-vq"],
      ["auth", "get-token", "--"],
      ["auth", "get-token", "-"],
      ["auth", "get-token", ""],
      ["--version"],
      ["--output=token", "auth", "get-token"],
      ["auth", "--force-refresh", "get-token"],
    ]
  ) assert.equal(readGetToken(args), undefined, args.join(" "));
});

Deno.test("wrong values are USAGE and name the flag", () => {
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [["--token=refresh"], /--token takes access or id/],
    [["--token="], /--token/],
    [["--min-ttl=5"], /--min-ttl/],
    [["--min-ttl="], /--min-ttl/],
    [["--request-timeout=soon"], /--request-timeout/],
    [["--request-timeout=0s"], /--request-timeout takes a duration longer than none/],
    [["--error-format=xml"], /--error-format/],
    [["--session=a", "--profile=b"], /two different sessions/],
  ];
  for (const [words, message] of wrong) {
    expectError(() => getTokenRequest(read(...words) ?? {}), { code: "USAGE", message });
  }
  const request = getTokenRequest(read("--session=a", "--profile=a", "--min-ttl=1m30s") ?? {});
  assert.deepEqual([request.session, request.minimumLife], ["a", 90_000]);
  const pinned = getTokenRequest(read("--session=a", "--active-for=h") ?? {});
  assert.deepEqual([pinned.session, pinned.activeFor], ["a", "h"]);
});

Deno.test("a line that means get-token but holds what is not known keeps its flags for its error", () => {
  const flags = { output: "client.authentication.k8s.io/v1", verbose: true };
  const words = ["auth", "get-token", "--output=client.authentication.k8s.io/v1", "-v"];
  for (const wrong of ["--otput=token", "more", "--claims=yes", "--session"]) {
    assert.deepEqual(flagsOfWrongGetToken([...words, wrong]), flags, wrong);
  }
  assert.equal(flagsOfWrongGetToken(["auth", "list", "get-token"]), undefined);
});

const word = fc.oneof(
  fc.constantFrom(
    ...[
      "auth",
      "get-token",
      "-o",
      "--output",
      "--output=token",
      "-o=token",
      "-otoken",
      "--session",
      "--profile",
    ],
    ...[
      "--session=ada",
      "--profile=ada",
      "--profile=grace",
      "--session=",
      "--active-for=api.example.com",
      "--active-for",
    ],
    ...[
      "--token",
      "--token=id",
      "--token=access",
      "--token=x",
      "--min-ttl=1s",
      "--min-ttl",
      "--min-ttl=x",
      "1s",
      "id",
    ],
    ...[
      "--force-refresh",
      "--claims",
      "-v",
      "-vv",
      "-vq",
      "-q",
      "--quiet",
      "--verbose",
      "--error-format=json",
      "--error-format",
    ],
    ...[
      "--error-format=yaml",
      "--request-timeout=5s",
      "--request-timeout=x",
      "token",
      "access",
      "ada",
      "",
      "-",
      "--",
    ],
    ...[
      "client.authentication.k8s.io/v1",
      "--output=client.authentication.k8s.io/v1beta1",
      "--unknown",
      "json",
    ],
  ),
  fc.string({ maxLength: 5 }),
);

const known = fc.constantFrom<string[]>(
  ...[["-o", "token"], ["--output=client.authentication.k8s.io/v1"], ["--session", "ada"], [
    "--profile=grace",
  ]],
  ...[["--token", "id"], ["--token=access"], ["--min-ttl=1s"], ["--min-ttl", "2h"], ["--force-refresh"], [
    "--claims",
  ]],
  ...[["-v"], ["-q"], ["--error-format", "json"], ["--request-timeout=9s"], [
    "--active-for",
    "api.example.com",
  ]],
  ...[["--session=nobody"], ["--active-for=elsewhere"], ["--output", "xml"]],
);

const line = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.array(known, { maxLength: 5 }).map((flags) => ["auth", "get-token", ...flags.flat()]),
  },
  { weight: 1, arbitrary: fc.array(word, { maxLength: 6 }) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.array(word, { maxLength: 2 }), fc.array(word, { maxLength: 4 }))
      .map(([before, after]) => [...before, "auth", "get-token", ...after]),
  },
);

Deno.test("any line is read, left alone, or USAGE; nothing else is thrown", () => {
  fc.assert(
    fc.property(line, (args) => {
      allowError(() => getTokenRequest(readGetToken(args) ?? {}), "USAGE");
    }),
    { numRuns: 2000 },
  );
});

/** What the short way does with a line; undefined when it leaves the line alone. */
async function short(args: readonly string[], { store }: Sandbox): Promise<Ran | undefined> {
  const context = recordingHost(args, { store });
  const { errorFormat, env, terminal, written } = context;
  const flags = readGetToken(args);
  if (flags === undefined) return undefined;
  const code = await runGetToken(flags, {
    ...{
      store,
      providers: CLOUDS,
      env,
      errorFormat,
      parent: parentOf(1),
      started: performance.now(),
      canAsk: () => false,
    },
    ...{ writeOut: terminal.writeOut, writeErr: terminal.writeErr },
  });
  return { code, stdout: written.out, stderr: written.err };
}

Deno.test("whatever the short way answers, the whole command line answers the same", async () => {
  await using sandbox = await openSandbox();
  // Two people at two issuers: the one's rotation must not spend the other's refresh token.
  await using graces = startIssuer(() => sandbox.time);
  graces.claims = { sub: "2" };
  await sandbox.add({ name: "ada" });
  await sandbox.add({ name: "grace", subject: "2", issuer: graces });
  await sandbox.store.activate("ada");
  let answered = 0;
  // A forced refresh gives another token each time, and a failure that is remembered asks nobody again: the words are
  // compared, neither the tokens nor the log of requests.
  const blank = (text: string) =>
    text.replace(/access-\d+|eyJ[\w.-]+|\d{4}-\d\d-\d\dT[\d:.]+Z/g, "…").replace(/^POST .* ms\n/gm, "");
  await fc.assert(
    fc.asyncProperty(line, async (args) => {
      const quick = await short(args, sandbox);
      if (quick === undefined) return;
      answered++;
      const whole = await runLine(args, { store: sandbox.store });
      assert.equal(whole.code, quick.code, `${JSON.stringify(args)}: ${quick.stderr} / ${whole.stderr}`);
      assert.equal(blank(whole.stdout), blank(quick.stdout), JSON.stringify(args));
      if (quick.code !== 2) assert.equal(blank(whole.stderr), blank(quick.stderr), JSON.stringify(args));
    }),
    { numRuns: 300, examples: [[["auth", "get-token", "--force-refresh", "--profile=grace"]]] },
  );
  assert.ok(answered > 50, `${answered} lines were get-token's`);
});

Deno.test("the errors' format is the flag's, the last one's, else the variable's, else for people", () => {
  assert.equal(errorFormatOf([], undefined), "human");
  assert.equal(errorFormatOf([], "json"), "json");
  assert.equal(errorFormatOf([], "xml"), "human");
  assert.equal(errorFormatOf(["a", "--error-format", "yaml"], "json"), "yaml");
  assert.equal(errorFormatOf(["--error-format=json", "a"], undefined), "json");
  assert.equal(errorFormatOf(["a", "--error-format"], "json"), "json");
  assert.equal(errorFormatOf(["--error-format=xml"], "json"), "human");
  assert.equal(errorFormatOf(["--error-format=json", "--error-format", "yaml"], undefined), "yaml");
});

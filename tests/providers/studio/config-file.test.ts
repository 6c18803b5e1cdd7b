/** Proves that the TOML of DataChain's own tools gets our table and keeps everything else byte for byte. */

import assert from "node:assert/strict";
import { parse, stringify } from "smol-toml";
import fc from "../../fast-check.ts";
import {
  configText,
  datachainConfigPath,
  type StudioTable,
  withoutStudioToken,
  withStudioTable,
} from "../../../src/providers/studio/config-file.ts";
import { findProgram } from "../../../src/system/processes.ts";
import { allowError, assertHides, expectError } from "../../expect-error.ts";

const PATH = "/home/ada/.config/datachain/config";
const TABLE: StudioTable = { url: "https://studio.example.com", token: "isat_1", team: "data-team" };
const URL_LINE = `url = "https://studio.example.com"`;

/** The text with {@link TABLE}, or another team. */
function edited(text: string | undefined, team: string | undefined = TABLE.team): string {
  return withStudioTable(text, { ...TABLE, team }, PATH);
}

function refused(run: () => unknown, words: RegExp, name = String(words)): void {
  const error = expectError(run, { code: "STORAGE", message: words }, name);
  assert.ok(error.message.includes(PATH), name);
  assertHides(error, ["hidden"]);
  assert.equal(error.cause, undefined, "what the parser says quotes the file");
}

const FRESH = `[studio]\n${URL_LINE}\ntoken = "isat_1"\nteam = "data-team"\n`;

const EDITS: readonly [name: string, before: string | undefined, after: string][] = [
  ["no file", undefined, FRESH],
  ["an empty file", "", FRESH],
  ["a comment without an end of line", "# mine", `# mine\n\n${FRESH}`],
  ["another table", "[core]\ncheckout = true\n", `[core]\ncheckout = true\n\n${FRESH}`],
  ["a byte order mark", "\ufeff", `\ufeff${FRESH}`],
  [
    "lines that end as on Windows",
    "a = 1\r\n[studio]\r\ntoken = 'x' # old\r\n",
    `a = 1\r\n[studio]\r\ntoken = "isat_1" # old\r\n${URL_LINE}\r\nteam = "data-team"\r\n`,
  ],
  [
    "our table in the middle, with comments, blanks and another key",
    `# top\n[a]\nx = 1\n\n  [ studio ] # here\n  # the token\n  token= 'hidden'   # keep\n  isolated = [ 1,\n    2 ] # two\n\n# b\n[b]\ntoken = "other"\n`,
    `# top\n[a]\nx = 1\n\n  [ studio ] # here\n  # the token\n  token= "isat_1"   # keep\n  isolated = [ 1,\n    2 ] # two\n  ${URL_LINE}\n  team = "data-team"\n\n# b\n[b]\ntoken = "other"\n`,
  ],
  [
    "a table without any key, at the end and without an end of line",
    "[studio]",
    `[studio]\n${URL_LINE}\ntoken = "isat_1"\nteam = "data-team"\n`,
  ],
  [
    "quoted names and values over many lines",
    `["st\\u0075dio"]\n"url" = """\nhidden\n[studio]\\\n  ""\\" """ # u\n'token' = [ "]", # ]\n '}' ]\n"te\\u0061m" = { a = "}", b = [ {} ] }\n`,
    `["st\\u0075dio"]\n"url" = "https://studio.example.com" # u\n'token' = "isat_1"\n"te\\u0061m" = "data-team"\n`,
  ],
  [
    "dotted keys at the root",
    `name = 1\nstudio.token = "hidden" # t\nstudio . "url" = 'x'\n[z]\nstudio.token = "z"\n`,
    `name = 1\nstudio.token = "isat_1" # t\nstudio . "url" = "https://studio.example.com"\nstudio.team = "data-team"\n[z]\nstudio.token = "z"\n`,
  ],
  [
    "an inline table",
    `studio = { token = "hidden", x = { token = 1 } } # s\n`,
    `studio = { token = "isat_1", x = { token = 1 }, url = "https://studio.example.com", team = "data-team" } # s\n`,
  ],
  [
    "an empty inline table",
    `studio = {}\n`,
    `studio = { url = "https://studio.example.com", token = "isat_1", team = "data-team" }\n`,
  ],
  [
    "a table below ours alone",
    `[studio.proxy]\nurl = "p"\n`,
    `[studio.proxy]\nurl = "p"\n\n${FRESH}`,
  ],
  [
    "ours with one below it",
    `[studio]\n[studio.proxy]\nurl = "p"\n`,
    `[studio]\n${URL_LINE}\ntoken = "isat_1"\nteam = "data-team"\n[studio.proxy]\nurl = "p"\n`,
  ],
  [
    "what only looks like ours",
    `text = """\n[studio]\ntoken = "x"\n"""\n[studios]\ntoken = "a"\n[a.studio]\ntoken = "b"\n[[list]]\nstudio = { token = "c" }\n`,
    `text = """\n[studio]\ntoken = "x"\n"""\n[studios]\ntoken = "a"\n[a.studio]\ntoken = "b"\n[[list]]\nstudio = { token = "c" }\n\n${FRESH}`,
  ],
  [
    "times, numbers beyond 53 bits and a prototype's name",
    `t = 1979-05-27 07:32:00 # t\nn = 9223372036854775807\nf = nan\n__proto__ = { x = 1 }\n[studio]\ntoken = 1979-05-27 07:32:00 # when\n`,
    `t = 1979-05-27 07:32:00 # t\nn = 9223372036854775807\nf = nan\n__proto__ = { x = 1 }\n[studio]\ntoken = "isat_1" # when\n${URL_LINE}\nteam = "data-team"\n`,
  ],
];

for (const [name, before, after] of EDITS) {
  Deno.test(`the table is written into ${name}, and again without a change`, () => {
    assert.equal(edited(before), after);
    assert.equal(edited(after), after);
  });
}

const REMOVALS: readonly [name: string, before: string, after: string][] = [
  ["its line", `${FRESH}`, `[studio]\n${URL_LINE}\ntoken = "isat_1"\n`],
  [
    "all but its comment",
    `[studio]\n  team = "x"  # ours\n${URL_LINE}\ntoken = "isat_1"\n`,
    `[studio]\n  # ours\n${URL_LINE}\ntoken = "isat_1"\n`,
  ],
  ["many lines", `[studio]\nteam = [\n "x" ]\n`, `[studio]\n${URL_LINE}\ntoken = "isat_1"\n`],
  [
    "a dotted key",
    `studio.team = "x"\nstudio.url = "u"\n`,
    `studio.url = "https://studio.example.com"\nstudio.token = "isat_1"\n`,
  ],
  [
    "the first of an inline table",
    `studio = { team = "x", url = "u", token = "t" }`,
    `studio = { ${URL_LINE}, token = "isat_1" }`,
  ],
  [
    "the last of an inline table",
    `studio = {url="u",token="t",team="x"}`,
    `studio = {url="https://studio.example.com",token="isat_1"}`,
  ],
];
for (const [name, before, after] of REMOVALS) {
  Deno.test(`without a default team the old one goes: ${name}`, () => {
    assert.equal(withStudioTable(before, { url: TABLE.url, token: TABLE.token }, PATH), after);
  });
}

const REFUSED: readonly [name: string, text: string, words: RegExp][] = [
  ["no TOML", `[core]\ntoken = hidden\n`, /not valid TOML \(line 2\)/],
  ["two of one table", `[studio]\ntoken = "hidden"\n[studio]\n`, /not valid TOML/],
  ["a studio that is a text", `studio = "hidden"\n`, /not a table/],
  ["a list of studios", `[[studio]]\ntoken = "hidden"\n`, /not a table/],
  ["a list in one line", `studio = [ { token = "hidden" } ]\n`, /not a table/],
  ["a token that is a table", `[studio.token]\nvalue = "hidden"\n`, /cannot be changed safely/],
  ["a token with keys", `[studio]\ntoken.value = "hidden"\n`, /cannot be changed safely/],
  ["a token with keys in one line", `studio = { token.value = "hidden" }\n`, /cannot be changed safely/],
  ["a token that is a list of tables", `[[studio.token]]\nvalue = "hidden"\n`, /cannot be changed safely/],
  ["a key of very many parts", `${"a.".repeat(5000)}hidden = 1\n`, /nested too deeply/],
  ["one in an inline table", `x = { ${"a.".repeat(5000)}hidden = 1 }\n`, /nested too deeply/],
  ["one below ours", `[studio]\nx.${"a.".repeat(500_000)}hidden = 1\n`, /nested too deeply/],
  ["lists in lists", `hidden = ${"[".repeat(500)}${"]".repeat(500)}\n`, /nested too deeply/],
  [
    "a long header with many keys below it",
    `[${"a.".repeat(60_000)}a]\n${Array.from({ length: 60_000 }, (_, i) => `hidden${i}=1\n`).join("")}`,
    /nested too deeply/,
  ],
];
for (const [name, text, words] of REFUSED) {
  Deno.test(`${name} is refused, naming the file and nothing in it`, () => {
    refused(() => edited(text), words, name);
  });
}

Deno.test("a text is read once from its beginning to its end, whatever is long in it", () => {
  const blanks = " ".repeat(200_000);
  const path = Array.from({ length: 90 }, () => "a").join(".");
  const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}=1\n`).join("");
  const texts = [`x = "${blanks}"\n`, `x = [${blanks}\n${blanks}1]\n`, `#${blanks}\n`, `[${path}]\n${keys}`];
  const began = performance.now();
  for (const text of texts) {
    assert.equal(
      edited(`${text}  [studio]\n`),
      `${text}  [studio]\n${FRESH.slice(9).replaceAll(/^(?=.)/gm, "  ")}`,
    );
  }
  // With blanks it once took minutes.
  assert.ok(performance.now() - began < 30_000);
});

Deno.test("what TOML cannot hold is refused", () => {
  refused(() => withStudioTable("", { url: "u", token: "hidden\ud800" }, PATH), /safely/);
});

Deno.test("a file that is too large or not UTF-8 is refused; one that is neither keeps its mark", () => {
  assert.equal(configText(undefined, PATH), undefined);
  assert.equal(configText(new TextEncoder().encode("\ufeffa = 1\r\n"), PATH), "\ufeffa = 1\r\n");
  refused(() => configText(new Uint8Array([0x61, 0xff]), PATH), /UTF-8/);
  refused(() => configText(new Uint8Array(1024 * 1024 + 1), PATH), /1 MiB/);
});

Deno.test("our token is taken away again with its team, and nothing else", () => {
  const text = `# c\n[studio]\nurl = "u"\ntoken = "isat_1" # t\nteam = "x"\n`;
  assert.equal(withoutStudioToken(text, "isat_1", PATH), `# c\n[studio]\nurl = "u"\n# t\n`);
  assert.equal(withoutStudioToken(FRESH, "isat_1", PATH), `[studio]\n${URL_LINE}\n`);
  assert.equal(withoutStudioToken(`studio = { token = "isat_1" }`, "isat_1", PATH), "studio = {  }");
  assert.equal(withoutStudioToken(`studio.token = 'isat_1'\n`, "isat_1", PATH), "");
  const team = `[studio]\nteam = "theirs"\ntoken = "isat_2"\n`;
  assert.equal(withoutStudioToken(team, "isat_1", PATH), team);
});

Deno.test("somebody else's token stays", () => {
  for (const text of ["", FRESH, `token = "isat_2"\n`, `studio = 1\n`, `[[studio]]\ntoken = "isat_2"\n`]) {
    assert.equal(withoutStudioToken(text, "isat_2", PATH), text);
  }
  refused(() => withoutStudioToken("token = hidden", "isat_1", PATH), /not valid TOML/);
});

const HOME = { HOME: "/home/ada", LOCALAPPDATA: "C:\\Users\\ada\\AppData\\Local" };
const PLACES: readonly [os: string, variables: Record<string, string>, path: string][] = [
  ["linux", HOME, "/home/ada/.config/datachain/config"],
  ["linux", { ...HOME, XDG_CONFIG_HOME: "/xdg" }, "/xdg/datachain/config"],
  ["linux", { ...HOME, XDG_CONFIG_HOME: "relative" }, "/home/ada/.config/datachain/config"],
  ["linux", { ...HOME, XDG_CONFIG_HOME: "/xdg", DATACHAIN_GLOBAL_CONFIG_DIR: "/own" }, "/own/config"],
  ["linux", { DATACHAIN_GLOBAL_CONFIG_DIR: "own" }, "own/config"],
  ["darwin", HOME, "/home/ada/Library/Application Support/datachain/config"],
  ["darwin", { ...HOME, XDG_CONFIG_HOME: "/xdg" }, "/xdg/datachain/config"],
  ["windows", HOME, "C:\\Users\\ada\\AppData\\Local\\iterative\\datachain\\config"],
  ["windows", { DATACHAIN_GLOBAL_CONFIG_DIR: "D:\\own" }, "D:\\own\\config"],
];

Deno.test("the file is where DataChain's own tools look on each system", () => {
  for (const [os, variables, path] of PLACES) {
    assert.equal(datachainConfigPath({ os, env: (name) => variables[name] }), path);
    const local = datachainConfigPath({ os, env: (name) => variables[name] }, "/work/project");
    assert.equal(local.replaceAll("\\", "/"), "/work/project/.datachain/config");
  }
  const rows: readonly [os: string, variables: Record<string, string>, path: string][] = [
    ["linux", { DATACHAIN_DIR: "/data/dc" }, "/data/dc/config"],
    ["linux", { DATACHAIN_DIR: "dc/", DATACHAIN_ROOT_DIR: "/root" }, "/work/project/dc/config"],
    ["linux", { DATACHAIN_ROOT_DIR: "/data" }, "/data/.datachain/config"],
    ["darwin", { DATACHAIN_ROOT_DIR: "../other//" }, "/work/project/../other/.datachain/config"],
    ["windows", { DATACHAIN_DIR: "D:\\dc\\" }, "D:\\dc\\config"],
    ["windows", { DATACHAIN_ROOT_DIR: "sub" }, "/work/project\\sub\\.datachain\\config"],
  ];
  for (const [os, variables, path] of rows) {
    assert.equal(datachainConfigPath({ os, env: (name) => variables[name] }, "/work/project"), path);
  }
  for (const [os, missing] of [["linux", /HOME is not set/], ["windows", /LOCALAPPDATA/]] as const) {
    expectError(() => datachainConfigPath({ os, env: () => undefined }), { message: missing });
  }
});

/** Any text, with what is special to TOML in it often. */
const word = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...`"'\\#[]{}=.,\n\r\t \u0000\u007f\u0085é😀a`), maxLength: 12 }),
).filter((text) => text.isWellFormed());

const name = fc.oneof(word, fc.constantFrom("studio", "url", "token", "team", "__proto__", "a", ""));

const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    word,
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3 }),
  ),
})).value;

/** Written by the library, so that the texts are not ours; then with comments and blanks of a person. */
const document = fc.tuple(
  fc.dictionary(name, value, { maxKeys: 4 }),
  fc.option(fc.dictionary(name, value, { maxKeys: 3 })),
  fc.constantFrom("\n", "\r\n"),
  fc.boolean(),
).map(([data, studio, eol, comments]) => {
  const text = stringify(studio === null ? data : { ...data, studio });
  const lines = text.split("\n").flatMap((line) => comments ? [line, "\t # [studio] token = '"] : [line]);
  return lines.join(eol);
}).filter((text) => readable(text) !== undefined);

function readable(text: string): Record<string, unknown> | undefined {
  try {
    return parse(text, { integersAsBigInt: true });
  } catch {
    return undefined;
  }
}

function editable(text: string, table: StudioTable): string | undefined {
  return allowError(() => withStudioTable(text, table, PATH), "STORAGE");
}

const anyTable = fc.record({ url: word, token: word, team: fc.option(word, { nil: undefined }) });

Deno.test("whatever stood in the file, it then holds our table, and everything else as it was", () => {
  let written = 0;
  fc.assert(
    fc.property(document, anyTable, (before, table) => {
      const after = editable(before, table);
      if (after === undefined) return;
      written += 1;
      const { studio: oldStudio, ...old } = readable(before) ?? {};
      const { studio, ...rest } = readable(after) ?? {};
      assert.deepEqual(rest, old);
      const { url: _u, token: _t, team: _m, ...kept } = (oldStudio ?? {}) as Record<string, unknown>;
      const expected = { ...kept, url: table.url, token: table.token };
      assert.deepEqual(
        { ...studio as object },
        table.team === undefined ? expected : { ...expected, team: table.team },
      );
      assert.equal(editable(after, table), after, "a second time changes nothing");
      const comments = (text: string) => text.match(/\t # \[studio\] token = '/g)?.length;
      assert.equal(comments(after), comments(before));
    }),
    { numRuns: 300 },
  );
  assert.ok(written > 150, `only ${written} could be edited`);
});

Deno.test("a token goes again without a trace, and the file is as if it had never had one", () => {
  fc.assert(
    fc.property(document, word, (before, token) => {
      const { studio, ...old } = readable(before) ?? {};
      const signedIn = editable(before, { url: "https://studio.example.com", token });
      if (signedIn === undefined) return;
      const { studio: after, ...rest } = readable(withoutStudioToken(signedIn, token, PATH)) ?? {};
      const { team: _m, token: _t, ...kept } = (studio ?? {}) as Record<string, unknown>;
      assert.deepEqual([rest, { ...after as object }], [old, { ...kept, url: "https://studio.example.com" }]);
    }),
    { numRuns: 200 },
  );
});

Deno.test("bytes at random are edited, or refused as what they are", () => {
  const lines = fc.constantFrom(
    ...[
      "[studio]",
      "[studio.x]",
      "[[studio]]",
      "studio = {",
      "}",
      "studio.token = ",
      "token = ",
      "'''",
      '"""',
    ],
    ...[
      "[",
      "]",
      "#",
      "\\",
      '"a"',
      "'b'",
      "1979-05-27",
      " ",
      "\n",
      "\n",
      "=",
      ",",
      "url",
      ".",
      "team = [1,\n2]",
    ],
  );
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 12 }).map((parts) => parts.join("")), (text) => {
      const after = editable(text, TABLE);
      if (readable(text) === undefined) assert.equal(after, undefined);
      if (after === undefined) return;
      const { studio } = readable(after) ?? {};
      assert.deepEqual({ ...studio as object }, { ...studio as object, ...TABLE });
    }),
    { numRuns: 1000 },
  );
});

const PYTHON = findProgram("python3", Deno.env.get("PATH"));
const READER =
  "import json,sys,tomllib\nprint(json.dumps([tomllib.loads(t)['studio'] for t in json.load(sys.stdin)]))";

async function python(script: string, input: string): Promise<string | undefined> {
  if (PYTHON === undefined) return undefined;
  const child = new Deno.Command(PYTHON, {
    args: ["-c", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout } = await child.output();
  return success ? new TextDecoder().decode(stdout) : undefined;
}

const hasTomllib = await python("import tomllib", "") !== undefined;
// deno-lint-ignore no-console -- a skipped test says so
if (!hasTomllib) console.error("skipped: reading our TOML with Python, which is not here or older than 3.11");

Deno.test({
  name: "Python reads what was written as it was meant",
  ignore: !hasTomllib,
  async fn() {
    const tables = fc.sample(anyTable, 200);
    const texts = [
      ...EDITS.flatMap(([, before, after]) => before?.startsWith("\ufeff") ? [] : [after]),
      ...tables.map((table) => withStudioTable("# c\r\n", table, PATH)),
    ];
    const read = JSON.parse(await python(READER, JSON.stringify(texts)) ?? "null");
    assert.equal(read.length, texts.length);
    for (const { url, token } of read.slice(0, -200)) {
      assert.deepEqual([url, token], [TABLE.url, TABLE.token]);
    }
    const meant = tables.map(({ url, token, team }) =>
      team === undefined ? { url, token } : { url, token, team }
    );
    assert.deepEqual(read.slice(-200), meant);
  },
});

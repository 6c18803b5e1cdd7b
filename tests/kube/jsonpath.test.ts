/** Proves that a JSONPath template finds, prints and fails as it does for kubectl. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { AppError } from "../../src/errors.ts";
import { printable } from "../../src/text.ts";
import { JsonPath, type JsonPathOptions, relaxedPath } from "../../src/kube/jsonpath.ts";
import { compactJson } from "../../src/kube/json-text.ts";
import type { Json } from "../../src/kube/lossless-json.ts";
import { expectError } from "../expect-error.ts";
import { hostileText, ours, RUNS } from "../fuzz.ts";
import { BAD, GOOD, OBJECT, sampleTemplates } from "./jsonpath-templates.ts";
import { ignore, kubectlPrints } from "./kubectl.ts";
import { widget, widgetServer } from "./widget-server.ts";

const GENERATED = sampleTemplates(600);
const STRICT: JsonPathOptions = { allowMissing: false };

/** What a template prints, or our error. */
function printed(template: string, options: JsonPathOptions = {}): string | AppError {
  try {
    return JsonPath.parse(template).print(OBJECT, options);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

async function kubectlPrinted(
  template: string,
  { allowMissing = true, asJson = false }: JsonPathOptions = {},
) {
  return await kubectlPrints(
    compactJson(OBJECT),
    `jsonpath${asJson ? "-as-json" : ""}=${template}`,
    `--allow-missing-template-keys=${allowMissing}`,
  );
}

const MARK = '{"\\u0001"}';

/** Compares many templates in one run: they are joined, for each of them prints what it prints alone. */
async function assertSamePrints(templates: readonly string[], options: JsonPathOptions = {}): Promise<void> {
  const size = 40;
  for (let at = 0; at < templates.length; at += size) {
    const some = templates.slice(at, at + size);
    const { code, stdout, stderr } = await kubectlPrinted(some.join(MARK), options);
    assert.equal(code, 0, stderr);
    const mark = options.asJson ? '[\n    "\\u0001"\n]\n' : "\u0001";
    const theirs = stdout.split(mark);
    assert.equal(theirs.length, some.length);
    some.forEach((template, index) => assert.equal(printed(template, options), theirs[index], template));
  }
}

async function assertSameError(template: string, options: JsonPathOptions = {}): Promise<void> {
  const { code, stdout, stderr } = await kubectlPrinted(template, options);
  const error = printed(template, options);
  assert.ok(error instanceof AppError, template);
  assert.equal(code, 1, template);
  assert.equal(stdout, "", template);
  assert.ok(
    stderr.replace(/\p{Cc}/gu, " ").includes(error.message),
    `${template}\n${error.message}\n${stderr}`,
  );
}

/** Whether each range has its end, so that what follows stands alone. */
function isClosed(template: string): boolean {
  return template.split(/range\b/).length <= template.split("{end}").length;
}

/** Whether kubectl's error has a value in it, which ours has not. */
function isQuotedByKubectl(template: string): boolean {
  const error = printed(template);
  return error instanceof AppError && error.message.endsWith("cannot be filtered");
}

/** A sample, where each costs a process. */
function everyNth<T>(all: readonly T[], nth: number): T[] {
  return all.filter((_, index) => index % nth === 0);
}

function works(template: string, options: JsonPathOptions = {}): boolean {
  return typeof printed(template, options) === "string";
}

Deno.test({
  name: "templates by hand print what they print with kubectl",
  ignore,
  fn: async () => {
    assert.deepEqual(GOOD.filter((template) => !works(template)), []);
    await assertSamePrints(GOOD.filter(isClosed));
    for (const template of GOOD.filter((template) => !isClosed(template))) {
      assert.equal(printed(template), (await kubectlPrinted(template)).stdout, template);
    }
  },
});

Deno.test("templates that fail do so with kubectl's words", () => {
  for (const [template, message] of BAD) {
    const error = printed(template);
    assert.ok(error instanceof AppError && error.message.endsWith(printable(message)), template);
  }
});

Deno.test({
  name: "kubectl has the same words for them",
  ignore,
  fn: async () => {
    for (const [template] of everyNth(BAD, 4)) await assertSameError(template);
  },
});

Deno.test({
  name: "generated templates print and fail as they do with kubectl",
  ignore,
  fn: async () => {
    await assertSamePrints(GENERATED.filter((template) => works(template)));
    const failing = GENERATED.filter((template) => !works(template) && !isQuotedByKubectl(template));
    assert.ok(failing.length > 50);
    for (const template of everyNth(failing, Math.ceil(failing.length / 20))) await assertSameError(template);
  },
});

Deno.test({
  name: "a member that is missing is an error where kubectl is told so",
  ignore,
  fn: async () => {
    const templates = [...GOOD, ...GENERATED].filter((template) => isClosed(template));
    await assertSamePrints(templates.filter((template) => works(template, STRICT)), STRICT);
    const failing = templates.filter((template) => works(template) && !works(template, STRICT));
    assert.ok(failing.length > 50);
    for (const template of failing.filter((_, index) => index % 10 === 0)) {
      await assertSameError(template, STRICT);
    }
  },
});

Deno.test({
  name: "jsonpath-as-json prints the arrays that kubectl prints",
  ignore,
  fn: () => assertSamePrints(GOOD.filter(isClosed), { asJson: true }),
});

const LISTED = [
  "{.kind}",
  "{.items[*].metadata.name}",
  "{.items[0].spec}",
  "{.items[-1:].metadata.name}",
  "{.items[0,2].metadata['name','labels']}",
  "{.items[*].metadata.labels.app}",
  '{.items[?(@.metadata.name=="b")].spec.n}',
  '{.items[?(@.metadata.labels.app=="web")].metadata.name}',
  "{.items[?(@.spec.n>1)].metadata.name}",
  '{range .items[*]}{.metadata.name}{"\\t"}{.spec.n}{"\\n"}{end}',
  "{range .items[*]}{range .spec.l[*]}{@},{end};{end}",
  "{range .items[?(@.spec.l)]}{.spec.l[*]} {end}",
  "{..n}",
  "{.items..app}",
  "{.items[*].zz}",
  "{.metadata.resourceVersion}-{.metadata}",
];

Deno.test({
  name: "templates of a list print what they print with kubectl get",
  ignore,
  fn: async () => {
    const objects = [
      widget("a", { spec: { n: 1, l: ["x", "y"] } }, { app: "web" }),
      widget("b", { spec: { n: 9007199254740993n } }),
      widget("c", { spec: { n: 3, l: [] } }, { app: "web", "a.b/c": "d" }),
    ];
    await using server = widgetServer({ a: { objects, columns: [], cells: [] } });
    const template = LISTED.join("|");
    const { stdout, stderr } = await server.get("-n", "a", "-o", `jsonpath=${template}`);
    const list: Json = { apiVersion: "v1", items: objects, kind: "List", metadata: { resourceVersion: "" } };
    assert.equal(JsonPath.parse(template).print(list), stdout, stderr);
  },
});

Deno.test("the examples of Kubernetes' documentation print what it says", () => {
  const list: Json = {
    kind: "List",
    items: [
      {
        kind: "None",
        metadata: { name: "127.0.0.1", labels: { "kubernetes.io/hostname": "127.0.0.1" } },
        status: { capacity: { cpu: "4" }, addresses: [{ type: "LegacyHostIP", address: "127.0.0.1" }] },
      },
      {
        kind: "None",
        metadata: { name: "127.0.0.2" },
        status: {
          capacity: { cpu: "8" },
          addresses: [{ type: "LegacyHostIP", address: "127.0.0.2" }, {
            type: "another",
            address: "127.0.0.3",
          }],
        },
      },
    ],
    users: [{ name: "myself", user: {} }, { name: "e2e", user: { username: "admin", password: "secret" } }],
  };
  for (
    const [template, text] of [
      ["kind is {.kind}", "kind is List"],
      ["{.items[*].metadata.name}", "127.0.0.1 127.0.0.2"],
      ["{.users[0].name}", "myself"],
      ["{.items[*]['metadata.name', 'status.capacity']}", '127.0.0.1 127.0.0.2 {"cpu":"4"} {"cpu":"8"}'],
      ["{..name}", "127.0.0.1 127.0.0.2 myself e2e"],
      ['{.users[?(@.name=="e2e")].user.password}', "secret"],
      [
        "{range .items[*]}[{.metadata.name}, {.status.capacity}] {end}",
        '[127.0.0.1, {"cpu":"4"}] [127.0.0.2, {"cpu":"8"}] ',
      ],
      ["{range .items[*]}{.metadata.name}{'\\t'}{end}", "127.0.0.1\t127.0.0.2\t"],
      ["{.items[0].metadata.labels.kubernetes\\.io/hostname}", "127.0.0.1"],
    ] as const
  ) assert.equal(JsonPath.parse(template).print(list), text);
});

Deno.test("a value that cannot be filtered is not quoted: it can be a secret", () => {
  expectError(() => JsonPath.parse("{.data[?(@.x)]}").print({ data: { password: "SECRET" } }), {
    message: /: map\[string\]interface \{\} is not array or slice and cannot be filtered$/,
  });
});

Deno.test("relaxedPath() puts on the braces and the point that a path lacks", () => {
  for (
    const [path, template] of [
      [".a.b", "{.a.b}"],
      ["a.b", "{.a.b}"],
      ["{.a.b}", "{.a.b}"],
      ["{a.b}", "{.a.b}"],
      ["", ""],
      [".", "{..}"],
      ["[0]", "{.[0]}"],
      ["$.a", "{.$.a}"],
      [" .a", "{. .a}"],
    ] as const
  ) assert.equal(relaxedPath(path), template);
  for (const path of ["{}", "{", "}", "{.a", "a}", "{{.a}}", "{.a}{.b}", "{.a}x", "x{.a}", ".a{b"]) {
    expectError(() => relaxedPath(path), {
      code: "USAGE",
      message: /^unexpected path string, expected a 'name1/,
    });
  }
});

const ITEMS: readonly Json[] = [OBJECT, {}, { kind: "", l: [] }, {
  kind: "X",
  l: [1, 2],
  metadata: { name: "x" },
}];

Deno.test("a list that is gone through object by object prints what it prints as a whole", () => {
  const streamed = [
    "{.items[*].kind}",
    "a{'b'}{.items[*].metadata.name}{\"\\n\"}",
    "{.items[:].l[*]}",
    "{.items[*]}",
    "{.items[*]..name}",
    "{.items[*].zz}",
    "{range .items[*]}{.kind}{end}",
    'x{range .items[*]}{.metadata.name}{"\\t"}{range .l[*]}{@},{end}{"\\n"}{end}y',
    "{range .items[*]}{['kind','zz']}{end}",
  ];
  for (const template of streamed) {
    for (const items of [ITEMS, [], ITEMS.slice(0, 1)]) {
      const path = JsonPath.parse(template);
      const printer = path.listPrinter();
      assert.ok(printer !== undefined, template);
      const text = items.map((item) => printer.item(item)).join("") + printer.end();
      assert.equal(text, path.print({ kind: "List", items }), template);
    }
  }
});

Deno.test("what asks for more than the items one by one is not gone through object by object", () => {
  for (
    const template of [
      "",
      "text",
      "{.kind}",
      "{.items}",
      "{.items[0]}",
      "{.items[1:]}",
      "{.items[*].kind}{.kind}",
      "{.items[*].kind}{.items[*].kind}",
      "{.items[*]['kind','l']}",
      "{.items[*] 'x'}",
      "{.items[?(@.kind)].kind}",
      "{range .items[*].l[*]}{@}{end}",
      "{range .items[*]}{.kind}",
      "{range .items[*]}{.kind}{end}{.metadata}",
      "{..items[*]}",
      "{end}",
    ]
  ) assert.equal(JsonPath.parse(template).listPrinter(), undefined, template);
});

Deno.test("no template breaks its reader", async () => {
  const piece = fc.oneof(
    hostileText,
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      "'",
      '"',
      ".",
      "..",
      "*",
      "?(",
      ")",
      "range ",
      "end",
      "@",
      "\\",
      ",",
      ":",
      "1",
      "a",
      " ",
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.boolean(), async (pieces, allowMissing) => {
      await ours(() => JsonPath.parse(pieces.join("")).print(OBJECT, { allowMissing }));
    }),
    { numRuns: RUNS },
  );
});

/** The rules of the house as a checker of source texts: which way imports run, and who may touch what. */

/** A module's path from the repository's root, such as `src/oauth/device.ts`, with its source text. */
export type Sources = ReadonlyMap<string, string>;

interface Import {
  /** The path of a module of ours, or the specifier of anything else. */
  readonly target: string;
  /** `type` leaves nothing behind at run time; `lazy` is `import(…)`. */
  readonly kind: "static" | "lazy" | "type";
}

interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
  /** Globals that the module names itself: `Deno`, `console`, `process.argv0`, … */
  readonly globals: readonly string[];
}

// Each area with its height. An import never goes to a greater one; among equals no circle of areas is allowed.
const HEIGHTS: Readonly<Record<string, number>> = {
  build: 0,
  encoding: 0,
  errors: 0,
  hints: 0,
  splice: 0,
  text: 0,
  version: 0,
  system: 1,
  keyring: 2,
  http: 2,
  oauth: 3,
  sessions: 4,
  kubeconfig: 5,
  kube: 6,
  providers: 7,
  "sign-in": 8,
  plugin: 9,
  cli: 10,
  main: 11,
};

/** What `system` may import beside itself. */
const UNDER_SYSTEM = new Set(["system", "hints", "errors", "text", "encoding"]);

/** The areas on get-token's way, which load no `node:` layer and no framework, not even lazily. */
const SHORT_WAY = new Set([
  "build",
  "encoding",
  "errors",
  "hints",
  "text",
  "version",
  "system",
  "http",
  "oauth",
  "keyring",
  "sessions",
  "plugin",
]);

const FRAMEWORK = /^(?:npm:)?(?:commander|@commander-js\/[^/]+)(?:[@/]|$)/;
/** Takes as long to load as all else of a command's start together: only what measures foreign scripts may. */
const SLOW = /^(?:npm:)?string-width(?:[@/]|$)/;
const NODE_GLOBALS = new Set(["process", "Buffer", "global", "require", "setImmediate"]);
const WATCHED = new Set([...NODE_GLOBALS, "Deno", "console"]);

/**
 * Every breach of the house's rules, one sentence each; none when all is well.
 *
 * Uses `Deno.lint.runPlugin` for its parser, so it can be called in a test only.
 */
export function breaches(sources: Sources): string[] {
  const modules = [...sources].map(([path, source]) => parse(path, source));
  const byPath = new Map(modules.map((module) => [module.path, module]));
  return [
    ...modules.flatMap((module) => [
      ...importBreaches(module, byPath),
      ...globalBreaches(module),
    ]),
    ...circleBreaches(new Map(modules.map(({ path, imports }) => [path, targetsOf(imports, byPath)]))),
    ...circleBreaches(areaGraph(modules, byPath)),
    ...shortWayBreaches(byPath),
    ...startBreaches(byPath),
  ];
}

function importBreaches(module: Module, byPath: ReadonlyMap<string, Module>): string[] {
  const found: string[] = [];
  const from = areaOf(module.path);
  if (HEIGHTS[from] === undefined) return [`${module.path} is in no area that the house knows.`];
  for (const { target, kind } of module.imports) {
    if (isOwn(target)) {
      const to = areaOf(target);
      if (!byPath.has(target)) {
        found.push(`${module.path} imports ${target}, which is not part of the program.`);
      } else if (height(to) > height(from)) found.push(`${module.path} imports ${target}, uphill.`);
      else if (from === "system" && !UNDER_SYSTEM.has(to)) {
        found.push(`${module.path} imports ${target}: system stands on errors, text and encoding alone.`);
      }
      continue;
    }
    if (kind === "lazy") {
      found.push(`${module.path} imports the package ${target} lazily, which fails in the bundle.`);
    }
    if (FRAMEWORK.test(target) && from !== "cli") {
      found.push(`${module.path} imports the CLI framework, ${target}.`);
    }
    if (target.startsWith("node:") && SHORT_WAY.has(from) && module.path !== "src/system/tls-probe.ts") {
      found.push(`${module.path} imports ${target}, which loads the node: layer.`);
    }
  }
  return found;
}

function globalBreaches({ path, globals }: Module): string[] {
  const area = areaOf(path);
  return globals.flatMap((name) => {
    const root = name.split(".")[0] ?? name;
    if (root === "Deno" && area !== "system" && area !== "main") {
      return [`${path} touches Deno outside system.`];
    }
    if (root === "console" && area !== "system") return [`${path} prints through console outside system.`];
    // Only argv0 tells by which path we were called, and Deno has no name of its own for it.
    if (NODE_GLOBALS.has(root) && !(area === "system" && name === "process.argv0")) {
      return [`${path} uses Node's global ${name}.`];
    }
    return [];
  });
}

// What main.ts loads before it knows what it was asked for.
function shortWayBreaches(byPath: ReadonlyMap<string, Module>): string[] {
  return loadedAtOnce("main.ts", byPath, (target) => target.startsWith("node:") || FRAMEWORK.test(target));
}

// What a command loads before it does anything: main.ts loads the command line, and that the command, lazily.
function startBreaches(byPath: ReadonlyMap<string, Module>): string[] {
  const lazyOf = (path: string) =>
    byPath.get(path)?.imports.filter(({ kind }) => kind === "lazy").map(({ target }) => target) ?? [];
  const starts = new Set(["main.ts", ...lazyOf("main.ts"), ...lazyOf("src/cli/tree.ts")]);
  return [...starts].flatMap((start) => loadedAtOnce(start, byPath, (target) => SLOW.test(target)));
}

/** A sentence for each import of an unwanted module that an entry loads with itself. */
function loadedAtOnce(
  entry: string,
  byPath: ReadonlyMap<string, Module>,
  unwanted: (target: string) => boolean,
): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (path: string, way: readonly string[]) => {
    const module = byPath.get(path);
    if (module === undefined || seen.has(path)) return;
    seen.add(path);
    for (const { target, kind } of module.imports) {
      if (kind !== "static") continue;
      if (unwanted(target)) {
        found.push(`${entry} loads ${target} at once, by way of ${[...way, path].join(" → ")}.`);
      }
      visit(target, [...way, path]);
    }
  };
  visit(entry, []);
  return found;
}

function circleBreaches(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, way: readonly string[]) => {
    const start = way.indexOf(node);
    if (start >= 0) found.push(`A circle: ${[...way.slice(start), node].join(" → ")}.`);
    if (start >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...way, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

function areaGraph(
  modules: readonly Module[],
  byPath: ReadonlyMap<string, Module>,
): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { path, imports } of modules) {
    const area = areaOf(path);
    const reached = graph.get(area) ?? new Set();
    for (const target of targetsOf(imports, byPath)) if (areaOf(target) !== area) reached.add(areaOf(target));
    graph.set(area, reached);
  }
  return graph;
}

function targetsOf(imports: readonly Import[], byPath: ReadonlyMap<string, Module>): Set<string> {
  return new Set(imports.map(({ target }) => target).filter((target) => byPath.has(target)));
}

/** `src/oauth/device.ts` is of the area `oauth`, `src/errors.ts` of `errors`, `main.ts` of `main`. */
function areaOf(path: string): string {
  return path.replace(/^src\//, "").split("/")[0]?.replace(/\.ts$/, "") ?? path;
}

function height(area: string): number {
  return HEIGHTS[area] ?? 0;
}

function isOwn(target: string): boolean {
  return target.endsWith(".ts") && !target.includes(":");
}

function parse(path: string, source: string): Module {
  const imports: Import[] = [];
  const globals = new Set<string>();
  const declared = new Set<string>();
  const add = (specifier: string, kind: Import["kind"]) => {
    if (!specifier.endsWith(".json")) imports.push({ target: resolve(path, specifier), kind });
  };
  const plugin: Deno.lint.Plugin = {
    name: "house",
    rules: {
      read: {
        create: () => ({
          ImportDeclaration: (node) => add(node.source.value, node.importKind === "type" ? "type" : "static"),
          ExportAllDeclaration: (node) =>
            add(node.source.value, node.exportKind === "type" ? "type" : "static"),
          ExportNamedDeclaration: (node) => {
            if (node.source) add(node.source.value, node.exportKind === "type" ? "type" : "static");
          },
          ImportExpression: (node) => {
            if (node.source.type === "Literal") add(String(node.source.value), "lazy");
            else add("a computed name", "lazy");
          },
          TSImportType: ({ argument }) => {
            if (argument.type === "TSLiteralType" && argument.literal.type === "Literal") {
              add(String(argument.literal.value), "type");
            }
          },
          Identifier: (node) => {
            if (!WATCHED.has(node.name)) return;
            if (isBinding(node)) declared.add(node.name);
            else if (!isOnlyAName(node)) globals.add(withMember(node));
          },
        }),
      },
    },
  };
  Deno.lint.runPlugin(plugin, path, source);
  // Deno has no innocent namesake; `process` and the like can be a variable of the module's own.
  const own = (name: string) => declared.has(name.split(".")[0] ?? name) && !name.startsWith("Deno");
  return { path, imports, globals: [...globals].filter((name) => !own(name)) };
}

function isBinding(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  switch (parent.type) {
    case "VariableDeclarator":
      return parent.id === node;
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return (parent.params as readonly Deno.lint.Node[]).includes(node);
    case "Property":
      return (parent.parent as Deno.lint.Node).type === "ObjectPattern";
    case "ImportSpecifier":
    case "AssignmentPattern":
      return true;
    default:
      return false;
  }
}

// `x.process` and `{ process: … }` name a property, not the global; `globalThis.process` is the global.
function isOnlyAName(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.property === node && !parent.computed &&
        !(parent.object.type === "Identifier" && parent.object.name === "globalThis");
    case "Property":
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.key === node && !(parent.type === "Property" && parent.shorthand);
    case "TSPropertySignature":
    case "TSMethodSignature":
      return parent.key === node;
    default:
      return false;
  }
}

function withMember(node: Deno.lint.Identifier): string {
  const { parent } = node;
  if (parent.type !== "MemberExpression") return node.name;
  const outer = parent.object === node ? parent : parent.parent as Deno.lint.Node;
  return outer.type === "MemberExpression" && outer.property.type === "Identifier"
    ? `${node.name}.${outer.property.name}`
    : node.name;
}

function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** The rules of the house as a checker of source texts: which way imports run, and who may touch what. */

/** A module's path from the repository's root, such as `src/oauth/http.ts`, with its source text. */
export type Sources = ReadonlyMap<string, string>;

/** What a module does against the rules. */
export interface Breach {
  readonly rule: Rule;
  /** The module, or nothing for a circle. */
  readonly path: string;
  /** The breach as a sentence. */
  readonly text: string;
}

/** The rules. */
export type Rule =
  | "order"
  | "circles"
  | "globals"
  | "packages"
  | "lazy imports"
  | "quick start"
  | "commands apart"
  | "command lines";

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
  /** The texts in it, comments apart. */
  readonly strings: readonly string[];
  /** It exports a function that makes a command of the command line. */
  readonly isCommand: boolean;
}

// From the top of the house to its ground. No import goes up; among the areas of one row no circle is allowed.
const ORDER: readonly (readonly string[])[] = [
  ["main"],
  ["program"],
  ["cli"],
  ["plugin", "proxy"],
  ["sign-in"],
  ["providers"],
  ["kube"],
  ["kubeconfig"],
  ["sessions"],
  ["oauth"],
  ["http"],
  ["keyring"],
  ["system"],
  ["splice", "hints", "server-hints", "errors", "text", "encoding", "version", "build"],
];

/** What `system` may import beside itself. */
const UNDER_SYSTEM = new Set(["system", "errors", "text", "encoding"]);

/** The areas that may print a line to run next: those above it, and the one that makes such lines. */
const KNOW_COMMANDS = new Set(["main", "cli", "plugin", "sign-in", "providers", "hints", "server-hints"]);

/** The words behind the program's name in a line to run. */
const COMMAND_WORDS = [
  "annotate",
  "api-resources",
  "api-versions",
  "apply",
  "auth",
  "clusters",
  "completion",
  "create",
  "ctx",
  "delete",
  "describe",
  "diff",
  "docker-credential",
  "doctor",
  "edit",
  "events",
  "exec",
  "explain",
  "get",
  "help",
  "label",
  "login",
  "logout",
  "organizations",
  "patch",
  "projects?",
  "proxy",
  "setup",
  "status",
  "tokens",
  "trust",
  "use",
  "version",
  "wait",
  "whoami",
];
const COMMAND_LINE = new RegExp(`\\bdatumctl (?:${COMMAND_WORDS.join("|")})\\b`);

/** Loads the commands, each when its words are called. */
const COMMAND_TREE = "src/cli/tree.ts";

/** The one module with the `node:` layer, for an error that a few people see once. */
const TLS_PROBE = "src/system/tls-probe.ts";

const FRAMEWORK = /^(?:npm:)?(?:commander|@commander-js\/[^/]+)(?:[@/]|$)/;
/** The program, which `main.ts` loads for all that the short ways leave to it. */
const PROGRAM = "src/program.ts";
/** What prompts and kubectl wait for. */
const QUICK = new Set([
  "main.ts",
  PROGRAM,
  "src/plugin/stored-token.ts",
  "src/cli/status/usual.ts",
  "src/cli/status/quick.ts",
]);
/** Takes as long to load as all else of a command's start together: only what measures foreign scripts may. */
const SLOW = /^(?:npm:)?string-width(?:[@/]|$)/;
/** A command whose program should start as if it had been called alone, and what takes longer than the rest of it. */
const EXEC = "src/cli/exec.ts";
const YAML = /^(?:npm:)?yaml(?:[@/]|$)/;
const NODE_GLOBALS = new Set(["process", "Buffer", "global", "require", "setImmediate"]);
const WATCHED = new Set([...NODE_GLOBALS, "Deno", "console"]);

/**
 * Every breach of the house's rules; none when all is well.
 *
 * Uses `Deno.lint.runPlugin` for its parser, so it can be called in a test only.
 */
export function breaches(sources: Sources): Breach[] {
  const modules = [...sources].map(([path, source]) => parse(path, source));
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const found: Breach[] = [];
  const add = (rule: Rule, path: string, texts: readonly string[]) =>
    void found.push(...texts.map((text) => ({ rule, path, text })));
  for (const module of modules) {
    const { path } = module;
    if (height(areaOf(path)) < 0) {
      add("order", path, [`${path} is in no area that the house knows.`]);
      continue;
    }
    add("order", path, orderBreaches(module, byPath));
    add("packages", path, packageBreaches(module));
    add("lazy imports", path, lazyBreaches(module));
    add("globals", path, globalBreaches(module));
    add("commands apart", path, commandBreaches(module, byPath));
    add("command lines", path, lineBreaches(module));
  }
  add("circles", "", circleBreaches(new Map(modules.map((one) => [one.path, targetsOf(one, byPath)]))));
  add("circles", "", circleBreaches(areaGraph(modules, byPath)));
  for (const start of startsOf(byPath)) add("quick start", start, startBreaches(start, byPath));
  return found;
}

function orderBreaches({ path, imports }: Module, byPath: ReadonlyMap<string, Module>): string[] {
  const from = areaOf(path);
  return imports.filter(({ target }) => isOwn(target)).flatMap(({ target }) => {
    const to = areaOf(target);
    if (!byPath.has(target)) return [`${path} imports ${target}, which is not part of the program.`];
    if (height(to) > height(from)) return [`${path} imports ${target}, uphill.`];
    return from === "system" && !UNDER_SYSTEM.has(to)
      ? [`${path} imports ${target}: system stands on errors, text and encoding alone.`]
      : [];
  });
}

function packageBreaches({ path, imports }: Module): string[] {
  const area = areaOf(path);
  return imports.filter(({ target }) => !isOwn(target)).flatMap(({ target }) => {
    if (FRAMEWORK.test(target) && area !== "cli") return [`${path} imports the CLI framework, ${target}.`];
    return target.startsWith("node:") && height(area) <= height("plugin") && path !== TLS_PROBE
      ? [`${path} imports ${target}, which loads the node: layer.`]
      : [];
  });
}

function lazyBreaches({ path, imports }: Module): string[] {
  return imports.flatMap(({ target, kind }) => {
    if (kind === "lazy" && !isOwn(target)) {
      return [`${path} imports the package ${target} lazily, which fails in the bundle.`];
    }
    return kind === "static" && target === TLS_PROBE ? [`${path} loads ${target} at once.`] : [];
  });
}

function globalBreaches({ path, globals }: Module): string[] {
  const area = areaOf(path);
  return globals.flatMap((name) => {
    const root = name.split(".")[0] ?? name;
    if (root === "Deno" && area !== "system" && area !== "main") {
      return [`${path} touches Deno outside system.`];
    }
    if (root === "console" && area !== "system") return [`${path} prints through console outside system.`];
    // Only argv0 tells the path that we were called by, and Deno has no name of its own for it.
    if (NODE_GLOBALS.has(root) && !(area === "system" && name === "process.argv0")) {
      return [`${path} uses Node's global ${name}.`];
    }
    return [];
  });
}

// What two commands share lies in a module beside them.
/** The files that are commands. */
export function commandFiles(sources: Sources): string[] {
  return [...sources].map(([path, source]) => parse(path, source)).filter(({ isCommand }) => isCommand)
    .map(({ path }) => path);
}

function commandBreaches(
  { path, imports, isCommand }: Module,
  byPath: ReadonlyMap<string, Module>,
): string[] {
  return imports
    .filter(({ target }) => isCommand && byPath.get(target)?.isCommand)
    .map(({ target }) => `${path} is a command and imports another, ${target}.`);
}

function lineBreaches({ path, strings }: Module): string[] {
  if (KNOW_COMMANDS.has(areaOf(path))) return [];
  return strings.flatMap((text) => {
    const [line] = COMMAND_LINE.exec(text) ?? [];
    return line === undefined ? [] : [`${path} names a command line: ${line}.`];
  });
}

/** What the program loads first, and then by a command's words. */
function startsOf(byPath: ReadonlyMap<string, Module>): Set<string> {
  const lazyOf = (path: string) =>
    byPath.get(path)?.imports.filter(({ kind }) => kind === "lazy").map(({ target }) => target) ?? [];
  return new Set([...QUICK, ...lazyOf("main.ts"), ...lazyOf(PROGRAM), ...lazyOf(COMMAND_TREE)]);
}

/** A sentence for each package that a start loads with itself, and that would make it slow. */
function startBreaches(start: string, byPath: ReadonlyMap<string, Module>): string[] {
  const isUnwanted = (target: string) =>
    SLOW.test(target) || ((start === EXEC || QUICK.has(start)) && YAML.test(target)) ||
    (QUICK.has(start) && (target.startsWith("node:") || FRAMEWORK.test(target)));
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (path: string, way: readonly string[]) => {
    const module = byPath.get(path);
    if (module === undefined || seen.has(path)) return;
    seen.add(path);
    for (const { target, kind } of module.imports) {
      if (kind !== "static") continue;
      if (isUnwanted(target)) {
        found.push(`${start} loads ${target} at once, by way of ${[...way, path].join(" → ")}.`);
      }
      visit(target, [...way, path]);
    }
  };
  visit(start, []);
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
  for (const module of modules) {
    const area = areaOf(module.path);
    const reached = graph.get(area) ?? new Set();
    for (const target of targetsOf(module, byPath)) if (areaOf(target) !== area) reached.add(areaOf(target));
    graph.set(area, reached);
  }
  return graph;
}

function targetsOf({ imports }: Module, byPath: ReadonlyMap<string, Module>): Set<string> {
  return new Set(imports.map(({ target }) => target).filter((target) => byPath.has(target)));
}

/** `src/oauth/device.ts` is of the area `oauth`, `src/errors.ts` of `errors`, `main.ts` of `main`. */
function areaOf(path: string): string {
  return path.replace(/^src\//, "").split("/")[0]?.replace(/\.ts$/, "") ?? path;
}

/** How high an area stands; -1 for one that the house does not know. */
function height(area: string): number {
  const row = ORDER.findIndex((areas) => areas.includes(area));
  return row < 0 ? -1 : ORDER.length - row;
}

function isOwn(target: string): boolean {
  return target.endsWith(".ts") && !target.includes(":");
}

function parse(path: string, source: string): Module {
  const imports: Import[] = [];
  const globals = new Set<string>();
  const declared = new Set<string>();
  const strings: string[] = [];
  let isCommand = false;
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
            if (makesCommand(node.declaration)) isCommand = isCommandFile(path);
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
          Literal: ({ value }) => {
            if (typeof value === "string") strings.push(value);
          },
          TemplateElement: ({ cooked }) => void strings.push(cooked),
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
  return { path, imports, globals: [...globals].filter((name) => !own(name)), strings, isCommand };
}

/** The types of a command: the framework's own, and the one for commands of any options. */
const COMMANDS = new Set(["Command", "CommandUnknownOpts"]);

/** `export function switchCommand(…): CommandUnknownOpts` makes the command `switch`. */
function makesCommand(declaration: Deno.lint.ExportNamedDeclaration["declaration"]): boolean {
  if (declaration?.type !== "FunctionDeclaration") return false;
  const returned = declaration.returnType?.typeAnnotation;
  return /Command(?:Line)?$/.test(declaration.id?.name ?? "") && returned?.type === "TSTypeReference" &&
    returned.typeName.type === "Identifier" && COMMANDS.has(returned.typeName.name);
}

/** A group only holds commands. */
function isCommandFile(path: string): boolean {
  return areaOf(path) === "cli" && !path.endsWith("/group.ts");
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

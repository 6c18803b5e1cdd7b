/** `auth can-i`: whether the control plane in use allows something, or everything that it allows. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { type Action, reviewAccess, reviewRules } from "../../kube/access-review.ts";
import { openDiscovery } from "../../kube/cached-discovery.ts";
import type { ApiResource } from "../../kube/discovery.ts";
import { ambiguityOf, resolveResource } from "../../kube/resource-names.ts";
import { type CommandContext, type ContextOf, exitWith } from "../context.ts";
import type { ControlPlane } from "../../providers/datum/control-plane.ts";
import { openControlPlane } from "../control-plane.ts";
import { addScopeFlags, scopeFlags } from "../scope-flags.ts";
import type { ScopeFlags } from "../../providers/datum/scope.ts";
import { titled } from "../output/style.ts";
import { formatObject, formatTable, listFormat, wrongFormat } from "../output/table.ts";
import { outputOption, valueArgument, valueOption } from "../complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl auth can-i create configmaps
  datumctl auth can-i list projects.resourcemanager.miloapis.com \\
      --organization my-org-id
  datumctl auth can-i get pods --subresource=log -n default
  datumctl auth can-i get /healthz
  datumctl auth can-i '*' '*' -A
  datumctl auth can-i --list
  datumctl auth can-i list secrets --as system:serviceaccount:default:robot

Answers yes with exit code 0, no with exit code 1. The resource may be written TYPE, TYPE/NAME,
TYPE.GROUP or as a path that begins with a slash.`;

/** `auth can-i`. */
export function canICommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("can-i")
    .description("Ask the control plane in use whether something is allowed")
    .addArgument(
      valueArgument(
        ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "*"],
        "[verb]",
        "such as get, list, create; * for all",
      ),
    )
    .addArgument(
      valueArgument("type", "[resource]", "TYPE, TYPE/NAME, TYPE.GROUP, or a path such as /healthz"),
    )
    .addArgument(valueArgument("name", "[name]", "name of one object"))
    .option("-A, --all-namespaces", "in all namespaces")
    .addOption(valueOption(["status", "scale", "log"], "--subresource <name>", "such as log or scale"))
    .option("--list", "print everything that is allowed")
    .option("--no-headers", "with --list: leave out the header line")
    .addOption(outputOption(["table", "json", "yaml"]))
    .addHelpText("after", EXAMPLES);
  addScopeFlags(command, { namespace: true });
  command.action((verb, resource, name, flags) => {
    const { quiet } = command.optsWithGlobals() as { readonly quiet?: true };
    return runCanI(contextOf(command), { ...flags, ...scopeFlags(command), verb, resource, name, quiet });
  });
  return command;
}

/** The words and flags of `auth can-i`, as they were typed. */
export interface CanIInput extends ScopeFlags {
  readonly verb?: string | undefined;
  readonly resource?: string | undefined;
  readonly name?: string | undefined;
  readonly allNamespaces?: true | undefined;
  readonly subresource?: string | undefined;
  readonly list?: true | undefined;
  readonly headers: boolean;
  readonly output?: string | undefined;
  /** Prints nothing: the exit code answers. */
  readonly quiet?: true | undefined;
}

/** Prints the server's answer, or its rules. Ends with exit code 1 when the answer is no. */
export async function runCanI(cli: CommandContext, input: CanIInput): Promise<void> {
  const format = listFormat(input.output);
  if (format === "name" || format === "wide") {
    throw wrongFormat(["table", "json", "yaml"]);
  }
  const asked = input.list === undefined ? checkQuestion(input) : checkList(input);
  using plane = await openControlPlane(cli, input);
  const namespace = input.allNamespaces ? "" : plane.namespace ?? "default";
  if (asked === undefined) {
    const { rows, incomplete, review } = await reviewRules(plane.client, namespace);
    if (incomplete !== undefined) {
      cli.out.warn(`the list may be incomplete${incomplete === "" ? "" : `: ${incomplete}`}`);
    }
    if (format !== "table") return cli.out.text(await formatObject([], review, "", format));
    const titles = ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"];
    if (!input.headers) return cli.out.text(await formatTable(rows, 3));
    return cli.out.text(titled(await formatTable([titles, ...rows], 3), cli.style.out));
  }
  const action = await actionOf(cli, plane, asked, input.subresource ?? "", namespace);
  const { allowed, reasons, review } = await reviewAccess(plane.client, action);
  if (!input.quiet) {
    cli.out.text(
      format === "table"
        ? `${[allowed ? "yes" : "no", ...(allowed ? [] : reasons)].join(" - ")}\n`
        : await formatObject([], review, "", format),
    );
  }
  if (!allowed) exitWith(1);
}

/** What is asked about, in the words of the command line. */
interface Question {
  readonly verb: string;
  /** A path, or the word for a resource. */
  readonly target: string;
  readonly name: string;
}

function checkQuestion(input: CanIInput): Question {
  const { verb, resource, name } = input;
  const wrong = (what: string) =>
    new AppError("USAGE", what, {
      hint: "For example: datumctl auth can-i get configmaps/my-map -n default",
    });
  if (verb === undefined || resource === undefined) {
    throw wrong("auth can-i takes a verb and a resource, or --list.");
  }
  if (!input.headers) throw wrong("--no-headers can only be used with --list.");
  if (resource.startsWith("/")) {
    if (name !== undefined) throw wrong("A path cannot be followed by a name.");
    if (input.subresource !== undefined) throw wrong("--subresource cannot be combined with a path.");
    return { verb, target: resource, name: "" };
  }
  const [type = "", inType] = resource.split(/\/(.*)/s);
  if (inType !== undefined && name !== undefined) throw wrong("The name is given twice.");
  if (type === "") throw wrong("The resource has no type.");
  return { verb, target: type, name: inType ?? name ?? "" };
}

function checkList(input: CanIInput): undefined {
  const wrong = input.verb !== undefined
    ? "a verb"
    : input.quiet
    ? "--quiet"
    : input.allNamespaces
    ? "--all-namespaces"
    : input.subresource !== undefined
    ? "--subresource"
    : undefined;
  if (wrong === undefined) return undefined;
  throw new AppError("USAGE", `--list cannot be combined with ${wrong}.`, {
    hint: "For example: datumctl auth can-i --list -n default",
  });
}

// The verbs that Kubernetes itself knows. Others can be asked about, with a warning.
const RESOURCE_VERBS = new Set(
  "get list watch create update patch delete deletecollection use bind impersonate * approve sign escalate attest"
    .split(" "),
);
const URL_VERBS = new Set("get put post head options delete patch *".split(" "));
// Rules name these although they are no resources.
const SPOKEN_OF = new Set(["users", "groups"]);

async function actionOf(
  cli: CommandContext,
  plane: ControlPlane,
  { verb, target, name }: Question,
  subresource: string,
  namespace: string,
): Promise<Action> {
  const { out } = cli;
  const known = target.startsWith("/") ? URL_VERBS : RESOURCE_VERBS;
  const strange = !known.has(verb);
  if (target.startsWith("/")) {
    if (strange) out.warn(`verb '${printable(verb, 80)}' is not a known verb`);
    return { verb, path: target };
  }
  const resource = target === "*" ? undefined : await findResource(cli, plane, target);
  if (resource !== undefined && !resource.namespaced && namespace !== "") {
    const group = resource.group === "" ? "" : ` in group '${printable(resource.group, 100)}'`;
    out.warn(`resource '${printable(resource.plural, 100)}' is not namespace scoped${group}`);
  }
  if (strange && namespace !== "") out.warn(`verb '${printable(verb, 80)}' is not a known verb`);
  return {
    verb,
    group: resource?.group ?? "",
    resource: resource?.plural ?? target,
    subresource,
    name,
    namespace,
  };
}

/** The resource that a word names. Warns and returns undefined when the server has none. */
async function findResource(
  cli: CommandContext,
  plane: ControlPlane,
  word: string,
): Promise<ApiResource | undefined> {
  try {
    const resolved = await resolveResource(await openDiscovery(cli, plane), word.toLowerCase());
    const ambiguity = ambiguityOf(word, resolved);
    if (ambiguity !== undefined) cli.out.info(ambiguity);
    return resolved.resource;
  } catch (thrown) {
    if (!(thrown instanceof AppError && thrown.code === "NOT_FOUND")) throw thrown;
    const [name = "", ...group] = word.toLowerCase().split(".");
    if (!SPOKEN_OF.has(word.toLowerCase())) {
      const within = group.length === 0 ? "" : ` in group '${printable(group.join("."), 100)}'`;
      cli.out.warn(`the server doesn't have a resource type '${printable(name, 100)}'${within}`);
    }
    return undefined;
  }
}

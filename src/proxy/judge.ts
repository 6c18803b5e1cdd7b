/** Judges what a program may ask of a Kubernetes API through the proxy, by the request's target as it came. */

/** What is allowed beside reading. */
export interface Rules {
  readonly writes: boolean;
  readonly secrets: boolean;
  /** Ways to other servers, into containers, and to new credentials; only together with `writes`. */
  readonly connect: boolean;
  /** Only what is in these namespaces; all where there are none. */
  readonly namespaces: readonly string[];
}

/** Why a request goes no further. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 501 | 502 | 503;
  readonly message: string;
}

/** What was judged, and how. */
export interface Verdict {
  /** As Kubernetes names it; the method in small letters where the target names no resource. */
  readonly verb: string;
  /** Without the query. */
  readonly path: string;
  /** Undefined for what is allowed: exactly the target that was judged may be sent. */
  readonly refusal: Refusal | undefined;
}

/**
 * What the parser of URLs leaves as it is, without `%`, `\`, `;` and without an empty segment: other readers could see
 * another path in those.
 */
const PATH = /^(?:\/[A-Za-z0-9\-._~!$&()*+,=:@]+)+$/;
const DOTS = /\/\.{1,2}(?:\/|$)/;
const QUERY = /^(?:\?[A-Za-z0-9\-._~!$&()*+,=:@/?%]*)?$/;

/** Groups, versions, types, sub-resources and namespaces are written so everywhere. Names of objects can be others. */
const WORD = /^[a-z0-9.-]+$/;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Sub-resources that lead elsewhere, or that make a credential. A control plane can stand below a project. */
const CONNECTING = ["proxy", "exec", "attach", "portforward", "token", "control-plane"];

/** What a namespace has beside the resources in it. */
const OF_NAMESPACES = ["status", "finalize"];

/** Posts that change nothing and are about the person who asks. */
const SELF_REVIEW =
  /^\/apis\/(?:authorization\.k8s\.io\/v1(?:beta1)?\/selfsubject(?:access|rules)reviews|authentication\.k8s\.io\/v1(?:alpha1|beta1)?\/selfsubjectreviews)$/;

/** Paths that are no resources: what is served, which version it is, and whether it is well. */
const OTHERS: readonly RegExp[] = [
  /^\/api(?:\/[^/]+)?$/,
  /^\/apis(?:\/[^/]+){0,2}$/,
  /^\/openapi\/v2$/,
  /^\/openapi\/v3(?:\/[^/]+){0,3}$/,
  /^\/version$/,
  /^\/(?:healthz|livez|readyz)(?:\/[^/]+){0,2}$/,
];

/** Judges a request by its method and its target: the path, without the key, and the query, as they came. */
export function judge(method: string, target: string, rules: Rules): Verdict {
  const [path = "", query = ""] = splitAt(target, "?");
  const verdict = (verb: string, refusal: Refusal | undefined): Verdict => ({ verb, path, refusal });
  const word = methodWord(method);
  if (!PATH.test(path) || DOTS.test(path)) return verdict(word, malformed(STRANGE_PATH));
  if (!QUERY.test(query)) {
    return verdict(word, malformed("the query holds a character that must be percent-encoded"));
  }
  if (!METHODS.includes(method)) return verdict(word, forbidden("the method is not passed on"));
  const resource = resourceOf(path.slice(1).split("/"));
  if (resource === "malformed") return verdict(word, malformed("the path is not one of a Kubernetes API"));
  if (resource !== undefined) {
    return verdict(verbOf(method, resource, query), resourceRefusal(method, path, resource, rules));
  }
  return verdict(word, isReading(method) ? otherRefusal(path) : forbidden(READ_ONLY_PATH));
}

/** A method in small letters, cut short: it can be any word. */
export function methodWord(method: string): string {
  return method.slice(0, 20).toLowerCase();
}

/** The headers that go on with a request; the proxy's own `Authorization` is added to them. */
export function isPassedOn(header: string): boolean {
  return PASSED_ON.includes(header.toLowerCase()) || /^if-/i.test(header);
}

const PASSED_ON = ["accept", "accept-encoding", "content-type", "content-length", "user-agent"];

/** Why a request with these headers goes no further, whatever it asks for; undefined where they are in order. */
export function headerRefusal(headers: Headers): Refusal | undefined {
  const other = [...headers.keys()].find((name) => /^(?:impersonate-|x-remote-)/i.test(name));
  if (other !== undefined) return forbidden(`the header ${other} would act as somebody else`);
  const upgrade = headers.get("upgrade");
  // Java asks so of every server, and goes on without.
  if (upgrade === null || /^h2c$/i.test(upgrade.trim())) return undefined;
  return {
    status: 501,
    message: "the proxy upgrades no connection: no exec, attach, port-forward or WebSocket",
  };
}

const STRANGE_PATH =
  "the path holds %, \\, ;, //, a segment of dots, a slash at its end, or another character that is not passed on";
const READ_ONLY_PATH = "such paths are only read";

function forbidden(message: string): Refusal {
  return { status: 403, message };
}

function malformed(message: string): Refusal {
  return { status: 400, message };
}

/** What a path means, read as kube-apiserver reads it. */
interface ResourcePath {
  /** The old form of a watch, `/api/v1/watch/…`. */
  readonly watch: boolean;
  readonly namespace: string | undefined;
  readonly type: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What stands below the sub-resource. */
  readonly below: readonly string[];
}

/** @returns undefined for a path that names no resource, such as discovery. */
function resourceOf(segments: readonly string[]): ResourcePath | "malformed" | undefined {
  const [prefix] = segments;
  if (prefix !== "api" && prefix !== "apis") return undefined;
  const at = prefix === "api" ? 2 : 3;
  const words = segments.slice(0, at);
  const rest = segments.slice(at);
  if (!words.every((word) => WORD.test(word))) return "malformed";
  const [first] = rest;
  if (first === undefined) return undefined;
  const watch = first === "watch";
  const parts = watch ? rest.slice(1) : rest;
  const { namespace, own } = withoutNamespace(parts);
  const [type, name, subresource, ...below] = own;
  const named = [type ?? "", subresource ?? "-", namespace ?? "-"];
  if (type === undefined || !named.every((word) => WORD.test(word))) return "malformed";
  // Only the first word says how, and the old `proxy` no server has any more.
  if (type === "watch" || type === "proxy") return "malformed";
  return { watch, namespace, type, name, subresource, below };
}

function withoutNamespace(
  parts: readonly string[],
): { readonly namespace: string | undefined; readonly own: readonly string[] } {
  const [first, namespace, next] = parts;
  if (first !== "namespaces") return { namespace: undefined, own: parts };
  const isInside = next !== undefined && !OF_NAMESPACES.includes(next);
  return { namespace, own: isInside ? parts.slice(2) : parts };
}

function otherRefusal(path: string): Refusal | undefined {
  return OTHERS.some((pattern) => pattern.test(path))
    ? undefined
    : forbidden("only discovery, /openapi, /version, /healthz, /livez, /readyz and resources are passed on");
}

function resourceRefusal(
  method: string,
  path: string,
  resource: ResourcePath,
  rules: Rules,
): Refusal | undefined {
  const { writes, secrets, connect, namespaces } = rules;
  const { watch, namespace, type, subresource, below } = resource;
  const isConnecting = below.length > 0 || CONNECTING.includes(subresource ?? "");
  if (isConnecting && !(writes && connect)) {
    return forbidden(`${subresource} leads beyond this API or makes a credential (--allow-connect)`);
  }
  if (type === "secrets" && !secrets) return forbidden("Secrets are not shown (--allow-secrets)");
  if (method === "POST" && SELF_REVIEW.test(path)) return undefined;
  const isInside = type !== "namespaces" && namespace !== undefined && namespaces.includes(namespace);
  if (namespaces.length > 0 && !isInside) {
    return forbidden(`only what is in the namespace ${namespaces.join(" or ")} is passed on (--namespace)`);
  }
  if (subresource === "control-plane") return nestedRefusal(method, below, rules);
  if (isReading(method)) return undefined;
  if (watch) return forbidden(READ_ONLY_PATH);
  return writes ? undefined : forbidden("the proxy is read-only (--allow-writes)");
}

/** A control plane below a project has a whole API of its own, under the same rules. */
function nestedRefusal(method: string, below: readonly string[], rules: Rules): Refusal | undefined {
  return judge(method, `/${below.join("/")}`, rules).refusal;
}

function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function verbOf(method: string, { watch, name }: ResourcePath, query: string): string {
  if (watch) return "watch";
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === undefined ? "deletecollection" : "delete";
    default:
      return isWatch(query) ? "watch" : name === undefined ? "list" : "get";
  }
}

function isWatch(query: string): boolean {
  const asked = new URLSearchParams(query).get("watch");
  return asked !== null && !["0", "f", "false"].includes(asked.toLowerCase());
}

/** A text before a sign, and from that sign on. */
function splitAt(text: string, sign: string): [string, string] {
  const at = text.indexOf(sign);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}

/** The groups and resources that a Kubernetes API serves, fetched or from a cache. */

import { isObject, type JsonObject } from "../encoding.ts";
import { pathSegment } from "../http/address.ts";
import type { ApiClient, RequestOptions } from "../http/api-client.ts";
import { mapConcurrent } from "../http/map-concurrent.ts";
import { AppError } from "../errors.ts";
import { capital, printable } from "../text.ts";
import { boundedSignal } from "../system/clock.ts";
import { objects, text, texts } from "./objects.ts";

/** A resource in one version. */
export interface ApiResource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Its name in paths. */
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

/** A group with its versions, in the server's order. */
export interface ApiGroup {
  readonly name: string;
  readonly versions: readonly string[];
  readonly preferred: string;
}

/** A part that the server could not report. */
export interface MissingPart {
  /** `group/version`, or a path. */
  readonly part: string;
  readonly why: string;
}

/** All that a control plane reported to serve, in its own order. */
export interface Discovery {
  readonly groups: readonly ApiGroup[];
  /** Every version of each resource, without sub-resources. */
  readonly resources: readonly ApiResource[];
  readonly missing: readonly MissingPart[];
}

/** Caches a discovery between commands. Its calls never fail. */
export interface DiscoveryCache {
  read(): Promise<unknown>;
  write(value: unknown): Promise<void>;
}

/** The discovery of one control plane. */
export interface DiscoverySource {
  readonly client: ApiClient;
  /** The cached discovery; the server's, when `fresh` is set or nothing is cached. */
  read(options?: { readonly fresh?: boolean | undefined }): Promise<Discovery>;
  /** True when {@link DiscoverySource.read} last returned a cached discovery. */
  readonly fromCache: boolean;
}

/** A discovery that is kept between commands. */
export interface CachedDiscovery extends DiscoverySource {
  /** Drops what is known, here and in the cache, because something else is served from now on. */
  forget(): Promise<void>;
}

const V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const V2BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
const ACCEPT = `${V2},${V2BETA1},application/json`;

/** The most bytes of one root and everything below it: enough for 20,000 resources. */
const MOST_BYTES = 8 * 1024 * 1024;

/** The most versions of groups to ask for below a root without aggregated discovery. */
const MOST_VERSIONS = 1000;

/** The time for everything, in multiples of one request's: a server behind this one may take its own time to fail. */
const PATIENCE = 2;

/** The limits that all requests below one root share. */
type SharedLimits = Required<Pick<RequestOptions, "signal" | "budget">>;

/** The discovery behind a client, with a cache. */
export function discoveryOf(client: ApiClient, cache?: DiscoveryCache): CachedDiscovery {
  let known: Discovery | undefined;
  let fromCache = false;
  return {
    client,
    get fromCache() {
      return fromCache;
    },
    async read({ fresh = false } = {}) {
      if (known !== undefined && !(fresh && fromCache)) return known;
      const cached = fresh ? undefined : await cache?.read();
      fromCache = isDiscovery(cached);
      known = isDiscovery(cached) ? cached : await fetchDiscovery(client);
      // A part that is missing now may be available in a moment.
      if (!fromCache && known.missing.length === 0) await cache?.write(known);
      return known;
    },
    async forget() {
      known = undefined;
      fromCache = false;
      await cache?.write(null);
    },
  };
}

/**
 * Asks the server: two requests with aggregated discovery, else one more for each group version.
 *
 * Parts that cannot be read, are too large or too late are listed as missing.
 *
 * @throws {AppError} when nothing can be read, and for everything that concerns the session (`SESSION_REJECTED`,
 * …).
 */
export async function fetchDiscovery(client: ApiClient): Promise<Discovery> {
  using deadline = boundedSignal(PATIENCE * client.requestTimeout, () => tooLate(client));
  const roots = ["/api", "/apis"].map((path) => ({
    path,
    limits: { signal: deadline.signal, budget: { bytes: MOST_BYTES, left: MOST_BYTES } },
  }));
  const answers = await Promise.allSettled(
    roots.map(({ path, limits }) => client.get(path, { accept: ACCEPT, ...limits })),
  );
  const parts: Discovery[] = [];
  const missing: MissingPart[] = [];
  const failures: unknown[] = [];
  for (const [at, { path, limits }] of roots.entries()) {
    const answer = answers[at];
    if (answer?.status === "fulfilled") {
      parts.push(await readRoot(client, path, answer.value, limits));
      continue;
    }
    const reason: unknown = answer?.reason;
    failures.push(reason);
    // A server without a core group has not failed.
    const coreless = path === "/api" && reason instanceof AppError && reason.code === "NOT_FOUND";
    if (!coreless) missing.push({ part: path, why: whyMissing(reason) });
  }
  if (parts.length === 0) throw failures.at(-1);
  return {
    groups: parts.flatMap((part) => part.groups),
    resources: parts.flatMap((part) => part.resources),
    missing: [...missing, ...parts.flatMap((part) => part.missing)],
  };
}

function tooLate({ what }: ApiClient): AppError {
  return new AppError("NETWORK", `${capital(what)} did not list everything that it serves in time.`, {
    hint: "Run the same command again, with a longer --request-timeout if the server is slow.",
  });
}

/** Why a part is missing. Failures that do not concern one part alone are thrown. */
function whyMissing(reason: unknown): string {
  const partial = reason instanceof AppError &&
    ["NETWORK", "FORBIDDEN", "NOT_FOUND", "INVALID", "CONFLICT"].includes(reason.code);
  if (!partial) throw reason;
  return reason.message;
}

/** The body's kind decides: aggregated discovery may be labelled as plain JSON. */
async function readRoot(
  client: ApiClient,
  path: string,
  body: JsonObject,
  limits: SharedLimits,
): Promise<Discovery> {
  switch (body.kind) {
    case "APIGroupDiscoveryList":
      return readAggregated(body);
    case "APIVersions": {
      const versions = texts(body.versions);
      const groups = versions.length === 0 ? [] : [{ name: "", versions, preferred: versions[0] ?? "" }];
      return await fetchVersions(client, path, groups, limits);
    }
    case "APIGroupList":
      return await fetchVersions(client, path, objects(body.groups).flatMap(readGroup), limits);
    default:
      throw new AppError(
        "INVALID",
        `${client.what} does not describe itself at ${path} as a Kubernetes API.`,
        {
          hint: "Check the API host, and the organization or project.",
        },
      );
  }
}

/** APIGroupDiscoveryList of apidiscovery.k8s.io/v2 and v2beta1, which agree in all that is read here. */
function readAggregated(body: JsonObject): Discovery {
  const groups: ApiGroup[] = [];
  const resources: ApiResource[] = [];
  const missing: MissingPart[] = [];
  for (const item of objects(body.items)) {
    const name = isObject(item.metadata) ? text(item.metadata.name) : "";
    const versions: string[] = [];
    for (const entry of objects(item.versions)) {
      const version = text(entry.version);
      if (version === "") continue;
      versions.push(version);
      if (entry.freshness === "Stale") {
        missing.push({ part: groupVersionOf(name, version), why: "the server behind it does not answer" });
        continue;
      }
      for (const row of objects(entry.resources)) {
        if (!isObject(row.responseKind)) continue;
        resources.push(...readResource(name, version, {
          ...row,
          name: row.resource,
          singularName: row.singularResource,
          kind: row.responseKind.kind,
          namespaced: row.scope === "Namespaced",
        }));
      }
    }
    if (versions[0] !== undefined) groups.push({ name, versions, preferred: versions[0] });
  }
  return { groups, resources, missing };
}

function readGroup(group: JsonObject): ApiGroup[] {
  const name = text(group.name);
  const versions = objects(group.versions).map(({ version }) => text(version)).filter((one) => one !== "");
  const [first] = versions;
  if (name === "" || first === undefined) return [];
  const preferred = isObject(group.preferredVersion) ? text(group.preferredVersion.version) : "";
  return [{ name, versions, preferred: versions.includes(preferred) ? preferred : first }];
}

/** Plain discovery: one APIResourceList for each group version. */
async function fetchVersions(
  client: ApiClient,
  path: string,
  groups: readonly ApiGroup[],
  limits: SharedLimits,
): Promise<Discovery> {
  const listed = groups.flatMap((group) => group.versions.map((version) => ({ group, version })));
  const requested = listed.slice(0, MOST_VERSIONS);
  const missing: MissingPart[] = [];
  const resources = await mapConcurrent(
    requested,
    async ({ group: { name }, version }): Promise<ApiResource[]> => {
      try {
        // If one server never answers, retries of the others would add up.
        const list = await client.get(pathOf(name, version), { once: missing.length > 0, ...limits });
        return objects(list.resources).flatMap((row) => readResource(name, version, row));
      } catch (thrown) {
        missing.push({ part: groupVersionOf(name, version), why: whyMissing(thrown) });
        return [];
      }
    },
  );
  missing.sort((a, b) => a.part < b.part ? -1 : 1);
  if (requested.length < listed.length) {
    const why =
      `it lists ${listed.length} versions of groups, and no more than ${MOST_VERSIONS} are asked for`;
    missing.push({ part: path, why });
  }
  return { groups: [...new Set(requested.map(({ group }) => group))], resources: resources.flat(), missing };
}

function pathOf(group: string, version: string): string {
  return group === ""
    ? `/api/${pathSegment(version)}`
    : `/apis/${pathSegment(group)}/${pathSegment(version)}`;
}

/** The resource that a row of an APIResourceList is about; none for a sub-resource. */
export function readResource(group: string, version: string, row: JsonObject): ApiResource[] {
  const plural = text(row.name);
  const kind = text(row.kind);
  if (plural === "" || kind === "" || plural.includes("/")) return [];
  return [{
    group,
    version,
    plural,
    singular: text(row.singularName),
    kind,
    namespaced: row.namespaced === true,
    verbs: texts(row.verbs),
    shortNames: texts(row.shortNames),
    categories: texts(row.categories),
  }];
}

/** True for a cached discovery that has today's form. */
export function isDiscovery(value: unknown): value is Discovery {
  return isObject(value) && Array.isArray(value.groups) && Array.isArray(value.resources) &&
    Array.isArray(value.missing);
}

/** `group/version`; only the version for the core group. */
export function groupVersionOf(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

/** A path relative to a base URL, whose own path it may start with. */
export function belowBase(baseUrl: string, path: string): string {
  const prefix = new URL(baseUrl).pathname.replace(/\/$/, "");
  return prefix !== "" && (path === prefix || path.startsWith(`${prefix}/`))
    ? path.slice(prefix.length) || "/"
    : path;
}

/** @throws {AppError} `INCOMPLETE`, naming the parts that the server could not report. */
export function refuseIncomplete({ client }: DiscoverySource, { missing }: Discovery): void {
  const [first] = missing;
  if (first === undefined) return;
  const parts = missing.map(({ part }) => printable(part, 100));
  const named = parts.length > 10
    ? `${parts.slice(0, 10).join(", ")} and ${parts.length - 10} more`
    : parts.join(", ");
  throw new AppError(
    "INCOMPLETE",
    `${capital(client.what)} did not report everything that it serves. Missing: ${named} (${
      printable(first.why).replace(/\.$/, "")
    }).`,
    { hint: "What there is was printed. Run the same command again later for the rest." },
  );
}

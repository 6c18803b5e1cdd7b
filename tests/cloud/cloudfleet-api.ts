/** Cloudfleet's API below `/v1`: an organization's tokens and clusters, for both roles. */

import { ROLES } from "./cloudfleet-tokens.ts";
import type { ApiToken, Role, TokenStore } from "./cloudfleet-tokens.ts";

/** A cluster as the API tells of it. */
export interface ClusterInfo {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly status: string;
  /** The address of its Kubernetes API. */
  readonly endpoint: string;
}

/** What the API needs. */
export interface ApiOptions {
  readonly tokens: TokenStore;
  readonly clusters: readonly ClusterInfo[];
  /** The role of whoever sends a bearer token that is good now. */
  roleOf(bearer: string): Promise<Role | undefined>;
}

interface Call {
  readonly request: Request;
  readonly id: string;
}

/** Answers every request to the API host. */
export function makeApi({ tokens, clusters, roleOf }: ApiOptions): (request: Request) => Promise<Response> {
  const token = (id: string): Response => found("token", id, tokens.find(id), shown);

  /** By method and path; `:id` stands for one segment. */
  const operations: Readonly<Record<string, (call: Call) => Response | Promise<Response>>> = {
    "GET /v1/tokens": () => Response.json(tokens.list().map(shown)),
    "POST /v1/tokens": async ({ request }) => {
      const fields = newToken(await request.text());
      if (typeof fields === "string") return failure(400, fields);
      const { id, secret, name, role } = tokens.add(fields);
      return Response.json({ id, secret, name, role }, { status: 201 });
    },
    "GET /v1/tokens/:id": ({ id }) => token(id),
    "POST /v1/tokens/:id/regenerate": ({ id }) =>
      found("token", id, tokens.regenerate(id), ({ id, secret }) => ({ id, secret })),
    "DELETE /v1/tokens/:id": ({ id }) =>
      tokens.remove(id) ? new Response(null, { status: 204 }) : found("token", id, undefined, shown),
    "GET /v1/clusters": () => Response.json(clusters),
    "GET /v1/clusters/:id": ({ id }) =>
      found("cluster", id, clusters.find((cluster) => cluster.id === id), (cluster) => cluster),
  };

  return async (request) => {
    const bearer = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    const role = bearer === undefined ? undefined : await roleOf(bearer);
    if (role === undefined) {
      return failure(401, "The access token is missing, invalid or expired", {
        "www-authenticate": "Bearer",
      });
    }

    const [version, collection, id, ...rest] = new URL(request.url).pathname.slice(1).split("/");
    const path = ["", version, collection, ...(id === undefined ? [] : [":id"]), ...rest].join("/");
    const operation = operations[`${request.method} ${path}`];
    if (operation === undefined) {
      return Object.keys(operations).some((known) => known.endsWith(` ${path}`))
        ? failure(405, `${request.method} is not allowed here`)
        : failure(404, "There is nothing at this path");
    }
    if (role !== "Administrator" && request.method !== "GET") {
      return failure(403, `The role ${role} may not do this`);
    }
    return await operation({ request, id: id === undefined ? "" : decodeURIComponent(id) });
  };
}

/** The fields of the token to create, or what is wrong with the body. */
function newToken(body: string): { readonly name: string; readonly role: Role } | string {
  let sent: unknown;
  try {
    sent = JSON.parse(body);
  } catch {
    return "The body is not JSON";
  }
  if (typeof sent !== "object" || sent === null) return "The body is not an object";
  const { name, role: asked } = sent as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || name.trim() === "") return "name is missing";
  const role = ROLES.find((role) => role === asked);
  return role === undefined ? `role must be one of ${ROLES.join(", ")}` : { name, role };
}

function shown({ id, name, role, created, lastUsed }: ApiToken): Record<string, unknown> {
  return {
    id,
    name,
    role,
    date_created: created,
    last_used: lastUsed,
  };
}

function found<T>(kind: string, id: string, thing: T | undefined, show: (thing: T) => unknown): Response {
  return thing === undefined ? failure(404, `There is no ${kind} ${id}`) : Response.json(show(thing));
}

function failure(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ message }, { status, headers });
}

/** The requests to Cloudfleet's API: one table, and what a profile or a flag replaces in it. */

import { endpointUrl } from "../../http/address.ts";
import type { ApiRequest } from "../../http/api-client.ts";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";

/** The API unless another address is named. */
export const CLOUDFLEET_API_URL = "https://api.cloudfleet.ai/v1";

/**
 * Each operation as method and path below the API's address. The vendor describes its API nowhere: but for the address,
 * this table is a guess, and each row can be replaced (`--operation`).
 */
export const OPERATIONS = {
  list: "GET /tokens",
  create: "POST /tokens",
  describe: "GET /tokens/{id}",
  regenerate: "POST /tokens/{id}/regenerate",
  delete: "DELETE /tokens/{id}",
  clusters: "GET /clusters",
  cluster: "GET /clusters/{id}",
} as const;

/** One of {@link OPERATIONS}. */
export type Operation = keyof typeof OPERATIONS;

const NAMES = Object.keys(OPERATIONS) as Operation[];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/**
 * What `--operation NAME="METHOD /PATH"` says otherwise, by operation.
 *
 * @throws {AppError} `USAGE` for an unknown operation or method, and for a path without `{id}` where one is needed
 */
export function operationsOf(flags: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(flags.map((flag) => {
    const [, name = "", request = ""] = /^([^=]*)=(.*)$/s.exec(flag) ?? [];
    const operation = NAMES.find((known) => known === name.trim());
    if (operation === undefined) {
      throw new AppError("USAGE", `--operation: "${printable(name || flag, 60)}" is not an operation.`, {
        hint: `Available: ${
          NAMES.join(", ")
        }. For example: --operation regenerate="POST /tokens/{id}/secret"`,
      });
    }
    checkRequest(operation, request.trim());
    return [operation, request.trim()];
  }));
}

function checkRequest(operation: Operation, request: string): void {
  const wrong = (why: string) =>
    new AppError("USAGE", `--operation ${operation}: "${printable(request, 100)}" ${why}.`, {
      hint: `Write it as the table has it: --operation ${operation}="${OPERATIONS[operation]}"`,
    });
  const [, method, path = ""] = /^([A-Z]+) (\S+)$/.exec(request) ?? [];
  if (!METHODS.some((known) => known === method)) throw wrong(`does not begin with ${METHODS.join(", ")}`);
  if (!/^\/(?!\/)[\w.~/?=&{}-]*$/.test(path)) throw wrong("has no path below the API's address");
  if (/(?:^|\/)\.{1,2}(?:[/?]|$)/.test(path)) throw wrong("has a path that leads upwards");
  const places = path.match(/\{[^}]*\}?|\}/g) ?? [];
  const strange = places.find((place) => place !== "{id}" && place !== "{organization}");
  if (strange !== undefined) throw wrong("has another placeholder than {id} and {organization}");
  const wanted = OPERATIONS[operation].includes("{id}") ? 1 : 0;
  if (places.filter((place) => place === "{id}").length !== wanted) {
    throw wrong(wanted === 1 ? "needs {id} once" : "has an {id}, but there is no id yet");
  }
}

/** Ids as they may stand in a path: letters, digits and dashes. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** True for what can be the id of a token, a cluster or an organization. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/**
 * Checks an id that was typed.
 *
 * @throws {AppError} `USAGE`
 */
export function checkedId(what: string, text: string): string {
  if (isId(text)) return text;
  throw new AppError("USAGE", `"${printable(text, 80)}" cannot be the id of ${what}.`, {
    hint: "Ids are letters, digits and dashes, as the list commands print them.",
  });
}

/** What fills the placeholders of a request. */
export interface RequestParts {
  readonly id?: string | undefined;
  readonly organization: string;
}

/**
 * The request of an operation: the table's, or what stands in its place.
 *
 * @throws {AppError} `USAGE` for a place that is no id
 */
export function requestOf(
  operation: Operation,
  overrides: Readonly<Record<string, string>>,
  { id = "", organization }: RequestParts,
): ApiRequest {
  const request = overrides[operation] ?? OPERATIONS[operation];
  checkRequest(operation, request);
  const [, method, path = ""] = /^([A-Z]+) (\S+)$/.exec(request) ?? [];
  // Encoded or not, `..` leads upwards.
  const filled = path.replaceAll("{id}", () => checkedId("what is asked for", id))
    .replaceAll("{organization}", () => checkedId("an organization", organization));
  return { method: method as ApiRequest["method"], path: filled };
}

/**
 * The API's address, without a slash at its end: https, or http on loopback.
 *
 * @throws {AppError} `USAGE`, naming where it came from
 */
export function checkedApiUrl(text: string, source: string): string {
  const url = endpointUrl(text, { query: "refused" });
  if (typeof url !== "string") return url.href.replace(/\/+$/, "");
  throw new AppError("USAGE", `${source}: the API's address ${printable(text)} ${url}.`, {
    hint: `Give it with its version, such as ${CLOUDFLEET_API_URL} (http for loopback hosts only).`,
  });
}

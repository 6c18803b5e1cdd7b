/** A client of Cloudfleet's API: tokens and clusters, with every answer checked and every refusal named. */

import * as v from "valibot";
import { type ApiAnswer, jsonOf } from "../../http/api-answer.ts";
import type { ApiClient, ApiRequest } from "../../http/api-client.ts";
import type { Refusals } from "../../http/api-errors.ts";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { networkFailure } from "../../system/network.ts";
import { isId, type Operation, requestOf } from "./operations.ts";

/** What a token may do, and what that is inside a cluster: cluster-admin, view. */
export const ROLES = ["Administrator", "User"] as const;

/** One of {@link ROLES}. */
export type Role = typeof ROLES[number];

/**
 * The role that a text means, its case aside.
 *
 * @throws {AppError} `USAGE`
 */
export function checkedRole(text: string): Role {
  const role = ROLES.find((known) => known.toLowerCase() === text.trim().toLowerCase());
  if (role !== undefined) return role;
  throw new AppError("USAGE", `"${printable(text, 60)}" is not a token role.`, {
    hint: `Available: ${ROLES.join(", ")}.`,
  });
}

const id = v.pipe(v.string(), v.check(isId));
const text = v.optional(v.pipe(v.nullable(v.string()), v.transform((text) => text ?? undefined)));
const tokenSchema = v.looseObject({ id, name: text, role: text, date_created: text, last_used: text });
const newTokenSchema = v.looseObject({
  id,
  secret: v.pipe(v.string(), v.check(isSecret)),
  name: text,
  role: text,
});
const newSecretSchema = v.looseObject({ id: v.optional(id), secret: v.pipe(v.string(), v.check(isSecret)) });
const clusterSchema = v.looseObject({ id, name: text, region: text, status: text, endpoint: text });

/** An API token as the API tells of it: never with its secret. */
export type ApiToken = v.InferOutput<typeof tokenSchema>;

/** A token that was just made, with its secret. */
export interface NewToken {
  readonly id: string;
  readonly secret: string;
  readonly name: string;
  readonly role: string;
}

/** A cluster. */
export type Cluster = v.InferOutput<typeof clusterSchema>;

/** True for what can be the secret of a token: one line of plain characters. RFC 6749, A.2. */
export function isSecret(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/.test(text);
}

/** The user that a token is inside a cluster. */
export function kubernetesUser(tokenId: string): string {
  return `service-account-${tokenId.toLowerCase()}`;
}

/** The address of a cluster's API server: what the API says, else by Cloudfleet's own names. Undefined for neither. */
export function clusterAddress({ id, region, endpoint }: Cluster): string | undefined {
  if (endpoint !== undefined && endpoint !== "") return endpoint;
  return region !== undefined && /^[a-z0-9-]+$/.test(region) ? `https://${id}.${region}.cfke.io` : undefined;
}

/** How a client of Cloudfleet's API understands its refusals. */
export const CLOUDFLEET_REFUSALS: Refusals = {
  hints: {
    FORBIDDEN:
      "It takes the role Administrator. Act as another profile (--profile NAME), or ask for that role.",
    NOT_FOUND:
      "The API differs from what is known of it: check its address, or replace the request with --operation.",
    CONFLICT: "Look at what is there now: datumctl tokens list",
    INVALID: "Correct what the message names.",
  },
};

/** Asks Cloudfleet's API as one profile. */
export interface CloudfleetApi {
  tokens(): Promise<readonly ApiToken[]>;
  token(id: string): Promise<ApiToken>;
  /** Never sent twice: where the answer is lost, the error says what is known. */
  createToken(fields: { readonly name: string; readonly role: Role }): Promise<NewToken>;
  /** The new secret; as {@link CloudfleetApi.createToken}. */
  regenerateToken(id: string): Promise<string>;
  deleteToken(id: string): Promise<void>;
  clusters(): Promise<readonly Cluster[]>;
  cluster(id: string): Promise<Cluster>;
}

/** What the API is asked with. */
export interface ApiOptions {
  /** Made with {@link CLOUDFLEET_REFUSALS}. */
  readonly client: ApiClient;
  readonly operations: Readonly<Record<string, string>>;
  readonly organization: string;
  /** Told of what is passed over in a list. */
  readonly warn: (text: string) => void;
}

/**
 * The API behind a client. Its methods throw `SESSION_REJECTED`, `FORBIDDEN`, `NOT_FOUND` naming the id, `INVALID` with
 * the server's words, `CONFLICT`, `NETWORK`, and what getting a token throws.
 */
export function cloudfleetApi({ client, operations, organization, warn }: ApiOptions): CloudfleetApi {
  async function ask(
    operation: Operation,
    options: { id?: string; body?: unknown } = {},
  ): Promise<ApiAnswer> {
    const request: ApiRequest = {
      ...requestOf(operation, operations, { id: options.id, organization }),
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
    };
    const answer = await client.send(request);
    if (answer.status >= 200 && answer.status <= 299) return answer;
    throw refusalOf(client, answer, operation, options.id);
  }

  async function read<Schema extends v.GenericSchema>(
    schema: Schema,
    operation: Operation,
    options: { id?: string; body?: unknown } = {},
  ): Promise<v.InferOutput<Schema>> {
    return parsed(schema, operation, jsonOf(await ask(operation, options)));
  }

  /** The rows that are as they should be: others hide none of them, and that they are passed over is said. */
  async function readRows<Schema extends v.GenericSchema>(
    schema: Schema,
    operation: Operation,
  ): Promise<v.InferOutput<Schema>[]> {
    const value = jsonOf(await ask(operation));
    const results = (Array.isArray(value) ? value : []).map((row) => v.safeParse(schema, row));
    const good = results.flatMap(({ success, output }) => success ? [output] : []);
    if (good.length === 0) return parsed(v.array(schema), operation, value);
    const wrong = results.find(({ success }) => !success)?.issues?.[0];
    if (wrong !== undefined) {
      const field = v.getDotPath(wrong) ?? "all of it";
      warn(
        `${new URL(client.baseUrl).host} listed ${
          results.length - good.length
        } of ${results.length} in a form that ` +
          `cannot be used (${printable(field, 60)} is wrong): passed over.`,
      );
    }
    return good;
  }

  function parsed<Schema extends v.GenericSchema>(
    schema: Schema,
    operation: Operation,
    value: unknown,
  ): v.InferOutput<Schema> {
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    throw new AppError(
      "NETWORK",
      `${new URL(client.baseUrl).host} answered ${operation} (${
        operations[operation] ?? "as the table has it"
      }) ` +
        `with something other than expected: ${v.getDotPath(result.issues[0]) ?? "the answer"} is wrong.`,
      {
        hint:
          "A proxy may have answered, or the API differs from what is known of it: see --operation and --api-url.",
        cause: new Unreadable(),
      },
    );
  }

  /** What is known when a request that changes something ends without its answer. */
  async function knowing<T>(change: Promise<T>, unknown: AppErrorWords, done = unknown): Promise<T> {
    try {
      return await change;
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== "NETWORK" || neverSent(thrown)) throw thrown;
      const { message, hint, retryable } = thrown.cause instanceof Unreadable ? done : unknown;
      throw new AppError("NETWORK", `${thrown.message} ${message}`, { hint, retryable, cause: thrown });
    }
  }

  return {
    tokens: () => readRows(tokenSchema, "list"),
    token: async (id) => answering("token", id, await read(tokenSchema, "describe", { id })),
    async createToken(fields) {
      const look =
        "Look for it: datumctl tokens list; then delete it, or give it a new secret with datumctl tokens " +
        "regenerate ID.";
      const made = await knowing(read(newTokenSchema, "create", { body: fields }), {
        message: "Whether the token was created is not known; if it was, nobody has its secret.",
        hint: look,
        retryable: false,
      }, {
        message: "A token was created, but its secret cannot be read from the answer.",
        hint: look,
        retryable: false,
      });
      const { id, secret, name = fields.name, role = fields.role } = made;
      return { id, secret, name, role };
    },
    async regenerateToken(id) {
      const again =
        "Run the same command again: that makes yet another secret, and needs a token of a profile whose " +
        "secret is valid.";
      const answer = await knowing(read(newSecretSchema, "regenerate", { id }), {
        message: `Whether the token ${id} has a new secret is not known; if it has, nobody knows it.`,
        hint: again,
        retryable: true,
      }, {
        message: `The token ${id} has a new secret, but it cannot be read from the answer.`,
        hint: again,
        retryable: false,
      });
      return answering("token", id, answer).secret;
    },
    async deleteToken(id) {
      await knowing(ask("delete", { id }), {
        message: `Whether the token ${id} was deleted is not known.`,
        hint: "Run the same command again: NOT_FOUND then means that it is gone.",
        retryable: true,
      });
    },
    clusters: () => readRows(clusterSchema, "clusters"),
    cluster: async (id) => answering("cluster", id, await read(clusterSchema, "cluster", { id })),
  };
}

/** The answer, if it is about what was asked for; it need not name that. */
function answering<T extends { readonly id?: string | undefined }>(
  thing: "token" | "cluster",
  asked: string,
  answer: T,
): T {
  if (answer.id === undefined || answer.id.toLowerCase() === asked.toLowerCase()) return answer;
  throw new AppError(
    "INVALID",
    `Asked for the ${thing} ${asked}, Cloudfleet's API answered for ${answer.id}: its answer is not used.`,
    {
      hint:
        `The API's request may have changed: see --operation. To see what there is: datumctl ${thing}s list`,
      retryable: false,
    },
  );
}

/** What an error says beside its message. */
interface AppErrorWords {
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
}

/** The cause of the error about a success that cannot be read. */
class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** True for a failure before the server can have seen the request, or one that it put off. */
function neverSent({ cause }: AppError): boolean {
  if (typeof cause === "object" && cause !== null && "status" in cause) return cause.status === 429;
  return ["refused", "unresolved", "unreachable"].includes(networkFailure(cause).kind);
}

const THINGS: Partial<Record<Operation, readonly [thing: string, list: string]>> = {
  describe: ["token", "datumctl tokens list"],
  regenerate: ["token", "datumctl tokens list"],
  delete: ["token", "datumctl tokens list"],
  cluster: ["cluster", "datumctl clusters list"],
};

/** The error of a refused request; a 404 for a named thing says that it does not exist. */
function refusalOf(
  client: ApiClient,
  answer: ApiAnswer,
  operation: Operation,
  id: string | undefined,
): AppError {
  const refusal = client.refusal(answer);
  const [thing, list] = THINGS[operation] ?? [];
  if (refusal.code !== "NOT_FOUND" || thing === undefined) return refusal;
  return new AppError(
    refusal.code,
    `There is no ${thing} ${id} at ${new URL(client.baseUrl).host} (HTTP ${answer.status}).`,
    {
      hint:
        `See what there is: ${list}. If it is listed there, the API's request may have changed: see --operation.`,
      cause: refusal.cause,
    },
  );
}

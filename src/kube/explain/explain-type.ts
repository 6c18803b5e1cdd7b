/** `explain`: finds what is to be explained, and reads the server's document that explains it. */

import { AppError } from "../../errors.ts";
import { SERVER_HINTS } from "../../server-hints.ts";
import { capital } from "../../text.ts";
import { belowBase, type DiscoverySource } from "../discovery.ts";
import { compactJson } from "../json-text.ts";
import { isMembers, type Json, readJson } from "../lossless-json.ts";
import { bodyOf, OBJECTS, readAnswer, type ReadClient, readRequest } from "../read/read-client.ts";
import { errorOf, isGood } from "../resource-client.ts";
import { hintForWord, matchingResources } from "../resource-names.ts";
import { explain, type Explained } from "./explain.ts";
import { partFor, resourceText } from "./schemas.ts";
import { explainedName, type ExplainTarget, explainTarget, openApiPath } from "./target.ts";

/** Keeps a part of a document between commands. Its calls never fail. */
export interface DocumentCache {
  read(): Promise<unknown>;
  write(value: unknown): Promise<void>;
}

/** What explaining needs. */
export interface ExplainContext {
  readonly client: ReadClient;
  readonly kinds: DiscoverySource;
  /** The cache of what explains a resource; none unless given. */
  readonly cacheOf?: ((resource: string) => Promise<DocumentCache>) | undefined;
}

/** What `explain` is told beside what to explain. */
export interface ExplainTypeOptions {
  readonly recursive: boolean;
  /** `group/version`, or the version alone for the core group. */
  readonly apiVersion?: string | undefined;
}

/**
 * The explanation of `TYPE[.field…]`, as {@link explain} makes it.
 *
 * @throws {AppError} `USAGE` for what is no path of names; `NOT_FOUND` for a type that is not there, and where the server
 * explains nothing; what a request throws.
 */
export async function explainType(
  context: ExplainContext,
  text: string,
  { recursive, apiVersion }: ExplainTypeOptions,
): Promise<Explained> {
  // A path that is none costs no request.
  const name = explainedName(text);
  const index = await readIndex(context);
  const locate = async (fresh: boolean) => {
    const target = await findTarget(context, text, name, { fresh, apiVersion });
    return { target, path: openApiPath(index, target.resource) };
  };
  const { target, path } = await locateAgain(context, locate);
  const document = await readDocument(context, target, path);
  return explain(document, { ...target, recursive });
}

/** Locates; once more with what is served now, where what was kept of the server's resources may be old. */
async function locateAgain<Located>(
  { kinds }: ExplainContext,
  locate: (fresh: boolean) => Promise<Located>,
): Promise<Located> {
  try {
    return await locate(false);
  } catch (thrown) {
    if (!(thrown instanceof AppError && thrown.code === "NOT_FOUND" && kinds.fromCache)) throw thrown;
    return await locate(true);
  }
}

async function findTarget(
  { kinds }: ExplainContext,
  text: string,
  name: string,
  { fresh, apiVersion }: { readonly fresh: boolean; readonly apiVersion: string | undefined },
): Promise<ExplainTarget> {
  const discovery = await kinds.read({ fresh });
  return explainTarget(
    text,
    matchingResources(discovery, name),
    apiVersion,
    () => hintForWord(discovery, name),
  );
}

/** The documents of the server, with their addresses. */
async function readIndex({ client, kinds }: ExplainContext): Promise<Json> {
  const read = await readAnswer(client, readRequest("/openapi/v3", OBJECTS));
  if (read.answer.status === 404) {
    throw new AppError("NOT_FOUND", `${capital(client.what)} does not describe its types with OpenAPI v3.`, {
      hint: SERVER_HINTS.NOT_FOUND.served,
    });
  }
  const index = bodyOf(client, read);
  const { paths } = index;
  if (!isMembers(paths)) return index;
  // The addresses may begin with the control plane's own, or lack it.
  const below = Object.entries(paths).map(([name, entry]) => {
    if (!isMembers(entry) || typeof entry.serverRelativeURL !== "string") return [name, entry] as const;
    const serverRelativeURL = belowBase(kinds.client.baseUrl, entry.serverRelativeURL);
    return [name, { ...entry, serverRelativeURL }] as const;
  });
  return { ...index, paths: Object.fromEntries(below) };
}

/**
 * The document at a path, or the part of it that was kept of an earlier command: a path with a hash names the content, so
 * that what was kept is still right.
 */
async function readDocument(
  { client, cacheOf }: ExplainContext,
  { resource }: ExplainTarget,
  path: string,
): Promise<Json> {
  const cache = path.includes("hash=") ? await cacheOf?.(resourceText(resource)) : undefined;
  const kept = textAt(path, await cache?.read());
  const known = kept === undefined ? undefined : readJson(kept);
  if (known !== undefined) return known;
  const read = await readAnswer(client, readRequest(path, OBJECTS));
  if (!isGood(read) || read.body === undefined) throw errorOf(client, read);
  const part = cache === undefined ? undefined : partFor(read.body, resource);
  if (part !== undefined) await cache?.write({ path, text: compactJson(part) });
  return read.body;
}

/** The text that was kept of that very path. */
function textAt(path: string, kept: unknown): string | undefined {
  const isKept = typeof kept === "object" && kept !== null && "path" in kept && "text" in kept;
  return isKept && kept.path === path && typeof kept.text === "string" ? kept.text : undefined;
}

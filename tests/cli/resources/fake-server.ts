/** An https server that answers resource commands as a test says, and the commands that ask it. */

import { compactJson } from "../../../src/kube/json-text.ts";
import type { Json } from "../../../src/kube/lossless-json.ts";
import { makeCertificates } from "../../cloud/certificates.ts";
import { openSandbox } from "../../sessions/sandbox.ts";
import { type CommandLine, commandLine } from "../run-line.ts";

/** What a test answers: JSON, a whole answer, or nothing for what there is not. */
export type FakeAnswer = Json | Response | undefined;

/** A server, and command lines that act on it; dispose of it. */
export interface FakeServer extends AsyncDisposable {
  /** Answers what is no discovery; the requests are counted from 1. */
  answer: (url: URL, request: number) => FakeAnswer | Promise<FakeAnswer>;
  /** The paths, with their queries, that were asked for. */
  readonly asked: string[];
  readonly host: string;
  readonly run: CommandLine["run"];
}

/** A resource as its discovery names it. */
function resource(name: string, kind: string, namespaced = true): Json {
  const verbs = ["get", "list", "watch", "create", "patch", "delete"];
  return { name, singularName: kind.toLowerCase(), kind, namespaced, verbs };
}

/** The discovery of a server with `things` in the core group. */
export const DISCOVERY: Readonly<Record<string, Json>> = {
  "/api": { kind: "APIVersions", versions: ["v1"] },
  "/api/v1": {
    kind: "APIResourceList",
    groupVersion: "v1",
    resources: [resource("things", "Thing"), resource("events", "Event"), resource("others", "Other", false)],
  },
  "/apis": { kind: "APIGroupList", groups: [] },
};

/** The secret that every request carries. */
export const TOKEN = "access-1-of-a-test-GmRhmhcx";

/** Starts a server. */
export async function startFakeServer(
  discovery: Readonly<Record<string, Json>> = DISCOVERY,
): Promise<FakeServer> {
  await using undo = new AsyncDisposableStack();
  const { caPem, certificatePem: cert, keyPem: key } = await makeCertificates(new Date());
  const sandbox = undo.use(await openSandbox());
  const asked: string[] = [];
  let requests = 0;
  const listening = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {}, onError: () => new Response(null) },
    async (request) => {
      const url = new URL(request.url);
      asked.push(url.pathname + url.search);
      const known = discovery[url.pathname];
      if (known !== undefined) return json(known);
      requests += 1;
      const said = await fake.answer(url, requests);
      if (said instanceof Response) return said;
      return said === undefined ? new Response("404 page not found\n", { status: 404 }) : json(said);
    },
  );
  undo.defer(() => listening.shutdown());
  const host = `127.0.0.1:${listening.addr.port}`;
  const authority = `${sandbox.folder}/authority.pem`;
  await Deno.writeTextFile(authority, caPem);
  const commands = commandLine(sandbox, {
    DATUMCTL_TOKEN: TOKEN,
    DATUMCTL_API_HOSTNAME: host,
    DATUMCTL_CERTIFICATE_AUTHORITY: authority,
  });
  const later = undo.move();
  const fake: FakeServer = {
    answer: () => undefined,
    asked,
    host,
    run(words, options) {
      requests = 0;
      asked.length = 0;
      const line = typeof words === "string" ? words.split(" ") : words;
      return commands.run([...line, "--platform-wide", "--error-format", "json"], {
        now: Date.now,
        sleep: () => Promise.resolve(),
        ...options,
      });
    },
    [Symbol.asyncDispose]: () => later.disposeAsync(),
  };
  return fake;
}

/** An answer with a JSON value. */
export function json(value: Json, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(compactJson(value), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

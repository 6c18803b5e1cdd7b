/** The real kube-apiserver with an etcd of its own, started for a test and gone after it. */

import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { ROOT } from "../../scripts/compile.ts";
import { pause } from "../../src/system/clock.ts";
import { type Certificates, makeCertificates } from "../cloud/certificates.ts";
import {
  authenticationConfiguration,
  type Introspection,
  kubeconfig,
  listenForTokenReviews,
  type TrustedIssuer,
} from "./authentication.ts";
import { apiServerProgram } from "./program.ts";
import { type Proxy, startProxy } from "./proxy.ts";

export { byUserinfo } from "./authentication.ts";
export type { ClaimMapping, Introspection, TrustedIssuer } from "./authentication.ts";
export type { ProxiedRequest, Proxy } from "./proxy.ts";

/** What a server is started with. */
export interface ApiServerOptions {
  /** Whose ID tokens it takes. */
  readonly trusted: readonly TrustedIssuer[];
  /** In place of that: the text of an AuthenticationConfiguration, or flags of before there was one. */
  readonly authentication?: string | readonly string[] | undefined;
  /** Whose access tokens it takes, as Datum's API does; none unless given. */
  readonly introspect?: Introspection | undefined;
  /** Its own and the proxy's; without them they have an authority of their own. */
  readonly certificates?: Certificates | undefined;
  /** Ports of the server and of the proxy; free ones unless given. */
  readonly ports?: { readonly server?: number | undefined; readonly proxy?: number | undefined } | undefined;
  /** More flags of the server's program. */
  readonly flags?: readonly string[] | undefined;
}

/** A Kubernetes object, as far as these tests look into it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly [member: string]: unknown;
  };
  readonly [member: string]: unknown;
}

/** The server's administrator, who has a token of their own and asks the server without the proxy. */
export interface Administrator {
  readonly token: string;
  /** The path of a kubeconfig. */
  readonly kubeconfig: string;
  /** Sends a request; the answer's object. Fails on an answer that is not a good one. */
  send(method: string, path: string, body?: unknown, contentType?: string): Promise<Record<string, unknown>>;
  /** Applies objects, from the server's side; a kind that is new is waited for. `status` is applied, too. */
  apply(...objects: readonly KubernetesObject[]): Promise<void>;
}

/** A running server; dispose of it. */
export interface ApiServer extends AsyncDisposable {
  /** The server itself. */
  readonly url: string;
  readonly host: string;
  readonly caPem: string;
  readonly caFile: string;
  /** The same server below Datum's paths of control planes, and at the root, where requests are written down. */
  readonly proxy: Proxy;
  readonly admin: Administrator;
  readonly pid: number;
  /** Ends the server in good order and starts it again at the same place: watches of before are answered with 410. */
  restart(): Promise<void>;
  /** Replaces whose ID tokens are taken. The server starts again for it: by itself it would take ten seconds. */
  trust(trusted: readonly TrustedIssuer[]): Promise<void>;
  /** Takes a token of any issuer for the administrator's. The server starts again for it. */
  admit(token: string): Promise<void>;
  /** Forgets the past, as a server does after five minutes: what continues an earlier list is answered with 410. */
  compact(): Promise<void>;
  /** The end of what the server logged. */
  log(): string;
}

const ADMINISTRATOR = "administrator";

/**
 * Starts a server with Datum's kinds and people in it.
 *
 * @returns undefined, after one printed line, where its program cannot be built because Go is missing
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer | undefined> {
  const program = await apiServerProgram();
  if (program === undefined) return undefined;
  await using undo = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "datumctl-apiserver-" });
  undo.defer(() => removeFolder(folder));
  const { certificates = await makeCertificates(new Date()) } = options;
  const token = crypto.randomUUID();
  const webhook = options.introspect === undefined ? undefined : listenForTokenReviews(options.introspect);
  if (webhook !== undefined) undo.defer(() => webhook.close());
  const files: Record<string, string> = {
    "ca.pem": certificates.caPem,
    "server.pem": certificates.certificatePem,
    "server-key.pem": certificates.keyPem,
    "tokens.csv": `${token},${ADMINISTRATOR},${ADMINISTRATOR},system:masters\n`,
    "authentication.json": typeof options.authentication === "string"
      ? options.authentication
      : authenticationConfiguration(options.trusted),
  };
  if (webhook !== undefined) files["webhook.json"] = webhook.kubeconfig;
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
  }

  const kinds = await readObjects<CustomResourceDefinition>("datum");
  let running = await startProgram(
    program,
    folder,
    flags(folder, options.ports?.server ?? 0, options),
  );
  undo.defer(() => running.end());
  const url = running.url;
  const { host, port } = new URL(url);
  const client = Deno.createHttpClient({ caCerts: [certificates.caPem] });
  undo.defer(() => client.close());
  const send = (method: string, path: string, body?: unknown, contentType = "application/json") =>
    fetch(url + path, {
      client,
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": contentType },
      body: body === undefined ? null : JSON.stringify(body),
    });

  /** Waits for a good answer, whose body is of no interest. */
  const until = async (path: string) => {
    for (;;) {
      running.check();
      const answer = await send("GET", path).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
      await pause(50);
    }
  };
  const restart = async () => {
    await running.stop();
    running = await startProgram(program, folder, flags(folder, Number(port), options));
    await until("/readyz");
    // For kinds of custom resources a server is not ready yet: it answers watches with 429 until it has read them.
    for (const { spec } of kinds) {
      await until(
        `/apis/${spec.group}/${
          spec.versions[0].name
        }/${spec.names.plural}?watch=true&timeoutSeconds=1&resourceVersion=0`,
      );
    }
  };
  await until("/readyz");
  const adminConfig = `${folder}/admin.json`;
  await Deno.writeTextFile(
    adminConfig,
    kubeconfig(ADMINISTRATOR, { server: url, "certificate-authority": `${folder}/ca.pem` }, { token }),
    { mode: 0o600 },
  );
  const admin = makeAdministrator(token, adminConfig, send);
  await admin.apply(...kinds, ...await readObjects("people"));

  const proxy = startProxy({ target: url, caPem: certificates.caPem, certificates });
  undo.defer(() => proxy.close());
  const undoLater = undo.move();
  return {
    url,
    host,
    caPem: certificates.caPem,
    caFile: `${folder}/ca.pem`,
    proxy,
    admin,
    get pid() {
      return running.pid;
    },
    async trust(trusted) {
      await Deno.writeTextFile(`${folder}/authentication.json`, authenticationConfiguration(trusted));
      await restart();
    },
    async admit(token) {
      const line = `${token},${ADMINISTRATOR},${ADMINISTRATOR},system:masters\n`;
      await Deno.writeTextFile(`${folder}/tokens.csv`, line, { append: true });
      await restart();
    },
    restart,
    async compact() {
      assert.equal(await running.order(), "forgotten");
    },
    log: () => running.log(),
    [Symbol.asyncDispose]: () => undoLater.disposeAsync(),
  };
}

interface CustomResourceDefinition extends KubernetesObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly [{ readonly name: string }];
  };
}

function flags(
  folder: string,
  port: number,
  { introspect, authentication, flags = [] }: Pick<
    ApiServerOptions,
    "introspect" | "authentication" | "flags"
  >,
): string[] {
  return [
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${folder}`,
    `--tls-cert-file=${folder}/server.pem`,
    `--tls-private-key-file=${folder}/server-key.pem`,
    "--authorization-mode=RBAC",
    `--token-auth-file=${folder}/tokens.csv`,
    ...(authentication === undefined || typeof authentication === "string"
      ? [`--authentication-config=${folder}/authentication.json`]
      : authentication),
    ...(introspect !== undefined
      ? [
        `--authentication-token-webhook-config-file=${folder}/webhook.json`,
        "--authentication-token-webhook-version=v1",
        "--authentication-token-webhook-cache-ttl=0s",
      ]
      : []),
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${folder}/server.pem`,
    `--service-account-signing-key-file=${folder}/server-key.pem`,
    "--service-cluster-ip-range=10.0.0.0/24",
    // No node runs here: nobody makes the service account that a pod would wait for, and nobody else serves.
    "--disable-admission-plugins=ServiceAccount",
    "--endpoint-reconciler-type=none",
    // Nothing is forgotten but on demand.
    "--etcd-compaction-interval=0",
    ...flags,
  ];
}

/** The program at work. */
interface RunningProgram {
  readonly pid: number;
  readonly url: string;
  /** Throws, with the end of the log, when the program has ended. */
  check(): void;
  log(): string;
  /** Lets it forget the past; what it says to that. */
  order(): Promise<string>;
  /** Ends it in good order; what it stored stays. */
  stop(): Promise<void>;
  /** Ends it at once, and what it stored is gone. */
  end(): Promise<void>;
}

const LOG_KEPT = 64 * 1024;

async function startProgram(
  program: string,
  folder: string,
  flags: readonly string[],
): Promise<RunningProgram> {
  const child = new Deno.Command(program, {
    args: [folder, ...flags],
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  // A line is written at once, and is read before the next one is.
  const line = async () => (await output.read()).value?.trim();
  let [log, ended] = ["", false];
  const finished = Promise.all([
    (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        log = (log + text).slice(-LOG_KEPT);
      }
    })(),
    child.status.then(() => ended = true),
  ]);
  const end = async () => {
    await input.close().catch(() => {}); // it may have ended by itself
    await finished;
    await output.cancel();
  };
  const url = await line();
  if (url === undefined) {
    await end();
    throw new Error(`The API server ended at once:\n${log}`);
  }
  return {
    pid: child.pid,
    url,
    check: () => assert.ok(!ended, `The API server ended:\n${log}`),
    log: () => log,
    async order() {
      await input.write(new TextEncoder().encode("\n"));
      return await line() ?? "";
    },
    async stop() {
      child.kill("SIGTERM");
      await child.status;
      await end();
    },
    end,
  };
}

async function removeFolder(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function readObjects<Known extends KubernetesObject>(name: string): Promise<Known[]> {
  const text = await Deno.readTextFile(`${ROOT}tests/apiserver/${name}.yaml`);
  return parseAllDocuments(text).map((document) => document.toJS())
    .flatMap((object) => object.kind === "List" ? object.items : [object]);
}

function makeAdministrator(
  token: string,
  kubeconfig: string,
  fetched: (method: string, path: string, body?: unknown, contentType?: string) => Promise<Response>,
): Administrator {
  const send: Administrator["send"] = async (method, path, body, contentType) => {
    const answer = await fetched(method, path, body, contentType);
    const object = await answer.json();
    assert.ok(answer.ok, `${method} ${path}: ${JSON.stringify(object)}`);
    return object;
  };
  /** Where the objects of a kind are; a kind that was just defined takes a moment to be served. */
  const resourceOf = async ({ apiVersion, kind }: KubernetesObject) => {
    const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    for (let tries = 0; tries < 200; tries++) {
      const answer = await fetched("GET", base);
      const { resources = [] } = await answer.json();
      const found = resources.find((row: { readonly kind: string; readonly name: string }) =>
        row.kind === kind && !row.name.includes("/")
      );
      if (found !== undefined) {
        return { base, ...found as { readonly name: string; readonly namespaced: boolean } };
      }
      await pause(50);
    }
    throw new Error(`The API server does not serve ${apiVersion} ${kind}.`);
  };
  return {
    token,
    kubeconfig,
    send,
    async apply(...objects) {
      for (const object of objects) {
        const { base, name, namespaced } = await resourceOf(object);
        const { metadata, status } = object;
        const place = namespaced ? `${base}/namespaces/${metadata.namespace ?? "default"}` : base;
        const path = `${place}/${name}/${metadata.name}`;
        const apply = (at: string, what: unknown) =>
          send(
            "PATCH",
            `${at}?fieldManager=${ADMINISTRATOR}&force=true`,
            what,
            "application/apply-patch+yaml",
          );
        await apply(path, object);
        if (status !== undefined && object.kind !== "CustomResourceDefinition") {
          await apply(`${path}/status`, object);
        }
      }
    },
  };
}

/** The proxy for programs that must not hold a credential: its door, its rules, the server behind it, its audit. */

import { AppError } from "../errors.ts";
import type { Clock } from "../system/clock.ts";
import type { HttpHandler } from "../system/http-listener.ts";
import { admit } from "./door.ts";
import { type ForwardedAnswer, forwardTo, type Upstream } from "./forward.ts";
import { headerRefusal, judge, methodWord, type Refusal, type Rules } from "./judge.ts";
import { openStreams } from "./streams.ts";

/** What a proxy is made of. */
export interface ProxyOptions {
  /** The random key of this run. */
  readonly key: string;
  readonly rules: Rules;
  readonly upstream: Upstream;
  readonly now: Clock;
  /** When its time is over, in milliseconds since 1970. */
  readonly end: number;
  /** Told of each request once it is over. */
  readonly audit: (entry: AuditEntry) => void;
  /** Told of what kept a request from an answer: no token, no network, or a fault of our own. */
  readonly failed: (thrown: unknown) => void;
}

/** What the audit has of one request: never a header, a query or a body. */
export interface AuditEntry {
  /** When it came, in RFC 3339. */
  readonly time: string;
  /** As Kubernetes names it, such as `list`. */
  readonly verb: string;
  /** Without the key; empty for a request that lacked it. */
  readonly path: string;
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
}

/** A proxy at work. */
export interface Proxy {
  readonly handle: HttpHandler;
  /** Answers no more requests, and ends the watches. */
  finish(): void;
  /** Breaks off what is still under way. */
  breakOff(): void;
}

/** What a request turned out to be, for the audit. */
interface Asked {
  readonly verb: string;
  readonly path: string;
}

/** In characters; a longer path is cut in the audit. */
const LONGEST_PATH = 2000;

/** Makes a proxy; nothing is asked yet. */
export function makeProxy({ key, rules, upstream, now, end, audit, failed }: ProxyOptions): Proxy {
  const breaking = new AbortController();
  const forward = forwardTo(upstream, breaking.signal);
  const streams = openStreams();
  let isFinished = false;

  const handle: HttpHandler = async (request, address) => {
    const time = new Date(now()).toISOString();
    const write = ({ verb, path }: Asked, status: number, bytes: number) =>
      audit({ time, verb, path: path.replaceAll(key, "…").slice(0, LONGEST_PATH), status, bytes });
    const refuse = (asked: Asked, refusal: Refusal) => {
      const body = statusOf(refusal);
      write(asked, refusal.status, request.method === "HEAD" ? 0 : body.length);
      return new Response(body, { status: refusal.status, headers: { "content-type": "application/json" } });
    };
    const unknown = { verb: methodWord(request.method), path: "" };
    const target = admit(request, address, key);
    if (typeof target !== "string") return refuse(unknown, target);
    const verdict = judge(request.method, target, rules);
    if (isFinished || now() >= end) return refuse(verdict, { status: 503, message: "the proxy has ended" });
    const refusal = verdict.refusal ?? headerRefusal(request.headers);
    if (refusal !== undefined) return refuse(verdict, refusal);
    try {
      const answer = await forward(request, target);
      if (answer === undefined) return refuse(verdict, UNLIKE);
      if (answer.status < 200 || answer.status > 599) {
        await answer.body?.cancel();
        return refuse(verdict, {
          status: 502,
          message: `the server answered with the status ${answer.status}`,
        });
      }
      const ended = (bytes: number) => write(verdict, answer.status, bytes);
      return handBack(request, answer, verdict.verb === "watch", ended);
    } catch (thrown) {
      if (isFinished) return refuse(verdict, { status: 503, message: "the proxy has ended" });
      failed(thrown);
      return refuse(verdict, failureOf(thrown));
    }
  };

  function handBack(
    { method }: Request,
    { status, headers, body }: ForwardedAnswer,
    isWatch: boolean,
    ended: (bytes: number) => void,
  ): Response {
    if (body === null || method === "HEAD" || BODILESS.includes(status)) {
      void body?.cancel().catch(() => {});
      ended(0);
      return new Response(null, { status, headers });
    }
    return new Response(streams.pass(body, isWatch, ended), { status, headers });
  }

  return {
    handle,
    finish() {
      isFinished = true;
      streams.endWatches();
    },
    breakOff() {
      isFinished = true;
      breaking.abort();
      streams.breakOff();
    },
  };
}

const BODILESS = [204, 205, 304];

/** For a target that the parser of URLs would have changed: then another one would be sent than was judged. */
const UNLIKE: Refusal = { status: 400, message: "the path or query can be read in two ways" };

/** Why no answer came: without a token nothing is asked, and without a network nothing answers. */
function failureOf(thrown: unknown): Refusal {
  if (!(thrown instanceof AppError)) return { status: 502, message: "the request failed" };
  const isServer = thrown.code === "NETWORK" || thrown.code === "UNTRUSTED_CERTIFICATE";
  return { status: isServer ? 502 : 503, message: `${thrown.code}: ${thrown.message}` };
}

const REASONS: Readonly<Record<Refusal["status"], string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  501: "NotImplemented",
  502: "BadGateway",
  503: "ServiceUnavailable",
};

/** A refusal as Kubernetes words one. */
function statusOf({ status, message }: Refusal): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `datumctl's proxy: ${message}`,
    reason: REASONS[status],
    code: status,
  }));
}

/** The kubeconfig through which kubectl uses a proxy. JavaScript's client takes plain http only with its last word. */
export function proxyKubeconfig(server: string, namespace: string | undefined): string {
  const where = namespace === undefined ? "" : `, namespace: ${JSON.stringify(namespace)}`;
  return `${KUBECONFIG_MARK}
apiVersion: v1
kind: Config
clusters:
- name: datumctl-proxy
  cluster: {server: ${JSON.stringify(server)}, insecure-skip-tls-verify: true}
contexts:
- name: datumctl-proxy
  context: {cluster: datumctl-proxy, user: datumctl-proxy${where}}
users:
- name: datumctl-proxy
  user: {}
current-context: datumctl-proxy
`;
}

/** The port of the proxy whose kubeconfig a text is; undefined for one that is anybody else's. */
export function portOfProxy(kubeconfig: string): number | undefined {
  const [, port] = /^ {2}cluster: \{server: "http:\/\/127\.0\.0\.1:(\d+)\//m.exec(kubeconfig) ?? [];
  return port !== undefined && kubeconfig.startsWith(KUBECONFIG_MARK) ? Number(port) : undefined;
}

/** The first line of such a kubeconfig, which tells it from a person's own. */
const KUBECONFIG_MARK = "# The kubeconfig of a proxy of datumctl, which removes it when it ends.";

/** A DataChain Studio on this machine: device login, the page where a person confirms the code, tokens. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { makeCertificates } from "./certificates.ts";
import { faultAnswer, type Faults, makeFaultBoard, overlaid, pause } from "./faults.ts";
import { listenWithNode } from "./listener.ts";
import { choosePage, deviceCodePage, deviceConfirmPage, messagePage } from "./pages.ts";
import { makeSecretRecord, type Secret } from "./secrets.ts";
import { type User, USERS } from "./users.ts";

/** How a Studio begins. */
export interface StudioOptions {
  /** A free port unless given. */
  readonly port?: number;
  /** The teams there are; `data-team` and `ml-team` unless given. */
  readonly teams?: readonly string[];
  /** Life of a code, in seconds; 900 unless given. */
  readonly codeLife?: number;
  /** The path below which it is, such as `/studio`; none unless given. */
  readonly below?: string;
  /** Seconds between two polls, told in the answer; not told unless given, as the real service. */
  readonly interval?: number;
}

/** What can go wrong, by OAuth's names of the endpoints: login, poll, logout, page; `issuer` is all of them. */
export type StudioFaults = Pick<
  Faults,
  | "device_authorization"
  | "token"
  | "revocation"
  | "page"
  | "issuer"
  | "down"
  | "deviceAnswer"
  | "tokenAnswer"
>;

/** A token as Studio knows it. */
export interface StudioToken {
  readonly token: string;
  readonly name: string;
  readonly clientName: string;
  readonly scopes: readonly string[];
  /** Empty: every team of the person. */
  readonly teams: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** The e-mail of the person who confirmed it. */
  readonly owner: string;
}

/** A request as it came. */
export interface StudioRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, parsed; any other body as text; undefined for none. */
  readonly body: unknown;
}

/** A running Studio. */
export interface Studio extends AsyncDisposable {
  /** `https://127.0.0.1:port`, with the path below which it is. */
  readonly url: string;
  /** The authority that its certificate comes from, and the file that holds it until the close. */
  readonly caPem: string;
  readonly caFile: string;
  readonly users: readonly User[];
  readonly teams: readonly string[];
  /** Replaces all faults; `{}` heals everything. Resolves when a listener that goes down or up has done so. */
  setFaults(faults: StudioFaults): Promise<void>;
  /** How codes begin from now on: their life in seconds, and the interval that is told. */
  setCodes(codes: Pick<StudioOptions, "codeLife" | "interval">): void;
  /** Confirms a code as the person would on the page; by its e-mail, Ada's unless given. */
  approve(userCode: string, email?: string): void;
  deny(userCode: string): void;
  /** Lets a code run out. */
  expire(userCode: string): void;
  /** The codes that still wait for a person, the oldest first. */
  waiting(): readonly string[];
  /** The tokens that work now. */
  tokens(): readonly StudioToken[];
  /** Takes a token away, as its owner can on Studio's pages; all of them unless given. */
  revoke(token?: string): void;
  /** Every request since the start or the last reset. */
  requests(): readonly StudioRequest[];
  resetRequests(): void;
  /** Every device code and token that was handed out. */
  secrets(): readonly Secret[];
  /** Frees everything; a second call is the first one's. */
  close(): Promise<void>;
}

const LOGIN = "/api/device-login";
const TOKEN = "/api/device-login/token";
const LOGOUT = "/api/device-logout";
const PAGE = "/auth/device-login";
const SIGN_IN = "/auth/login";
const ENDPOINTS: Readonly<Record<string, "device_authorization" | "token" | "revocation" | "page">> = {
  [LOGIN]: "device_authorization",
  [TOKEN]: "token",
  [LOGOUT]: "revocation",
  [PAGE]: "page",
  [SIGN_IN]: "page",
};
const SCOPES = ["EXPERIMENTS", "DATASETS", "MODELS"];
const DAY = 24 * 3600_000;

interface Device {
  readonly userCode: string;
  readonly asked: Asked;
  expiresAt: number;
  state: "waiting" | { readonly approvedBy: string } | "denied" | "used";
}

interface Asked {
  readonly clientName: string;
  readonly tokenName: string;
  readonly scopes: readonly string[];
  readonly teams: readonly string[];
  readonly days: number;
}

/** A refusal with Studio's own words. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** Starts a Studio. It holds no port, file or timer after its close. */
export async function startStudio(options: StudioOptions = {}): Promise<Studio> {
  const { teams = ["data-team", "ml-team"], below = "" } = options;
  const codes = { codeLife: options.codeLife ?? 900, interval: options.interval };
  const closing = new AbortController();
  const board = makeFaultBoard();
  const secrets = makeSecretRecord();
  const requests: StudioRequest[] = [];
  const devices = new Map<string, Device>();
  const tokens = new Map<string, StudioToken>();
  const signedIn = new Map<string, User>();

  const certificates = await makeCertificates(new Date());
  const folder = await Deno.makeTempDir({ prefix: "studio-" });
  const caFile = `${folder}/ca.pem`;
  await Deno.writeTextFile(caFile, certificates.caPem);

  const deviceOf = (userCode: string): Device | undefined => {
    const typed = userCode.toUpperCase().replace(/[^A-Z]/g, "");
    return [...devices.values()].find(({ userCode }) => userCode.replace("-", "") === typed);
  };
  /** A code that a person can still answer; a sentence for one that nobody can. */
  const answerable = (userCode: string): Device | string => {
    const device = deviceOf(userCode);
    if (device === undefined) return "That code is not known. Look at your device again.";
    if (device.expiresAt <= Date.now()) return "That code has run out. Start the sign-in again.";
    return device.state === "waiting" ? device : "That code was used already.";
  };
  const known = (userCode: string): Device => {
    const device = answerable(userCode);
    if (typeof device === "string") throw new Error(`${userCode}: ${device}`);
    return device;
  };

  function login(body: unknown): Response {
    const asked = readAsked(body, teams);
    const deviceCode = randomWord(40);
    const letters = randomLetters(8);
    const userCode = `${letters.slice(0, 4)}-${letters.slice(4)}`;
    devices.set(deviceCode, {
      userCode,
      asked,
      expiresAt: Date.now() + codes.codeLife * 1000,
      state: "waiting",
    });
    secrets.note({ device_code: deviceCode });
    return Response.json(overlaid({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: `${url}${PAGE}`,
      token_uri: `${url}${TOKEN}`,
      token_name: asked.tokenName,
      expires_in: codes.codeLife,
      interval: codes.interval,
    }, board.faults.deviceAnswer));
  }

  function poll(body: unknown): Response {
    const { code } = readObject(body, ["code"]);
    const device = typeof code === "string" ? devices.get(code) : undefined;
    if (device === undefined || device.state === "used") throw new Refused(400, "invalid_code");
    if (device.state === "denied") throw new Refused(400, "access_denied");
    if (device.expiresAt <= Date.now()) throw new Refused(400, "authorization_expired");
    if (device.state === "waiting") throw new Refused(400, "authorization_pending");
    const { asked, state } = device;
    const token = `isat_${randomWord(45)}`;
    tokens.set(token, {
      token,
      name: asked.tokenName,
      clientName: asked.clientName,
      scopes: asked.scopes,
      teams: asked.teams,
      expiresAt: Date.now() + asked.days * DAY,
      owner: state.approvedBy,
    });
    device.state = "used";
    secrets.note({ access_token: token });
    return Response.json(overlaid({ access_token: token }, board.faults.tokenAnswer));
  }

  function logout(authorization: string | null): Response {
    const token = /^token (\S+)$/.exec(authorization ?? "")?.[1];
    if (token === undefined) throw new Refused(401, "Authentication credentials were not provided.");
    const found = tokens.get(token);
    tokens.delete(token);
    if (found === undefined || found.expiresAt <= Date.now()) throw new Refused(401, "Invalid token.");
    return Response.json({ detail: "ok" });
  }

  /** The page where a person says who they are, and goes on to the code. */
  function signIn(form: URLSearchParams, code: string): Response {
    const user = USERS.find(({ email }) => email === form.get("user"));
    if (user === undefined) return html(messagePage("Not signed in", "Nobody signed in."));
    const cookie = randomWord(32);
    signedIn.set(cookie, user);
    return new Response(null, {
      status: 303,
      headers: {
        location: withCode(PAGE, code),
        "set-cookie": `studio=${cookie}; Path=/; HttpOnly; Secure; SameSite=Lax`,
      },
    });
  }

  /** The page where a signed-in person types the code, compares it, and agrees or not. */
  function page(cookies: string | null, code: string, form: URLSearchParams | undefined): Response {
    const cookie = /(?:^|;\s*)studio=(\w+)/.exec(cookies ?? "")?.[1] ?? "";
    const user = signedIn.get(cookie);
    if (user === undefined) return html(choosePage(withCode(SIGN_IN, code), USERS, undefined));
    // The cookie's own name would do for a form that another site sends.
    const xsrf = cookie.slice(0, 16);
    if (form === undefined && code === "") return html(deviceCodePage(PAGE, xsrf, "", undefined));
    if (form !== undefined && form.get("xsrf") !== xsrf) {
      return html(messagePage("Refused", "This form came from elsewhere."), 403);
    }
    const typed = form?.get("user_code") ?? code;
    const device = answerable(typed);
    if (typeof device === "string") return html(deviceCodePage(PAGE, xsrf, typed, device));
    if (form?.has("confirm")) {
      device.state = { approvedBy: user.email };
      return html(
        messagePage("Your device is connected", `${device.asked.tokenName} may act as ${user.name} now.`),
      );
    }
    if (form?.has("abort")) {
      device.state = "denied";
      return html(messagePage("Declined", "Your device was not connected."));
    }
    return html(deviceConfirmPage(PAGE, xsrf, device.userCode));
  }

  function process(pathname: string, request: Request, text: string): Response {
    const { searchParams } = new URL(request.url);
    const allowed = pathname === PAGE ? ["GET", "POST"] : ["POST"];
    if (ENDPOINTS[pathname] === undefined) throw new Refused(404, "Not found.");
    if (!allowed.includes(request.method)) throw new Refused(405, `Method "${request.method}" not allowed.`);
    const form = request.method === "POST" ? new URLSearchParams(text) : undefined;
    const code = searchParams.get("code") ?? "";
    switch (pathname) {
      case LOGIN:
        return login(readJson(request, text));
      case TOKEN:
        return poll(readJson(request, text));
      case LOGOUT:
        return logout(request.headers.get("authorization"));
      case SIGN_IN:
        return signIn(form ?? new URLSearchParams(), code);
      default:
        return page(request.headers.get("cookie"), code, form);
    }
  }

  /** What is answered; undefined: the connection is dropped. */
  async function handle(request: Request): Promise<Response | undefined> {
    const { pathname, search } = new URL(request.url);
    const text = await request.text();
    requests.push({
      method: request.method,
      path: pathname,
      query: search,
      headers: Object.fromEntries(request.headers),
      body: bodyOf(request, text),
    });
    const inside = pathname.startsWith(`${below}/`) ? pathname.slice(below.length) : "";
    const endpoint = ENDPOINTS[inside];
    const fault = endpoint === undefined ? undefined : board.take(endpoint);
    const answer = () => {
      try {
        return process(inside, request, text);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return Response.json({ detail: error.message }, { status: error.status });
      }
    };
    if (fault === undefined) return answer();
    if (fault.slow !== undefined) await pause(fault.slow, closing.signal);
    const instead = faultAnswer(fault, closing.signal);
    if (instead !== undefined) {
      return new Response(instead.body, { status: instead.status, headers: instead.headers });
    }
    if (fault.halfClosed) return undefined;
    const processed = answer();
    if (fault.lostAnswer) return undefined;
    return fault.thenStatus === undefined ? processed : new Response("fault\n", { status: fault.thenStatus });
  }

  const listener = await listenWithNode(
    certificates,
    "127.0.0.1",
    options.port ?? 0,
    async (message, response) => {
      try {
        await send(message, response, await handle(await requestOf(origin, message)));
      } catch (thrown) {
        // A client that left half-way is answered no more.
        if (!message.socket.destroyed) throw thrown;
      }
    },
  );
  const origin = `https://127.0.0.1:${listener.port}`;
  const url = `${origin}${below}`;

  let closed: Promise<void> | undefined;
  const close = async () => {
    closing.abort();
    await listener.down();
    await Deno.remove(folder, { recursive: true });
  };
  return {
    url,
    caPem: certificates.caPem,
    caFile,
    users: USERS,
    teams,
    setFaults: async (faults) => {
      board.set(faults);
      await (faults.down?.includes("issuer") ? listener.down() : listener.up());
    },
    setCodes: (changed) => void Object.assign(codes, changed),
    approve: (userCode, email = "ada@example.com") => {
      known(userCode).state = { approvedBy: email };
    },
    deny: (userCode) => {
      known(userCode).state = "denied";
    },
    expire: (userCode) => {
      known(userCode).expiresAt = Date.now();
    },
    waiting: () =>
      [...devices.values()].filter(({ userCode }) => typeof answerable(userCode) !== "string").map((
        { userCode },
      ) => userCode),
    tokens: () => [...tokens.values()].filter(({ expiresAt }) => expiresAt > Date.now()),
    revoke: (token) => token === undefined ? tokens.clear() : void tokens.delete(token),
    requests: () => [...requests],
    resetRequests: () => void requests.splice(0),
    secrets: () => secrets.read(),
    close: () => closed ??= close(),
    [Symbol.asyncDispose]: () => closed ??= close(),
  };
}

/** What a login asks for; refused with Studio's words when it is of a wrong shape. */
function readAsked(body: unknown, teams: readonly string[]): Asked {
  const {
    client_name: clientName,
    token_name: tokenName,
    scopes,
    team_names: teamNames,
    expires_in_days: days,
  } = readObject(body, ["client_name", "token_name", "scopes", "team_names", "expires_in_days"]);
  if (typeof clientName !== "string" || clientName === "") throw new Refused(400, "client_name is required.");
  if (tokenName !== undefined && (typeof tokenName !== "string" || tokenName === "")) {
    throw new Refused(400, "token_name is not a name.");
  }
  if (days !== undefined && !(Number.isInteger(days) && Number(days) > 0)) {
    throw new Refused(400, "expires_in_days is not a positive number.");
  }
  const askedScopes = readWords("scopes", scopes) ?? SCOPES;
  const wrong = askedScopes.filter((scope) => !SCOPES.includes(scope.toUpperCase()));
  if (wrong.length > 0) throw new Refused(400, `Unknown scopes: ${wrong.join(", ")}.`);
  const askedTeams = readWords("team_names", teamNames) ?? [];
  const missing = askedTeams.find((team) => !teams.includes(team));
  if (missing !== undefined) throw new Refused(400, `Team ${missing} not found.`);
  return {
    clientName,
    tokenName: tokenName ?? `${clientName}-${randomLetters(6).toLowerCase()}`,
    scopes: askedScopes,
    teams: askedTeams,
    days: Number(days ?? 365),
  };
}

function readWords(name: string, value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string")) {
    return value;
  }
  throw new Refused(400, `${name} is not a list of names.`);
}

function readObject(body: unknown, members: readonly string[]): Record<string, unknown> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refused(400, "The body is not an object.");
  }
  const stranger = Object.keys(body).find((name) => !members.includes(name));
  if (stranger !== undefined) throw new Refused(400, `Unknown field ${stranger}.`);
  return body as Record<string, unknown>;
}

function readJson(request: Request, text: string): unknown {
  if (!/^application\/json\b/.test(request.headers.get("content-type") ?? "")) {
    throw new Refused(415, "Unsupported media type.");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(400, "JSON parse error.");
  }
}

function bodyOf(request: Request, text: string): unknown {
  if (text === "") return undefined;
  if (!/^application\/json\b/.test(request.headers.get("content-type") ?? "")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function withCode(path: string, code: string): string {
  return code === "" ? path : `${path}?code=${encodeURIComponent(code)}`;
}

function html(text: string, status = 200): Response {
  return new Response(text, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}

/** A request of Node's listener as the web's own; that listener is the one whose connections can be dropped. */
async function requestOf(base: string, message: IncomingMessage): Promise<Request> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of message) parts.push(new Uint8Array(part));
  const headers = Object.entries(message.headers).flatMap(([name, value]): [string, string][] =>
    // Those of HTTP/2 that begin with a colon are no headers.
    typeof value === "string" && !name.startsWith(":") ? [[name, value]] : []
  );
  const { method = "GET", url = "/" } = message;
  return new Request(`${base}${url}`, {
    method,
    headers,
    body: method === "GET" || method === "HEAD" ? null : new Blob(parts),
  });
}

/** Sends an answer no faster than the client takes it; `undefined` begins one and drops the connection. */
async function send(
  message: IncomingMessage,
  response: ServerResponse,
  answer: Response | undefined,
): Promise<void> {
  const { socket } = message;
  if (socket.destroyed) return;
  if (answer === undefined) {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    response.write('{"access_token":"', () => socket.destroy());
    return;
  }
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  const gone = Promise.withResolvers<void>();
  socket.once("close", gone.resolve);
  for await (const part of answer.body ?? []) {
    if (socket.destroyed) break;
    if (response.write(part)) continue;
    const drained = Promise.withResolvers<void>();
    response.once("drain", drained.resolve);
    await Promise.race([drained.promise, gone.promise]);
  }
  socket.off("close", gone.resolve);
  response.end();
}

function randomWord(length: number): string {
  return randomOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", length);
}

function randomLetters(length: number): string {
  return randomOf("BCDFGHJKLMNPQRSTVWXZ", length);
}

function randomOf(alphabet: string, length: number): string {
  return [...crypto.getRandomValues(new Uint8Array(length))].map((byte) => alphabet[byte % alphabet.length])
    .join("");
}

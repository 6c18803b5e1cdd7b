/** A cloud on this machine: an issuer and control planes over TLS, with switches for what goes wrong. */

import { listenForAdmin } from "./admin.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { isTokenRequest } from "./ci-issuers.ts";
import { makeCounts } from "./counts.ts";
import { makeFaultBoard, withFault } from "./faults.ts";
import type { Faults } from "./faults.ts";
import { makeIssuer } from "./issuer.ts";
import { makeControlPlanes } from "./kube.ts";
import type { Identity } from "./kube-authorization.ts";
import { DEFAULT_SWITCHES } from "./kube-request.ts";
import type { ControlPlaneSwitches } from "./kube-request.ts";
import { listenWithDeno, listenWithNode } from "./listener.ts";
import { makeMachines } from "./machines.ts";
import type { MachineCloud } from "./machines.ts";
import { EXCHANGE_PATH } from "./personal-access-tokens.ts";
import { makeSecretRecord, type Secret } from "./secrets.ts";
import { USERS } from "./users.ts";
import type { User } from "./users.ts";
import type { Dialect } from "./zitadel-words.ts";

export type { Endpoint, Fault, Faults } from "./faults.ts";
export type { ForgeryName } from "./forgeries.ts";
export type { ControlPlaneSwitches } from "./kube-request.ts";
export type { MachineCloud, MachineSwitches } from "./machines.ts";
export type { Secret } from "./secrets.ts";
export type { User } from "./users.ts";

/** How a cloud begins. */
export interface CloudOptions {
  /** Life of access tokens, in seconds; 3600 unless given. */
  readonly accessTokenLife?: number;
  /** Life of ID tokens, in seconds; as the access tokens' unless given. */
  readonly idTokenLife?: number;
  /** Ports of the two listeners; free ones unless given. */
  readonly authPort?: number;
  readonly apiPort?: number;
  /** What the hosts are called: `127.0.0.1` unless given. They listen on 127.0.0.1 alone. */
  readonly host?: "127.0.0.1" | "localhost";
  readonly clientId?: string;
  /** Redirect URIs beside the loopback ones of `datumctl`; the port of a loopback URI is free. */
  readonly redirectUris?: readonly string[];
  /** `asked`: a refresh token whenever `offline_access` is asked, as Zitadel; `consent`: only with `prompt=consent`. */
  readonly offlineAccess?: "asked" | "consent";
  /** False: refresh tokens do not rotate. */
  readonly rotation?: boolean;
  /** Seconds between two polls for a device code; 1 unless given. */
  readonly deviceInterval?: number;
  /** How the issuer words its refusals: as ZITADEL unless given, for that is what Datum's issuer is. */
  readonly dialect?: Dialect;
  readonly controlPlanes?: Partial<ControlPlaneSwitches>;
}

/** A running cloud. */
export interface Cloud extends MachineCloud, AsyncDisposable {
  /** The issuer identifier, `https://` and {@link authHost}. */
  readonly issuer: string;
  /** Host and port as `login --hostname` takes them. */
  readonly authHost: string;
  /** Host and port of the control planes. */
  readonly apiHost: string;
  readonly clientId: string;
  /** The authority that both hosts' certificates come from, and the file that holds it until the close. */
  readonly caPem: string;
  readonly caFile: string;
  /** Both hosts' own, for servers that are to be trusted along with them. */
  readonly certificates: Certificates;
  /** Where another process controls this cloud: see `connectCloud`. */
  readonly admin: string;
  readonly users: readonly User[];
  /** The switches in force. */
  readonly faults: Faults;
  readonly controlPlanes: ControlPlaneSwitches;
  /** Replaces all faults; `{}` heals everything. Resolves when listeners that go down or up have done so. */
  setFaults(faults: Faults): Promise<void>;
  /** Changes how the control planes answer; members that are absent stay. */
  setControlPlanes(switches: Partial<ControlPlaneSwitches>): void;
  /** Life of access and ID tokens issued from now on, in seconds. */
  setTokenLife(seconds: number): void;
  /** Ends the sign-ins of one user, or of all: their refresh tokens are refused. */
  revokeAll(email?: string): void;
  /** Takes away the access tokens of one user or service account, or of all; refresh tokens stay good. */
  revokeAccessTokens(email?: string): void;
  /** ID tokens are signed with a new key from now on, and the JWKS has that key only. */
  rotateKeys(): Promise<void>;
  /** Requests per endpoint of the issuer, `total` of it, and `api`. */
  counts(): Record<string, number>;
  resetCounts(): void;
  /** Every token, code, verifier, state, nonce, assertion and key that the cloud handed out or was shown. */
  secrets(): readonly Secret[];
  /** Frees everything; a second call is the first one's. */
  close(): Promise<void>;
}

/** Starts a cloud. It holds no port, file or timer after its close. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const { host = "127.0.0.1", clientId = "325848904128073754", accessTokenLife = 3600 } = options;
  const { dialect = "zitadel" } = options;
  const lives = { access: accessTokenLife, id: options.idTokenLife ?? accessTokenLife };
  const closing = new AbortController();
  const board = makeFaultBoard();
  const counts = makeCounts();
  const secrets = makeSecretRecord();
  let switches: ControlPlaneSwitches = { ...DEFAULT_SWITCHES, ...options.controlPlanes };

  const certificates = await makeCertificates(new Date());
  const caFile = await writeCertificate(certificates.caPem);

  // The issuer's own name holds its port, so the port comes first and the issuer after it.
  let handler: Parameters<typeof listenWithNode>[3] = (_request, response) =>
    void response.writeHead(503).end();
  const auth = await listenWithNode(
    certificates,
    LOOPBACK,
    options.authPort ?? 0,
    (request, response) => {
      request.headers.host ??= authHost; // absent over HTTP/2
      handler(request, response);
    },
  );
  const authHost = `${host}:${auth.port}`;
  const issuerUrl = `https://${authHost}`;
  const ci = listenWithDeno(certificates, LOOPBACK, 0, (request) => {
    if (!isTokenRequest(new URL(request.url).pathname)) return machines.ci.answer(request);
    counts.add("ci_token");
    const fault = board.take("ci_token");
    return withFault(fault, request, closing.signal, () => machines.ci.answer(request));
  });
  const api = listenWithDeno(certificates, LOOPBACK, options.apiPort ?? 0, (request) => {
    const endpoint = new URL(request.url).pathname === EXCHANGE_PATH ? "pat_exchange" : "api";
    counts.add(endpoint);
    const process = endpoint === "api" ? controlPlanes : machines.personalAccessTokens.exchange;
    return withFault(board.take(endpoint), request, closing.signal, () => process(request));
  });
  const apiHost = `${host}:${api.port}`;
  const machines = makeMachines({
    issuer: issuerUrl,
    clientId,
    apiOrigin: `https://${apiHost}`,
    ciOrigin: `https://${host}:${ci.port}`,
    users: USERS,
    accessTokenLife: () => lives.access,
    now: () => Date.now() / 1000 + (board.faults.clockOffset ?? 0),
    sign: (claims) => issuer.sign(claims),
    secrets,
    dialect,
  });
  const issuer = await makeIssuer({
    url: issuerUrl,
    clientId,
    redirectUris: [...LOOPBACK_URIS, ...options.redirectUris ?? []],
    faults: board,
    counts,
    secrets,
    closing: closing.signal,
    accessTokenLife: () => lives.access,
    idTokenLife: () => lives.id,
    offlineAccess: options.offlineAccess ?? "asked",
    rotation: options.rotation ?? true,
    deviceInterval: options.deviceInterval ?? 1,
    dialect,
    machineGrant: machines.grant,
    grantTypes: machines.grantTypes,
  });
  handler = issuer.handler;

  const controlPlanes = makeControlPlanes({
    switches: () => switches,
    closing: closing.signal,
    authenticate: async (token) => {
      const { acceptedTokens, workloadAudiences } = switches;
      if (workloadAudiences !== undefined) {
        const user = await machines.userOfCiToken(token, workloadAudiences);
        if (user !== undefined) return { user, tokenKind: "id" } satisfies Identity;
      }
      if (acceptedTokens !== "id") {
        const user = machines.mint.userOf(token) ?? await issuer.userOfAccessToken(token);
        if (user !== undefined) return { user, tokenKind: "access" } satisfies Identity;
      }
      if (acceptedTokens === "access") return undefined;
      const user = await issuer.userOfIdToken(token);
      return user === undefined ? undefined : { user, tokenKind: "id" } satisfies Identity;
    },
  });

  const userNamed = (email: string | undefined): User | undefined => {
    if (email === undefined) return undefined;
    const user = USERS.find((user) => user.email === email);
    if (user === undefined) throw new Error(`Nobody in this cloud is called ${email}.`);
    return user;
  };

  let closed: Promise<void> | undefined;
  const close = async () => {
    closing.abort();
    await Promise.all([auth.down(), api.down(), ci.down(), admin.down()]);
    await Deno.remove(folderOf(caFile), { recursive: true });
  };

  const cloud: Omit<Cloud, "admin"> = {
    ...machines.cloud,
    get machines() {
      return machines.cloud.machines;
    },
    issuer: issuerUrl,
    authHost,
    apiHost,
    clientId,
    caPem: certificates.caPem,
    caFile,
    certificates,
    users: USERS,
    get faults() {
      return board.faults;
    },
    get controlPlanes() {
      return switches;
    },
    setFaults: async (faults) => {
      board.set(faults);
      await (faults.down?.includes("issuer") ? auth.down() : auth.up());
      await (faults.down?.includes("api") ? api.down() : api.up());
      await (faults.down?.includes("ci") ? ci.down() : ci.up());
    },
    setControlPlanes: (changed) => {
      switches = { ...switches, ...changed };
    },
    setTokenLife: (seconds) => {
      lives.access = seconds;
      lives.id = seconds;
    },
    revokeAll: (email) => issuer.revoke("grants", userNamed(email)),
    revokeAccessTokens: (email) => {
      if (!machines.serviceAccounts.knows(email)) issuer.revoke("access-tokens", userNamed(email));
      machines.mint.revoke(email);
    },
    rotateKeys: () => issuer.rotateKeys(),
    counts: () => counts.read(),
    resetCounts: () => counts.reset(),
    secrets: () => secrets.read(),
    close: () => closed ??= close(),
    [Symbol.asyncDispose]: () => cloud.close(),
  };
  const admin = listenForAdmin(cloud);
  return Object.defineProperty(cloud, "admin", {
    value: `http://127.0.0.1:${admin.port}`,
    enumerable: true,
  }) as Cloud;
}

const LOOPBACK = "127.0.0.1";

/** Where `datumctl` and plain OpenID clients listen; the issuer takes any port. */
const LOOPBACK_URIS = ["127.0.0.1", "localhost", "[::1]"].flatMap((host) => [
  `http://${host}/datumctl/auth/callback`,
  `http://${host}/callback`,
]);

async function writeCertificate(pem: string): Promise<string> {
  const file = `${await Deno.makeTempDir({ prefix: "cloud-" })}/ca.pem`;
  await Deno.writeTextFile(file, pem);
  return file;
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

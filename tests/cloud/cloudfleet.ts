/** A Cloudfleet on this machine: its identity service, its API, and two clusters, over TLS. */

import { makeCertificates } from "./certificates.ts";
import type { Certificates } from "./certificates.ts";
import { makeApi } from "./cloudfleet-api.ts";
import type { ClusterInfo } from "./cloudfleet-api.ts";
import { startPeople } from "./cloudfleet-people.ts";
import { makeIdentityService } from "./cloudfleet-identity.ts";
import type { ClientAuthentication } from "./cloudfleet-identity.ts";
import { makeTokenStore, serviceAccountName } from "./cloudfleet-tokens.ts";
import type { NewToken, Role } from "./cloudfleet-tokens.ts";
import { makeCounts } from "./counts.ts";
import { makeFaultBoard, withFault } from "./faults.ts";
import type { Faults } from "./faults.ts";
import { CLUSTER_ROLES, groupBinding } from "./kube-authorization.ts";
import { makeCluster } from "./kube.ts";
import { listenWithDeno } from "./listener.ts";
import { makeSecretRecord } from "./secrets.ts";
import type { Secret } from "./secrets.ts";
import type { User } from "./users.ts";

export type { ClusterInfo } from "./cloudfleet-api.ts";
export type { ClientAuthentication } from "./cloudfleet-identity.ts";
export type { Role } from "./cloudfleet-tokens.ts";

/** How a Cloudfleet begins. */
export interface CloudfleetOptions {
  /** The organization, which is the realm's name too. */
  readonly organizationId?: string;
  /** Life of JWTs, in seconds; 300 unless given. */
  readonly tokenLife?: number;
  readonly clientAuthentication?: ClientAuthentication;
  /** The authority and the server certificate, when another cloud's are to be used. */
  readonly certificates?: Certificates;
}

/** A token as its maker was told of it. */
export type Credentials = Pick<NewToken, "id" | "secret">;

/** A running Cloudfleet. */
export interface Cloudfleet extends AsyncDisposable {
  /** `https://host:port/realms/` and the organization: where API tokens are clients. */
  readonly issuer: string;
  /** Where people sign in, with a browser or a device code: Ada is an administrator, Grace a user, Zoë nobody. */
  readonly userIssuer: string;
  readonly userClientId: string;
  /** `https://host:port/v1`. */
  readonly apiUrl: string;
  readonly organizationId: string;
  /** The authority that every host's certificate comes from, and the file that holds it until the close. */
  readonly caPem: string;
  readonly caFile: string;
  /** The token that is there from the start. */
  readonly administrator: Credentials;
  readonly clusters: readonly ClusterInfo[];
  /** The switches in force. */
  readonly faults: Faults;
  /** Makes a token; its id is drawn unless given. */
  addToken(fields: { readonly name: string; readonly role: Role; readonly id?: string }): Credentials;
  /** Gives a token a new secret, as somebody else's `regenerate` does. */
  regenerateToken(id: string): Credentials;
  /** Ends a token, as its deletion by somebody else does. */
  removeToken(id: string): void;
  /**
   * Replaces all faults; `{}` heals everything. `api` is the tokens and clusters API, not the clusters;
   * `clockOffset` moves the clock of all hosts, so that a client's own clock looks wrong.
   */
  setFaults(faults: Faults): Promise<void>;
  /** Life of JWTs and people's tokens issued from now on, in seconds. */
  setTokenLife(seconds: number): void;
  setClientAuthentication(accepted: ClientAuthentication): void;
  /** Requests per endpoint of the issuers and their `total`, JWTs `minted`, and requests of `api` and `clusters`. */
  counts(): Record<string, number>;
  resetCounts(): void;
  /** Every token secret, JWT, code and token of a person that was handed out or shown. */
  secrets(): readonly Secret[];
  /** Frees everything; a second call is the first one's. */
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";

/** What each role is in a cluster: a group, bound to a ClusterRole. */
const CLUSTER_ROLE: Readonly<Record<Role, string>> = { Administrator: "cluster-admin", User: "view" };
const GROUP: Readonly<Record<Role, string>> = {
  Administrator: "cloudfleet:administrators",
  User: "cloudfleet:users",
};

/** Starts a Cloudfleet. It holds no port, file or timer after its close. */
export async function startCloudfleet(options: CloudfleetOptions = {}): Promise<Cloudfleet> {
  const { organizationId = "0d6f3a52-1f0e-4b43-9c5e-6d1f5a8e7b21" } = options;
  let { tokenLife: life = 300, clientAuthentication = "both" } = options;
  const closing = new AbortController();
  const board = makeFaultBoard();
  const counts = makeCounts(["minted", "token:client_credentials", "clusters"]);
  const secrets = makeSecretRecord();
  const now = () => Date.now() + (board.faults.clockOffset ?? 0) * 1000;
  const tokens = makeTokenStore(now, secrets);
  const certificates = options.certificates ?? await makeCertificates(new Date());
  const folder = await Deno.makeTempDir({ prefix: "cloudfleet-" });
  await Deno.writeTextFile(`${folder}/ca.pem`, certificates.caPem);

  /** A host's addresses hold its port, so the port comes first and what answers there after it. */
  const listen = () => {
    let answer = (_request: Request) => Promise.resolve(new Response(null, { status: 503 }));
    const listener = listenWithDeno(certificates, LOOPBACK, 0, async (request) => {
      const response = await answer(request);
      if (board.faults.clockOffset !== undefined) {
        response.headers.set("date", new Date(now()).toUTCString());
      }
      return response;
    });
    return {
      listener,
      url: `https://${LOOPBACK}:${listener.port}`,
      serve: (handler: typeof answer) => {
        answer = handler;
      },
    };
  };

  const auth = listen();
  const issuer = `${auth.url}/realms/${organizationId}`;
  const identity = await makeIdentityService({
    issuer,
    tokens,
    faults: board,
    counts,
    secrets,
    closing: closing.signal,
    now,
    life: () => life,
    clientAuthentication: () => clientAuthentication,
  });
  auth.serve(identity.answer);
  const people = await startPeople({
    faults: board,
    counts,
    secrets,
    closing: closing.signal,
    accessTokenLife: () => life,
    idTokenLife: () => life,
  }, certificates);

  /** Whoever sends a bearer token that is good now. */
  const callerOf = async (bearer: string): Promise<{ user: User; role: Role } | undefined> => {
    const token = await identity.tokenOf(bearer);
    if (token === undefined) return await people.memberOf(bearer);
    const { id, name, role, sub } = token;
    tokens.touch(id);
    return { user: { email: serviceAccountName(id), name, sub, verbs: [] }, role };
  };

  const hosts = CLUSTERS.map((about) => {
    const host = listen();
    const answer = makeCluster({
      closing: closing.signal,
      objects: [
        ...CLUSTER_ROLES,
        ...(["Administrator", "User"] as const).map((role) => groupBinding(GROUP[role], CLUSTER_ROLE[role])),
      ],
      authenticate: async (bearer) => {
        const caller = await callerOf(bearer);
        return caller && { user: caller.user, tokenKind: "access", groups: [GROUP[caller.role]] };
      },
    });
    host.serve((request) => {
      counts.add("clusters");
      return answer(request);
    });
    return { ...host, info: { ...about, endpoint: host.url } };
  });
  const clusters = hosts.map(({ info }) => info);

  const api = listen();
  const answerApi = makeApi({
    tokens,
    clusters,
    roleOf: async (bearer) => (await callerOf(bearer))?.role,
  });
  api.serve((request) => {
    counts.add("api");
    return withFault(board.take("api"), request, closing.signal, () => answerApi(request));
  });

  const credentials = (token: NewToken | undefined): Credentials => {
    if (token === undefined) throw new Error("There is no such token.");
    return { id: token.id, secret: token.secret };
  };

  let closed: Promise<void> | undefined;
  const close = async () => {
    closing.abort();
    await Promise.all([auth, people, api, ...hosts].map(({ listener }) => listener.down()));
    await Deno.remove(folder, { recursive: true });
  };

  const cloudfleet: Cloudfleet = {
    issuer,
    userIssuer: people.issuer,
    userClientId: people.clientId,
    apiUrl: `${api.url}/v1`,
    organizationId,
    caPem: certificates.caPem,
    caFile: `${folder}/ca.pem`,
    administrator: credentials(tokens.add({ name: "administrator", role: "Administrator" })),
    clusters,
    get faults() {
      return board.faults;
    },
    addToken: (fields) => credentials(tokens.add(fields)),
    regenerateToken: (id) => credentials(tokens.regenerate(id)),
    removeToken: (id) => void tokens.remove(id),
    setFaults: async (faults) => {
      board.set(faults);
      for (const [name, { listener }] of [["issuer", auth], ["issuer", people], ["api", api]] as const) {
        await (faults.down?.includes(name) ? listener.down() : listener.up());
      }
    },
    setTokenLife: (seconds) => {
      life = seconds;
    },
    setClientAuthentication: (accepted) => {
      clientAuthentication = accepted;
    },
    counts: () => counts.read(),
    resetCounts: () => counts.reset(),
    secrets: () => secrets.read(),
    close: () => closed ??= close(),
    [Symbol.asyncDispose]: () => cloudfleet.close(),
  };
  return cloudfleet;
}

const CLUSTERS = [
  {
    id: "3f1c2a9e-5d14-4c0b-8f63-2b7d90c1e4a5",
    name: "production",
    region: "europe-central-1a",
    status: "active",
  },
  { id: "b84e07d2-9a36-4e1f-a5c8-6f02d7193c4b", name: "staging", region: "us-east-1a", status: "active" },
] as const;

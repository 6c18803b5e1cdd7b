/** The control of a cloud from another process: plain http on the loopback address, JSON. */

import type { CiIssuers, CiTokenOptions } from "./ci-issuers.ts";
import type { Cloud } from "./cloud.ts";
import type { Faults } from "./faults.ts";
import type { ControlPlaneSwitches } from "./kube-request.ts";
import { listenWithDeno } from "./listener.ts";
import type { Listener } from "./listener.ts";
import type { MachineCloud, MachineSwitches } from "./machines.ts";
import type { ServiceAccountKeyFile } from "./service-accounts.ts";

/** What a cloud tells of itself. */
export type CloudInfo = Pick<
  Cloud,
  | "issuer"
  | "authHost"
  | "apiHost"
  | "clientId"
  | "caPem"
  | "caFile"
  | "users"
  | "audienceScope"
  | "ciIssuers"
  | "workloadClient"
>;

/** A cloud that another process runs. */
export interface RemoteCloud extends CloudInfo {
  counts(): Promise<Record<string, number>>;
  resetCounts(): Promise<void>;
  setTokenLife(seconds: number): Promise<void>;
  setFaults(faults: Faults): Promise<void>;
  setControlPlanes(switches: Partial<ControlPlaneSwitches>): Promise<void>;
  revokeAll(email?: string): Promise<void>;
  revokeAccessTokens(email?: string): Promise<void>;
  rotateKeys(): Promise<void>;
  addPersonalAccessToken(...options: Parameters<MachineCloud["addPersonalAccessToken"]>): Promise<string>;
  revokePersonalAccessToken(token: string): Promise<void>;
  addServiceAccount: MachineCloud["addServiceAccount"];
  revokeServiceAccount(clientId: string): Promise<void>;
  removeServiceAccountKey(clientId: string): Promise<void>;
  setMachines(switches: Partial<MachineSwitches>): Promise<void>;
}

type Controlled = Omit<Cloud, "admin">;

/** Every order that can be given, by its path; a body is the order's one argument. */
const ORDERS: Readonly<Record<string, (cloud: Controlled, argument: never) => unknown>> = {
  "GET /info": (cloud) => {
    const { issuer, authHost, apiHost, clientId, caPem, caFile, users } = cloud;
    const { audienceScope, ciIssuers, workloadClient } = cloud;
    return {
      ...{ issuer, authHost, apiHost, clientId, caPem, caFile, users },
      ...{ audienceScope, ciIssuers, workloadClient },
    };
  },
  "GET /counts": (cloud) => cloud.counts(),
  "POST /reset-counts": (cloud) => cloud.resetCounts(),
  "POST /token-life": (cloud, { seconds }: { seconds: number }) => cloud.setTokenLife(seconds),
  "POST /faults": (cloud, faults: Faults) => cloud.setFaults(faults),
  "POST /control-planes": (cloud, switches: Partial<ControlPlaneSwitches>) =>
    cloud.setControlPlanes(switches),
  "POST /revoke": (cloud, { email }: { email?: string }) => cloud.revokeAll(email),
  "POST /revoke-access-tokens": (cloud, { email }: { email?: string }) => cloud.revokeAccessTokens(email),
  "POST /rotate-keys": (cloud) => cloud.rotateKeys(),
  "POST /add-personal-access-token": (
    cloud,
    options: Parameters<MachineCloud["addPersonalAccessToken"]>[0],
  ) => cloud.addPersonalAccessToken(options),
  "POST /revoke-personal-access-token": (cloud, { token }: { token: string }) =>
    cloud.revokePersonalAccessToken(token),
  "POST /add-service-account": (cloud, options: Parameters<MachineCloud["addServiceAccount"]>[0]) =>
    cloud.addServiceAccount(options),
  "POST /revoke-service-account": (cloud, { clientId }: { clientId: string }) =>
    cloud.revokeServiceAccount(clientId),
  "POST /remove-service-account-key": (cloud, { clientId }: { clientId: string }) =>
    cloud.removeServiceAccountKey(clientId),
  "POST /gitlab-id-token": (cloud, { audience, options }: GitlabOrder) =>
    cloud.ciIssuers.gitlab.idToken(audience, options),
  "POST /machines": (cloud, switches: Partial<MachineSwitches>) => cloud.setMachines(switches),
};

interface GitlabOrder {
  readonly audience: string;
  readonly options?: CiTokenOptions;
}

/** Listens for orders on a free port. */
export function listenForAdmin(cloud: Controlled): Listener {
  return listenWithDeno(undefined, "127.0.0.1", 0, async (request) => {
    const order = ORDERS[`${request.method} ${new URL(request.url).pathname}`];
    if (order === undefined) return Response.json({ error: "no such order" }, { status: 404 });
    try {
      const body = await request.text();
      return Response.json(await order(cloud, JSON.parse(body === "" ? "{}" : body) as never) ?? {});
    } catch (error) {
      return Response.json({ error: String(error) }, { status: 400 });
    }
  });
}

/** Connects to a cloud by its `admin` address. */
export async function connectCloud(admin: string): Promise<RemoteCloud> {
  const ask = async (path: string): Promise<unknown> => read(await fetch(`${admin}${path}`));
  const order = async (path: string, argument: unknown = {}): Promise<unknown> =>
    await read(await fetch(`${admin}${path}`, { method: "POST", body: JSON.stringify(argument) }));
  const tell = async (path: string, argument?: unknown): Promise<void> => void await order(path, argument);
  const info = await ask("/info") as CloudInfo;
  return {
    ...info,
    ciIssuers: {
      github: info.ciIssuers.github,
      gitlab: {
        issuer: info.ciIssuers.gitlab.issuer,
        idToken: async (audience, options = {}) =>
          await order("/gitlab-id-token", { audience, options }) as string,
      },
    } satisfies CiIssuers,
    counts: async () => await ask("/counts") as Record<string, number>,
    resetCounts: () => tell("/reset-counts"),
    setTokenLife: (seconds) => tell("/token-life", { seconds }),
    setFaults: (faults) => tell("/faults", faults),
    setControlPlanes: (switches) => tell("/control-planes", switches),
    revokeAll: (email) => tell("/revoke", { email }),
    revokeAccessTokens: (email) => tell("/revoke-access-tokens", { email }),
    rotateKeys: () => tell("/rotate-keys"),
    addPersonalAccessToken: async (options) => await order("/add-personal-access-token", options) as string,
    revokePersonalAccessToken: (token) => tell("/revoke-personal-access-token", { token }),
    addServiceAccount: async (options) =>
      await order("/add-service-account", options) as ServiceAccountKeyFile,
    revokeServiceAccount: (clientId) => tell("/revoke-service-account", { clientId }),
    removeServiceAccountKey: (clientId) => tell("/remove-service-account-key", { clientId }),
    setMachines: (switches) => tell("/machines", switches),
  };
}

async function read(response: Response): Promise<unknown> {
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`The cloud refused an order: ${JSON.stringify(answer)}`);
  return answer;
}

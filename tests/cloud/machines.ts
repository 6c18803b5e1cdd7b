/** How machines sign in to a cloud: personal access tokens, service accounts and CI jobs, put together. */

import type { JWTPayload } from "jose";

import { makeCiServices } from "./ci-issuers.ts";
import type { CiIssuers, CiServices } from "./ci-issuers.ts";
import { makeMint, randomText } from "./minted-tokens.ts";
import type { Mint } from "./minted-tokens.ts";
import { makePersonalAccessTokens } from "./personal-access-tokens.ts";
import type { PersonalAccessTokenKind, PersonalAccessTokens } from "./personal-access-tokens.ts";
import type { SecretRecord } from "./secrets.ts";
import { makeServiceAccounts } from "./service-accounts.ts";
import type { ServiceAccountKeyFile, ServiceAccountOptions, ServiceAccounts } from "./service-accounts.ts";
import { type GrantAnswer, JWT_BEARER, refused, TOKEN_EXCHANGE } from "./token-grants.ts";
import type { User } from "./users.ts";
import type { Dialect } from "./zitadel-words.ts";
import { makeWorkloadGrants } from "./workload-grants.ts";

/** How machines are served; all can be changed while the cloud runs. */
export interface MachineSwitches {
  /** What the short-lived access tokens of machines look like; `jwt` unless changed. */
  readonly accessTokens: "jwt" | "opaque";
  /**
   * Which grants the issuer offers CI jobs and lists in its metadata; both unless changed. Service accounts are
   * served whatever this says.
   */
  readonly workloadGrants: readonly WorkloadGrant[];
  /** Seconds that a CI system's own tokens live; 300 unless changed. */
  readonly ciTokenLife: number;
}

/** `token-exchange` is RFC 8693, `jwt-bearer` RFC 7523 with the CI job's JWT as the assertion. */
export type WorkloadGrant = "token-exchange" | "jwt-bearer";

/** What a cloud has for machines. */
export interface MachineCloud {
  /** A new personal access token of the user, Ada unless named. */
  addPersonalAccessToken(
    options?: { readonly kind?: PersonalAccessTokenKind; readonly email?: string },
  ): string;
  /** Refuses its exchange from now on; what it was exchanged for lives on until it ends. */
  revokePersonalAccessToken(token: string): void;
  /** A new service account and the content of its key file; it is in both organizations. */
  addServiceAccount(options?: ServiceAccountOptions): Promise<ServiceAccountKeyFile>;
  /** The account is gone, and its tokens with it. */
  revokeServiceAccount(clientId: string): void;
  /** Its key is not known any more; its tokens live on until they end. */
  removeServiceAccountKey(clientId: string): void;
  /** The scope without which a service account's token is refused by the API. */
  readonly audienceScope: string;
  readonly ciIssuers: CiIssuers;
  /** A confidential client that may exchange CI jobs' tokens, beside the cloud's public one. */
  readonly workloadClient: { readonly clientId: string; readonly clientSecret: string };
  /** The switches in force. */
  readonly machines: MachineSwitches;
  /** Changes how machines are served; members that are absent stay. */
  setMachines(switches: Partial<MachineSwitches>): void;
}

/** What machines need. */
export interface MachinesOptions {
  /** The issuer identifier, and the public client's id. */
  readonly issuer: string;
  readonly clientId: string;
  /** `https://`, host and port of the API and of the CI systems. */
  readonly apiOrigin: string;
  readonly ciOrigin: string;
  readonly users: readonly User[];
  /** Seconds that access tokens live. */
  readonly accessTokenLife: () => number;
  /** The issuer's clock, in seconds since the epoch. */
  readonly now: () => number;
  /** Signs with the issuer's key of the moment. */
  readonly sign: (claims: JWTPayload) => Promise<string>;
  readonly secrets: SecretRecord;
  /** How refusals of service accounts are worded. */
  readonly dialect: Dialect;
}

/** The machines of one cloud. */
export interface Machines {
  readonly cloud: MachineCloud;
  readonly mint: Mint;
  readonly personalAccessTokens: PersonalAccessTokens;
  readonly serviceAccounts: ServiceAccounts;
  readonly ci: CiServices;
  /** Answers the grants of machines at the token endpoint; nothing for the grants of people. */
  grant(form: URLSearchParams, authorization: string): Promise<GrantAnswer | undefined>;
  /** The grant types of the issuer's metadata with those that are on for machines. */
  grantTypes(others: readonly string[]): string[];
  /** The CI job behind a JWT of its own, when it is meant for one of these audiences. */
  userOfCiToken(token: string, audiences: readonly string[]): Promise<User | undefined>;
}

const PROJECT = "325848904128000001";

/** No machines yet. */
export function makeMachines(options: MachinesOptions): Machines {
  const { issuer, secrets } = options;
  let switches: MachineSwitches = {
    accessTokens: "jwt",
    workloadGrants: ["token-exchange", "jwt-bearer"],
    ciTokenLife: 300,
  };
  const audienceScope = `urn:zitadel:iam:org:project:id:${PROJECT}:aud`;
  const workloadClient = { clientId: "ci-exchange", clientSecret: randomText(24) };
  secrets.keep("client_secret", workloadClient.clientSecret);

  const mint = makeMint({
    issuer,
    audience: PROJECT,
    form: () => switches.accessTokens,
    life: options.accessTokenLife,
    now: options.now,
    sign: options.sign,
    secrets,
  });
  const personalAccessTokens = makePersonalAccessTokens({ mint, secrets, now: options.now });
  const { now, dialect } = options;
  const serviceAccounts = makeServiceAccounts({ issuer, audienceScope, now, mint, secrets, dialect });
  const ci = makeCiServices({ origin: options.ciOrigin, life: () => switches.ciTokenLife, secrets });
  const workloads = makeWorkloadGrants({
    ci,
    mint,
    clients: new Map([[options.clientId, null], [workloadClient.clientId, workloadClient.clientSecret]]),
    subjectAudiences: [issuer, options.clientId, workloadClient.clientId],
    targets: [issuer, options.clientId, options.apiOrigin, PROJECT],
    now: options.now,
  });
  const isOn = (grant: WorkloadGrant) => switches.workloadGrants.includes(grant);

  const cloud: MachineCloud = {
    addPersonalAccessToken: ({ kind = "personal", email = "ada@example.com" } = {}) => {
      const user = options.users.find((user) => user.email === email);
      if (user === undefined) throw new Error(`Nobody in this cloud is called ${email}.`);
      return personalAccessTokens.add(kind, user);
    },
    revokePersonalAccessToken: (token) => personalAccessTokens.revoke(token),
    addServiceAccount: (account = {}) => serviceAccounts.add(account),
    revokeServiceAccount: (clientId) => serviceAccounts.revoke(clientId),
    removeServiceAccountKey: (clientId) => serviceAccounts.removeKey(clientId),
    audienceScope,
    ciIssuers: ci.issuers,
    workloadClient,
    get machines() {
      return switches;
    },
    setMachines: (changed) => {
      switches = { ...switches, ...changed };
    },
  };

  return {
    cloud,
    mint,
    personalAccessTokens,
    serviceAccounts,
    ci,
    grant: async (form, authorization) => {
      switch (form.get("grant_type")) {
        case TOKEN_EXCHANGE:
          return isOn("token-exchange") ? await workloads.tokenExchange(form, authorization) : NOT_OFFERED;
        case JWT_BEARER: {
          const assertion = form.get("assertion") ?? "";
          if (assertion === "") return refused("invalid_request", "assertion missing");
          if (!ci.isFrom(assertion)) return await serviceAccounts.grant(assertion, form.get("scope") ?? "");
          return isOn("jwt-bearer") ? await workloads.jwtBearer(form, authorization) : NOT_OFFERED;
        }
        default:
          return undefined;
      }
    },
    grantTypes: (others) => [
      ...others,
      ...(isOn("token-exchange") ? [TOKEN_EXCHANGE] : []),
      ...(isOn("jwt-bearer") ? [JWT_BEARER] : []),
    ],
    userOfCiToken: async (token, audiences) => {
      try {
        return await ci.userOf(token, audiences, Date.now() / 1000);
      } catch {
        return undefined;
      }
    },
  };
}

const NOT_OFFERED = refused("unsupported_grant_type", "this grant is not offered");

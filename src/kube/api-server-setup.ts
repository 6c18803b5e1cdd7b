/** How a Kubernetes API server is told to believe an issuer, and what the people of it may do there. */

/** Whom an API server believes, and how it calls them. */
export interface TrustedIssuer {
  readonly issuer: string;
  /** The client, whose ID tokens are meant for the server. */
  readonly clientId: string;
  /** PEM; the server's system knows the issuer's authority otherwise. */
  readonly certificateAuthority?: string | undefined;
  readonly usernameClaim: string;
  /** Undefined: nobody is in a group. */
  readonly groupsClaim: string | undefined;
  /** Stands before every name and group. */
  readonly prefix: string;
  /** The algorithms of the issuer's ID tokens, where they are known. */
  readonly algorithms?: readonly string[] | undefined;
}

/** The minor version of a Kubernetes 1. */
export type MinorVersion = number;

/** The first version that reads `AuthenticationConfiguration` unless it is told not to. */
export const FIRST_STRUCTURED: MinorVersion = 30;
const FIRST_STABLE: MinorVersion = 34;

/**
 * The AuthenticationConfiguration for a version that reads one. Names that begin with `system:` are Kubernetes' own: no
 * issuer may give them.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
 */
export function authenticationConfiguration(trusted: TrustedIssuer, version: MinorVersion): object {
  const { issuer, clientId, certificateAuthority, usernameClaim, groupsClaim, prefix } = trusted;
  return {
    apiVersion: `apiserver.config.k8s.io/${version < FIRST_STABLE ? "v1beta1" : "v1"}`,
    kind: "AuthenticationConfiguration",
    jwt: [{
      issuer: { url: issuer, audiences: [clientId], ...defined({ certificateAuthority }) },
      claimMappings: {
        username: { claim: usernameClaim, prefix },
        ...defined({ groups: groupsClaim === undefined ? undefined : { claim: groupsClaim, prefix } }),
      },
      userValidationRules: [
        {
          expression: "!user.username.startsWith('system:')",
          message: "names that begin with system: are Kubernetes' own",
        },
        {
          expression: "user.groups.all(group, !group.startsWith('system:'))",
          message: "groups that begin with system: are Kubernetes' own",
        },
      ],
    }],
  };
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The flags of a version that reads no such configuration. `authorityFile` is where the authority will be. */
export function oidcFlags(trusted: TrustedIssuer, authorityFile: string): string[] {
  const { issuer, clientId, certificateAuthority, usernameClaim, groupsClaim, prefix, algorithms } = trusted;
  // A version without the flag takes RS256 alone.
  const others = algorithms === undefined || algorithms.includes("RS256") ? undefined : algorithms.join(",");
  const flags: readonly (readonly [string, string | undefined])[] = [
    ["issuer-url", issuer],
    ["client-id", clientId],
    ["ca-file", certificateAuthority === undefined ? undefined : authorityFile],
    ["username-claim", usernameClaim],
    ["username-prefix", prefix === "" ? "-" : prefix],
    ["groups-claim", groupsClaim],
    ["groups-prefix", groupsClaim === undefined || prefix === "" ? undefined : prefix],
    ["signing-algs", others],
  ];
  return flags.flatMap(([name, value]) => value === undefined ? [] : [`--oidc-${name}=${value}`]);
}

/** Who may do what. */
export interface Grant {
  /** As the issuer calls them. */
  readonly users: readonly string[];
  readonly groups: readonly string[];
  /** A ClusterRole. */
  readonly role: string;
  /** Undefined: everywhere. */
  readonly namespace: string | undefined;
}

/** The binding of a role to people and groups of the issuer. */
export function roleBinding({ users, groups, role, namespace }: Grant, prefix: string): object {
  const apiGroup = "rbac.authorization.k8s.io";
  const subjects = [
    ...users.map((name) => ({ kind: "User", name: prefix + name, apiGroup })),
    ...groups.map((name) => ({ kind: "Group", name: prefix + name, apiGroup })),
  ];
  const name = [role, ...users, ...groups].join("-").toLowerCase().replace(/[^a-z0-9]+/g, "-")
    .slice(0, 100).replace(/^-+|-+$/g, "");
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
    metadata: namespace === undefined ? { name } : { name, namespace },
    roleRef: { apiGroup, kind: "ClusterRole", name: role },
    subjects,
  };
}

/** How a server calls the person of an ID token; undefined where the token lacks the claim. */
export interface SeenAs {
  readonly username: string | undefined;
  readonly groups: readonly string[];
  /** The server refuses an address that nobody verified. */
  readonly unverified: boolean;
}

/** How the server will call the person of these claims. */
export function seenAs(
  claims: Readonly<Record<string, unknown>>,
  { usernameClaim, groupsClaim, prefix }: Pick<TrustedIssuer, "usernameClaim" | "groupsClaim" | "prefix">,
): SeenAs {
  const name = claims[usernameClaim];
  const listed = groupsClaim === undefined ? undefined : claims[groupsClaim];
  const groups: readonly unknown[] = Array.isArray(listed) ? listed : [listed];
  return {
    username: typeof name === "string" && name !== "" ? prefix + name : undefined,
    groups: groups.filter((group): group is string => typeof group === "string").map((group) =>
      prefix + group
    ),
    unverified: usernameClaim === "email" && claims["email_verified"] === false,
  };
}

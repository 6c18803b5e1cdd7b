/** Whom the real API server believes: the structured configuration of its JWT authenticators, and access tokens. */

import { listenWithDeno } from "../cloud/listener.ts";

/**
 * Where a name or the groups come from: a claim, before which stands a prefix, or an expression of CEL over `claims`.
 * The members are those of Kubernetes' own configuration.
 */
export type ClaimMapping =
  | { readonly claim: string; readonly prefix: string }
  | { readonly expression: string };

/** An issuer whose ID tokens are taken. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly caPem: string;
  /** The clients whose tokens are meant for the server: one of them must be in `aud`. */
  readonly audiences: readonly string[];
  /** The claim `email`, without a prefix, unless given. */
  readonly username?: ClaimMapping;
  /** The claim `groups`, without a prefix, unless given. */
  readonly groups?: ClaimMapping;
  /** Users that are refused, with 401, by the names that the mapping gives them. */
  readonly refused?: readonly string[];
}

/**
 * An AuthenticationConfiguration, as `--authentication-config` takes it:
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
 */
export function authenticationConfiguration(trusted: readonly TrustedIssuer[]): string {
  return JSON.stringify({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    jwt: trusted.map(({ issuer, caPem, audiences, refused = [], ...mapped }) => ({
      issuer: {
        url: issuer,
        audiences,
        certificateAuthority: caPem,
        audienceMatchPolicy: audiences.length > 1 ? "MatchAny" : undefined,
      },
      claimMappings: {
        username: mapped.username ?? { claim: "email", prefix: "" },
        groups: mapped.groups ?? { claim: "groups", prefix: "" },
      },
      userValidationRules: refused.map((name) => ({
        expression: `user.username != ${JSON.stringify(name)}`,
        message: `${name} is refused`,
      })),
    })),
  });
}

/** Whom an access token belongs to, as a server's TokenReview names it. */
export interface TokenUser {
  readonly username: string;
  readonly uid: string;
  readonly groups?: readonly string[];
}

/** Says whom an access token belongs to; undefined for one that is nobody's. */
export type Introspection = (accessToken: string) => Promise<TokenUser | undefined>;

/** Asks the issuer's userinfo endpoint, as Datum's own API introspects: the name is the e-mail address. */
export function byUserinfo({ issuer, caPem }: Pick<TrustedIssuer, "issuer" | "caPem">): Introspection {
  return async (accessToken) => {
    using client = Deno.createHttpClient({ caCerts: [caPem] });
    const json = async (url: string, headers: HeadersInit = {}) => {
      const answer = await fetch(url, { client, headers });
      return answer.ok ? await answer.json() : void await answer.body?.cancel();
    };
    const { userinfo_endpoint } = await json(`${issuer}/.well-known/openid-configuration`);
    const claims = await json(userinfo_endpoint, { authorization: `Bearer ${accessToken}` });
    return claims === undefined ? undefined : { username: claims.email, uid: claims.sub };
  };
}

/** A webhook that an API server asks about tokens; close it. */
export interface TokenReviewWebhook {
  /** A kubeconfig, as `--authentication-token-webhook-config-file` takes it. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** Listens on loopback for TokenReviews. */
export function listenForTokenReviews(introspect: Introspection): TokenReviewWebhook {
  const listener = listenWithDeno(undefined, "127.0.0.1", 0, async (request) => {
    const { apiVersion, kind, spec } = await request.json();
    const user = await introspect(spec.token);
    return Response.json({ apiVersion, kind, status: { authenticated: user !== undefined, user } });
  });
  return {
    kubeconfig: kubeconfig("introspection", { server: `http://127.0.0.1:${listener.port}` }, {}),
    close: () => listener.down(),
  };
}

/** A kubeconfig of one cluster and one user, in use; JSON is YAML. */
export function kubeconfig(name: string, cluster: unknown, user: unknown): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}

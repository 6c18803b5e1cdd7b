/** Two CI systems that vouch for their jobs: a GitHub-like token service and a GitLab-like one. */

import { decodeJwt, jwtVerify, SignJWT } from "jose";
import type { JWTPayload } from "jose";

import { randomText } from "./minted-tokens.ts";
import type { SecretRecord } from "./secrets.ts";
import { signingKey } from "./signing-keys.ts";
import type { User } from "./users.ts";

/** How a token of a CI job differs from the usual one. */
export interface CiTokenOptions {
  /** Seconds; the switch `ciTokenLife` unless given; below zero it has expired already. */
  readonly life?: number;
  /** Claims laid over the honest ones. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** The CI systems, as a job of each sees its own. */
export interface CiIssuers {
  readonly github: {
    /** `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`; the URL has a query already. */
    readonly requestUrl: string;
    readonly requestToken: string;
    readonly issuer: string;
  };
  readonly gitlab: {
    readonly issuer: string;
    /** The value of an `id_tokens` variable for this audience. */
    idToken(audience: string, options?: CiTokenOptions): Promise<string>;
  };
}

/** The CI systems with what the cloud itself needs of them. */
export interface CiServices {
  readonly issuers: CiIssuers;
  /** Answers every request to the CI systems' host: discovery, keys, GitHub's token requests. */
  answer(request: Request): Promise<Response>;
  /** True when the JWT says that it is from one of them; nothing is checked. */
  isFrom(token: string): boolean;
  /** The job behind a token that one of them signed for one of these audiences; throws what is wrong with it. */
  userOf(token: string, audiences: readonly string[], now: number): Promise<User>;
}

/** What the CI systems need. */
export interface CiOptions {
  /** `https://`, host and port. */
  readonly origin: string;
  /** Seconds that new tokens live. */
  readonly life: () => number;
  readonly secrets: SecretRecord;
}

/** True for the path of GitHub's token requests. */
export function isTokenRequest(path: string): boolean {
  return path === REQUEST_PATH;
}

const REQUEST_PATH =
  "/actions/00000000-0000-0000-0000-000000000000/_apis/distributedtask/hubs/Actions/plans/1/jobs/2/idtoken";

/** Both CI systems. */
export function makeCiServices({ origin, life, secrets }: CiOptions): CiServices {
  const systems = { github: `${origin}/github`, gitlab: `${origin}/gitlab` };
  type System = keyof typeof systems;
  const systemOf = (test: (issuer: string) => boolean): System | undefined =>
    (["github", "gitlab"] as const).find((name) => test(systems[name]));
  const named = (token: string): System | undefined => {
    try {
      const { iss } = decodeJwt(token);
      return systemOf((issuer) => issuer === iss);
    } catch {
      return undefined;
    }
  };
  const requestToken = randomText(48);
  secrets.keep("request_token", requestToken);

  const sign = async (system: System, claims: JWTPayload): Promise<string> => {
    const key = await signingKey(`CI system ${system}`);
    const token = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", typ: "JWT", kid: key.kid })
      .sign(key.privateKey);
    secrets.note({ subject_token: token });
    return token;
  };

  const github = (audience: string): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    return sign("github", {
      ...GITHUB_CLAIMS,
      iss: systems.github,
      aud: audience,
      jti: crypto.randomUUID(),
      nbf: now - 600,
      iat: now,
      exp: now + life(),
    });
  };

  return {
    issuers: {
      github: {
        requestUrl: `${origin}${REQUEST_PATH}?api-version=2.0`,
        requestToken,
        issuer: systems.github,
      },
      gitlab: {
        issuer: systems.gitlab,
        idToken: (audience, options = {}) => {
          const now = Math.floor(Date.now() / 1000);
          return sign("gitlab", {
            ...GITLAB_CLAIMS,
            iss: systems.gitlab,
            aud: audience,
            jti: crypto.randomUUID(),
            nbf: now - 5,
            iat: now,
            exp: now + (options.life ?? life()),
            ...options.claims,
          });
        },
      },
    },
    answer: async (request) => {
      const url = new URL(request.url);
      if (isTokenRequest(url.pathname)) {
        if (request.method !== "GET") return refusal(405, "Method not allowed.");
        if (request.headers.get("authorization") !== `Bearer ${requestToken}`) {
          return refusal(401, "Not authorized.");
        }
        if (url.searchParams.get("api-version") !== "2.0") return refusal(400, "The API version is missing.");
        const audience = url.searchParams.get("audience") ?? "";
        if (audience === "") return refusal(400, "The audience is missing.");
        const value = await github(audience);
        return Response.json({ count: value.length, value });
      }
      const place = `${origin}${url.pathname}`;
      const described = systemOf((issuer) => place === `${issuer}/.well-known/openid-configuration`);
      if (described !== undefined) {
        const issuer = systems[described];
        return Response.json({
          issuer,
          jwks_uri: `${issuer}/.well-known/jwks`,
          response_types_supported: ["id_token"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"],
        });
      }
      const keys = systemOf((issuer) => place === `${issuer}/.well-known/jwks`);
      if (keys !== undefined) return Response.json((await signingKey(`CI system ${keys}`)).set);
      return refusal(404, "Not found.");
    },
    isFrom: (token) => named(token) !== undefined,
    userOf: async (token, audiences, now) => {
      const system = named(token);
      if (system === undefined) throw new Error("the issuer is not trusted");
      const { payload: { sub = "" } } = await jwtVerify(
        token,
        (await signingKey(`CI system ${system}`)).publicKey,
        {
          algorithms: ["RS256"],
          audience: [...audiences],
          requiredClaims: ["sub", "exp"],
          currentDate: new Date(now * 1000),
        },
      );
      // The user name that an API server makes of an issuer and a subject unless it is told otherwise.
      const name = `${systems[system]}#${sub}`;
      return { email: name, name: sub, sub: name, verbs: ["*"], organizations: ["acme", "initech"] };
    },
  };
}

function refusal(status: number, message: string): Response {
  return Response.json({ message }, { status });
}

/** A push to the main branch, with the claims that GitHub documents. */
const GITHUB_CLAIMS = {
  sub: "repo:acme/shop:ref:refs/heads/main",
  ref: "refs/heads/main",
  sha: "9d5ed678fe57bcca610140957afab571a0c1a2b3",
  repository: "acme/shop",
  repository_owner: "acme",
  repository_owner_id: "65",
  repository_id: "74",
  repository_visibility: "private",
  run_id: "30433642",
  run_number: "10",
  run_attempt: "2",
  runner_environment: "github-hosted",
  actor: "ada",
  actor_id: "12",
  workflow: "deploy",
  head_ref: "",
  base_ref: "",
  event_name: "push",
  ref_protected: "true",
  ref_type: "branch",
  workflow_ref: "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
  job_workflow_ref: "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
};

/** The same at GitLab. */
const GITLAB_CLAIMS = {
  sub: "project_path:acme/shop:ref_type:branch:ref:main",
  namespace_id: "72",
  namespace_path: "acme",
  project_id: "20",
  project_path: "acme/shop",
  user_id: "1",
  user_login: "ada",
  user_email: "ada@example.com",
  pipeline_id: "574",
  pipeline_source: "push",
  job_id: "302",
  ref: "main",
  ref_type: "branch",
  ref_path: "refs/heads/main",
  ref_protected: "true",
  runner_id: 1,
  runner_environment: "gitlab-hosted",
  sha: "714a629c0b401fdce83e847fc9589983fc6f46bc",
};

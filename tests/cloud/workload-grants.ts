/** The two grants that give a CI job an access token of the issuer: RFC 8693, and RFC 7523 with its JWT. */

import type { CiServices } from "./ci-issuers.ts";
import type { Mint } from "./minted-tokens.ts";
import { problem } from "./service-accounts.ts";
import { type GrantAnswer, refused } from "./token-grants.ts";
import type { User } from "./users.ts";

/** What the grants need. */
export interface WorkloadGrantsOptions {
  readonly ci: CiServices;
  readonly mint: Mint;
  /** Client ids by their secrets; null: a public client. */
  readonly clients: ReadonlyMap<string, string | null>;
  /** What a CI job's JWT may be meant for. */
  readonly subjectAudiences: readonly string[];
  /** What an exchange may ask an access token for. */
  readonly targets: readonly string[];
  /** The issuer's clock, in seconds since the epoch. */
  readonly now: () => number;
}

/** Answers both grants. */
export interface WorkloadGrants {
  tokenExchange(form: URLSearchParams, authorization: string): Promise<GrantAnswer>;
  jwtBearer(form: URLSearchParams, authorization: string): Promise<GrantAnswer>;
}

const TYPE = "urn:ietf:params:oauth:token-type:";
const SUBJECT_TYPES = [`${TYPE}jwt`, `${TYPE}id_token`];

/** Makes both grants. */
export function makeWorkloadGrants(options: WorkloadGrantsOptions): WorkloadGrants {
  const userOf = (token: string) => options.ci.userOf(token, options.subjectAudiences, options.now());
  const answer = async (user: User, more: Record<string, unknown> = {}): Promise<GrantAnswer> => {
    const { token, expiresIn } = await options.mint.mint(user);
    return {
      status: 200,
      body: { access_token: token, token_type: "Bearer", expires_in: expiresIn, ...more },
    };
  };
  return {
    tokenExchange: async (form, authorization) => {
      const stranger = strangerIn(form, authorization, options.clients);
      if (stranger !== undefined) return stranger;
      const token = form.get("subject_token") ?? "";
      if (token === "") return refused("invalid_request", "subject_token is missing");
      if (!SUBJECT_TYPES.includes(form.get("subject_token_type") ?? "")) {
        return refused("invalid_request", "subject_token_type is missing or not supported");
      }
      const wanted = form.get("requested_token_type") ?? `${TYPE}access_token`;
      if (wanted !== `${TYPE}access_token` && wanted !== `${TYPE}jwt`) {
        return refused("invalid_request", "requested_token_type is not supported");
      }
      const targets = [...form.getAll("audience"), ...form.getAll("resource")];
      if (!targets.every((target) => options.targets.includes(target))) {
        return refused("invalid_target", "nothing here is called by that audience or resource");
      }
      try {
        return await answer(await userOf(token), { issued_token_type: `${TYPE}access_token` });
      } catch (error) {
        return refused("invalid_request", `subject_token is invalid: ${problem(error)}`);
      }
    },
    jwtBearer: async (form, authorization) => {
      const stranger = strangerIn(form, authorization, options.clients);
      if (stranger !== undefined) return stranger;
      try {
        return await answer(await userOf(form.get("assertion") ?? ""));
      } catch (error) {
        return refused("invalid_grant", problem(error));
      }
    },
  };
}

/** The refusal of a client that is not known or does not know its secret (RFC 6749, 2.3.1); nothing for any other. */
function strangerIn(
  form: URLSearchParams,
  authorization: string,
  clients: WorkloadGrantsOptions["clients"],
): GrantAnswer | undefined {
  let [id, secret] = [form.get("client_id"), form.get("client_secret")];
  const basic = /^Basic (\S+)$/i.exec(authorization)?.[1];
  if (basic !== undefined) {
    const words = atob(basic).split(":").map((word) => decodeURIComponent(word.replaceAll("+", " ")));
    [id, secret] = [words[0] ?? "", words[1] ?? ""];
  }
  const known = clients.get(id ?? "");
  return known === undefined || known !== secret
    ? refused("invalid_client", "client authentication failed", 401)
    : undefined;
}

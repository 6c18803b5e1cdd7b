/** The tokens that CI systems give their jobs: requesting one from GitHub, and checking any. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { CLOCK_TOLERANCE, clockSkew, isoTime } from "../clock-skew.ts";
import { requestGrant } from "./request.ts";
import { endpointUrl, hostOf } from "../../http/address.ts";
import type { HttpContext } from "../../http/bounded.ts";
import type { Retry } from "../../http/retry.ts";
import { badAnswer, issuerFetch } from "../issuer-request.ts";
import { timeOf, unverifiedClaims } from "../jwt.ts";
import type { AccessToken } from "./access-token.ts";
import type { ServerTime } from "../server-time.ts";

/** The input of {@link githubToken}. */
export interface GithubInput extends Retry {
  /** `ACTIONS_ID_TOKEN_REQUEST_URL`. */
  readonly requestUrl: string;
  /** `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly requestToken: string;
  /** The token's audience. */
  readonly audience: string;
}

/** A CI system's token. */
export interface WorkloadToken {
  readonly token: string;
  /** The clock of its issuer, if that was asked just now and gave its time. */
  readonly server?: ServerTime | undefined;
}

const PERMISSION = "The job needs the permission id-token: write.";

/**
 * Asks GitHub for a token of the running job.
 *
 * https://docs.github.com/en/actions/reference/security/oidc
 *
 * @throws {AppError} `USAGE` when GitHub's variables cannot be used, and what {@link requestGrant} throws.
 */
export async function githubToken(http: HttpContext, input: GithubInput): Promise<WorkloadToken> {
  const { requestUrl, requestToken, audience } = input;
  const step = "Cannot get the job's token from GitHub";
  const unusable = (why: string) => new AppError("USAGE", `${step}: ${why}.`, { hint: PERMISSION });
  const url = endpointUrl(requestUrl);
  if (typeof url === "string") throw unusable(`ACTIONS_ID_TOKEN_REQUEST_URL ${url}`);
  if (!/^[\x21-\x7e]+$/.test(requestToken)) {
    throw unusable("ACTIONS_ID_TOKEN_REQUEST_TOKEN cannot be sent as a token");
  }
  // searchParams would rewrite the rest of the query.
  url.search += `${url.search === "" ? "" : "&"}audience=${encodeURIComponent(audience)}`;
  return await requestGrant(http, {
    ...input,
    step,
    endpoint: url.href,
    occasion: "credential",
    send: (http) =>
      issuerFetch(http, step)(url, {
        headers: { accept: "application/json", authorization: `Bearer ${requestToken}` },
      }),
    read: ({ json: { value }, serverDate: date }) => {
      if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) {
        return { token: value, server: date === undefined ? undefined : { host: hostOf(url), date } };
      }
      throw badAnswer(`${step}: ${hostOf(url)} sent a malformed answer: its value is not a token.`, {
        kind: "content",
        status: 200,
      });
    },
  });
}

/** The input of {@link readWorkloadToken}. */
export interface WorkloadChecks {
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Asks the audience's server for its time; called only when the token's own times fail the check. */
  readonly serverTime: () => Promise<ServerTime | undefined>;
}

/** In characters; no server takes a longer header. */
const LONGEST_TOKEN = 64 * 1024;

/**
 * Reads a CI system's token without verifying it, which is up to the server that gets it.
 *
 * @throws {AppError} `INVALID_TOKEN` when it is no JWT or for another audience; `CLOCK_SKEW` when it is good by a
 * server's clock and not by ours, or from the future while no server gives its time; `SESSION_REJECTED` when it has
 * ended or not begun otherwise.
 */
export async function readWorkloadToken(
  { token, server }: WorkloadToken,
  { audience, now, serverTime }: WorkloadChecks,
): Promise<AccessToken> {
  const accessToken = token.trim(); // a file ends with a line
  const invalid = (why: string, hint: string) =>
    new AppError("INVALID_TOKEN", `The workload's token cannot be used: ${why}.`, { hint });
  const source = "Check where the CI system puts the token.";
  if (accessToken === "") throw invalid("it is empty", source);
  if (accessToken.length > LONGEST_TOKEN) {
    throw invalid(`it is longer than ${LONGEST_TOKEN} characters`, source);
  }
  // Its three parts are base64url, so that nothing else gets into a header.
  const claims = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(accessToken) ? unverifiedClaims(accessToken) : undefined;
  if (claims === undefined) throw invalid("it is not a signed JWT", source);
  const { aud, exp, iat, nbf } = claims;
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === "string");
  if (!audiences.includes(audience)) {
    const named = audiences.length === 0
      ? "no audience"
      : `the audience ${audiences.slice(0, 5).map((one) => `"${printable(one, 100)}"`).join(", ")}`;
    throw invalid(
      `it names ${named}, not "${printable(audience)}"`,
      "Have the CI system issue it for that audience, or name its own with --audience.",
    );
  }
  const [ends, begins] = [timeOf(exp), Math.max(timeOf(iat) ?? 0, timeOf(nbf) ?? 0)];
  if (exp !== undefined && ends === undefined) throw invalid("its expiry (exp) is not a time", source);
  const life = { begins, ends };
  if (untimely(life, now) !== undefined) throw untimelyError(life, now, server ?? await serverTime());
  return { accessToken, receivedAt: now, expiresAt: ends };
}

/** In milliseconds since 1970. */
interface Life {
  readonly begins: number;
  readonly ends: number | undefined;
}

/** Why a token is not good at a time; undefined when it is. */
function untimely({ begins, ends }: Life, at: number): "early" | "over" | undefined {
  if (begins > at + CLOCK_TOLERANCE * 1000) return "early";
  return ends !== undefined && ends <= at ? "over" : undefined;
}

function untimelyError(life: Life, now: number, server: ServerTime | undefined): AppError {
  const { begins, ends = now } = life;
  const early = untimely(life, now) === "early";
  const what = early ? `begins at ${isoTime(begins)}` : `expired at ${isoTime(ends)}`;
  const skew = server === undefined || untimely(life, server.date) !== undefined
    ? undefined
    : clockSkew(now, server.date, server.host, `the workload's token cannot be used: it ${what}`);
  if (skew !== undefined) return skew;
  if (early && server === undefined) {
    return new AppError(
      "CLOCK_SKEW",
      `The clocks disagree: it is ${isoTime(now)} on this machine, but the workload's token was issued at ${
        isoTime(begins)
      }.`,
      { hint: "Set this machine's clock and run the command again." },
    );
  }
  return new AppError(
    "SESSION_REJECTED",
    `The workload's token ${what}, and it is ${isoTime(now)} now.`,
    {
      hint: early
        ? "Check the clock of the CI system: the server's agrees with this machine's."
        : "Have the CI system issue a new one; a token in a variable is valid no longer than its job.",
    },
  );
}

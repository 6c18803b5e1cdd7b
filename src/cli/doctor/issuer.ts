/** Checks an issuer: whether it can be reached, what it offers, and whether its clock and ours agree. */

import { type AppError, failureOrThrow } from "../../errors.ts";
import { hostOf } from "../../http/address.ts";
import { type OpenHttp, openHttp } from "../../http/open.ts";
import { CLOCK_TOLERANCE, isoTime } from "../../oauth/clock-skew.ts";
import { discoverIssuer, type IssuerMetadata } from "../../oauth/discovery.ts";
import { issuerFetch, serverDateOf } from "../../oauth/issuer-request.ts";
import { operatingSystem } from "../../system/environment.ts";
import { formatSpan } from "../../system/clock.ts";
import { type Trust, unknownAuthorityOf } from "../../system/network.ts";
import type { CommandContext } from "../context.ts";
import { checkNamed, type Finding, saidBy } from "./finding.ts";

const REACHED = checkNamed("issuer.reachable");
const METADATA = checkNamed("issuer.metadata");
const PKCE = checkNamed("issuer.pkce");
const DEVICE = checkNamed("issuer.device");
const OFFLINE = checkNamed("issuer.offline-access");
const REVOCATION = checkNamed("issuer.revocation");
const USERINFO = checkNamed("issuer.userinfo");
const PUBLIC = checkNamed("issuer.public-clients");
const CLOCK = checkNamed("issuer.clock");

/** The longest that one server is asked, in milliseconds. Servers are asked at once. */
export const PATIENCE = 10_000;

/** An issuer to look at. */
export interface IssuerToCheck {
  readonly issuer: string;
  /** PEM. */
  readonly certificateAuthority: string | undefined;
  /** What makes sign-ins there trust an authority. */
  readonly trust: Trust;
  /** Persons sign in there with OpenID Connect; else it is only asked for its time. */
  readonly openId: boolean;
  /** Its device endpoint, where a cloud or a person names one beside the metadata. */
  readonly deviceEndpoint?: string | undefined;
}

/** Checks one issuer with one request. `reached` tells whether others need to be asked through it. */
export async function checkIssuer(
  cli: CommandContext,
  checked: IssuerToCheck,
): Promise<{ readonly reached: boolean; readonly findings: readonly Finding[] }> {
  const about = hostOf(checked.issuer);
  let date: number | undefined;
  using opened = openHttp(cli, {
    certificateAuthority: checked.certificateAuthority,
    trust: checked.trust,
    timeout: PATIENCE,
    onTimeout: about,
    interrupted: cli.interrupted,
    requestTimeout: Math.min(PATIENCE, cli.requestTimeout),
    log: cli.out.debug,
  });
  const http: OpenHttp = {
    ...opened,
    fetch: async (input, init) => {
      const response = await opened.fetch(input, init);
      // A cached answer has an older time. RFC 9111, 5.1.
      date = response.headers.has("age") ? undefined : serverDateOf(response);
      return response;
    },
  };
  try {
    const metadata = checked.openId ? await discoverIssuer(http, checked.issuer) : undefined;
    if (metadata === undefined) {
      await issuerFetch(http, "Cannot reach it")(checked.issuer, { method: "HEAD" });
    }
    const findings = metadata === undefined
      ? [REACHED.ok({ about, found: "it answers" })]
      : metadataFindings(metadata, about, checked.deviceEndpoint);
    return { reached: true, findings: [...findings, clockFinding(cli.now(), date, about)] };
  } catch (thrown) {
    const error = failureOrThrow(thrown);
    if (error.code === "USAGE") throw error;
    const clock = date === undefined ? [] : [clockFinding(cli.now(), date, about)];
    return {
      reached: false,
      findings: [await failed(cli, error, about), ...clock.filter((one) => one.verdict !== "ok")],
    };
  }
}

/** A refusal of what came is about the metadata; everything else is about the way there. */
async function failed(cli: CommandContext, error: AppError, about: string): Promise<Finding> {
  if (error.code === "ISSUER_ERROR") {
    return METADATA.fault({ about, ...saidBy(error) });
  }
  return await unreachable(cli, error, REACHED.fault, about);
}

/**
 * The finding for a server that does not answer, or whose certificate is not trusted: with its authority's
 * name.
 */
export async function unreachable(
  { env, interrupted, requestTimeout }: CommandContext,
  error: AppError,
  fault: (said: { about: string; found: string; meaning?: string; line?: string }) => Finding,
  about: string,
): Promise<Finding> {
  if (unknownAuthorityOf(error) === undefined) {
    return fault({ about, found: error.message, meaning: error.hint ?? "" });
  }
  const { explainAuthority } = await import("../server-certificate.ts");
  const bounded = AbortSignal.any([interrupted, AbortSignal.timeout(Math.min(PATIENCE, requestTimeout))]);
  const { message, hint = "" } = await explainAuthority(error, env, bounded);
  const [, meaning = hint, line] = /^(.*): ((?:datumctl|kubectl) .*)$/s.exec(hint) ?? [];
  return fault(
    line === undefined
      ? { about, found: message, meaning }
      : { about, found: message, meaning: `${meaning}.`, line },
  );
}

/** What an issuer offers, and what cannot be done without it. */
export function metadataFindings(
  metadata: IssuerMetadata,
  about: string,
  deviceEndpoint = metadata.device_authorization_endpoint,
): Finding[] {
  const { code_challenge_methods_supported: methods, scopes_supported: scopes } = metadata;
  const authentication = metadata.token_endpoint_auth_methods_supported;
  return [
    METADATA.ok({ about, found: "its metadata passes every check" }),
    methods === undefined
      ? PKCE.note({
        about,
        found: "it does not say which PKCE methods it supports",
        meaning: "Sign-ins use S256, which every current issuer takes.",
      })
      : methods.includes("S256")
      ? PKCE.ok({ about, found: "PKCE with S256" })
      : PKCE.fault({
        about,
        found: `it supports ${
          methods.length === 0 ? "no PKCE method" : `PKCE with ${methods.join(", ")} alone`
        }`,
        meaning:
          "Without S256, who sees the browser's answer could take the session, so datumctl login refuses it. " +
          "Whoever runs the issuer has to allow S256 for this client.",
      }),
    deviceEndpoint !== undefined ? DEVICE.ok({ about, found: "codes for another device" }) : DEVICE.note({
      about,
      found: "it issues no device codes",
      meaning:
        "datumctl login --no-browser cannot be used there; over SSH, the address that the browser ends at is " +
        "pasted instead.",
    }),
    scopes?.includes("offline_access") ?? true
      ? OFFLINE.ok({ about, found: "the scope offline_access" })
      : OFFLINE.note({
        about,
        found: "it does not list the scope offline_access",
        meaning: "Unless it renews sessions without it, they last only as long as their first token.",
      }),
    metadata.revocation_endpoint !== undefined
      ? REVOCATION.ok({ about, found: "revocation" })
      : REVOCATION.note({
        about,
        found: "it has no revocation endpoint",
        meaning: "After datumctl logout, tokens that were copied stay valid until they expire.",
      }),
    metadata.userinfo_endpoint !== undefined ? USERINFO.ok({ about, found: "userinfo" }) : USERINFO.note({
      about,
      found: "it has no userinfo endpoint",
      meaning:
        "When a server refuses a token, the issuer cannot be asked about it: the session is renewed instead.",
    }),
    authentication === undefined || authentication.includes("none")
      ? PUBLIC.ok({ about, found: "clients without a secret" })
      : PUBLIC.note({
        about,
        found: "it does not list clients without a secret",
        meaning: "If it refuses the client, give its secret: datumctl login --client-secret-file FILE",
      }),
  ];
}

const SET_CLOCK: Readonly<Record<string, string>> = {
  linux: "sudo timedatectl set-ntp true",
  darwin: "sudo sntp -sS time.apple.com",
  windows: "w32tm /resync",
};

/** Whether two clocks agree within what ID tokens are allowed. */
export function clockFinding(now: number, date: number | undefined, about: string): Finding {
  if (date === undefined) return CLOCK.skipped({ about, found: "its answer tells no time" });
  const off = Math.abs(date - now);
  // The header is of whole seconds.
  if (off <= CLOCK_TOLERANCE * 1000) return CLOCK.ok({ about, found: "its clock and this machine's agree" });
  return CLOCK.fault({
    about,
    found: `the clocks disagree by ${formatSpan(off)}: it is ${isoTime(now)} here and ${isoTime(date)} there`,
    meaning:
      "Tokens are refused as expired, or as not valid yet. If it is this machine's clock that is wrong, set it.",
    line: SET_CLOCK[operatingSystem] ?? "sudo date",
  });
}

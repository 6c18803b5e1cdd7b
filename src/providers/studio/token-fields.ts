/** DataChain Studio's host, and the fields of the tokens that it gives. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { isLoopback } from "../../http/address.ts";
import { parseHost } from "../host.ts";

/** The host unless another is named. */
export const STUDIO_HOST = "https://studio.datachain.ai";

/** How we name ourselves there. */
export const STUDIO_CLIENT_NAME = "datumctl";

/** The scopes there are. */
export const STUDIO_SCOPES = ["EXPERIMENTS", "DATASETS", "MODELS"] as const;

/** The life of a token in days, unless told. */
export const STUDIO_DAYS = 365;

/**
 * A host as it was typed, as an address: https where there is no scheme, http on loopback alone; below a path where
 * one was typed, as a Studio of one's own can be. Two spellings of one address are the same text.
 *
 * @throws {AppError} `USAGE`, naming where it stood
 *
 * @example
 * ```ts
 * import { studioHost } from "./token-fields.ts";
 * console.assert(studioHost("Studio.Example.com:443/", "--hostname") === "https://studio.example.com");
 * console.assert(studioHost("example.com/studio/", "--hostname") === "https://example.com/studio");
 * console.assert(studioHost("http://localhost:3000", "--hostname") === "http://localhost:3000");
 * ```
 */
export function studioHost(text: string, source: string): string {
  const [, scheme = "", authority = "", path = ""] =
    /^([A-Za-z][A-Za-z0-9+.-]*:\/\/)?([^/]*)(.*)$/s.exec(text) ?? [];
  const below = checkedPath(path, text, source);
  if (scheme.toLowerCase() !== "http://") {
    return new URL(`https://${parseHost(`${scheme}${authority}`, source)}`).origin + below;
  }
  parseHost(`https://${authority}`, source);
  const { hostname, origin } = new URL(`http://${authority}`);
  if (isLoopback(hostname)) return origin + below;
  throw new AppError("USAGE", `${source} "${printable(text, 100)}" is not an https address.`, {
    hint: "A token must not travel unencrypted; plain http is for this machine only.",
  });
}

/** The path below which a Studio is, without a slash at its end; empty for none. */
function checkedPath(path: string, text: string, source: string): string {
  const segments = path.replace(/\/$/, "").split("/").slice(1);
  // As a URL has them, so that an address is the same text each time. Dots and what is encoded could lead elsewhere.
  if (segments.every((segment) => /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/.test(segment))) {
    return segments.map((segment) => `/${segment}`).join("");
  }
  throw new AppError(
    "USAGE",
    `${source} "${printable(text, 100)}" holds more than a host, a port and a plain path.`,
    { hint: "Give an address such as studio.example.com or https://example.com/studio." },
  );
}

/** What may name a host, the first that does counting. */
export interface StudioHostChoice {
  /** `--hostname`. */
  readonly flag: string | undefined;
  /** `DATACHAIN_STUDIO_URL`. */
  readonly variable: string | undefined;
  /** The host of a stored session. */
  readonly stored: string | undefined;
}

/**
 * The address of the Studio that is meant.
 *
 * @throws {AppError} `USAGE` for one that is no host
 */
export function chosenStudioHost({ flag, variable, stored }: StudioHostChoice): string {
  if (flag !== undefined) return studioHost(flag, "--hostname");
  if (variable !== undefined) return studioHost(variable, "DATACHAIN_STUDIO_URL");
  return stored === undefined ? STUDIO_HOST : studioHost(stored, "The stored host");
}

/**
 * The scopes of `--scopes A,B`, as typed; undefined leaves them to Studio.
 *
 * @throws {AppError} `USAGE`, naming the wrong ones
 */
export function studioScopes(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const scopes = text.split(",").map((scope) => scope.trim()).filter((scope) => scope !== "");
  const hint = `Available: ${
    STUDIO_SCOPES.join(", ")
  }. Without --scopes the token gets Studio's default scopes.`;
  if (scopes.length === 0) throw new AppError("USAGE", "--scopes names no scope.", { hint });
  const known: readonly string[] = STUDIO_SCOPES;
  const wrong = scopes.filter((scope) => !known.includes(scope.toUpperCase()));
  if (wrong.length === 0) return scopes;
  const names = wrong.map((scope) => `"${printable(scope, 40)}"`).join(", ");
  throw new AppError(
    "USAGE",
    `Studio has no ${wrong.length === 1 ? "scope" : "scopes"} ${printable(names, 200)}.`,
    { hint },
  );
}

/**
 * The days of `--expires-in`; {@link STUDIO_DAYS} without it.
 *
 * @throws {AppError} `USAGE` for all but a positive whole number
 */
export function studioDays(text: string | undefined): number {
  if (text === undefined) return STUDIO_DAYS;
  if (/^0*[1-9]\d{0,4}$/.test(text.trim())) return Number(text);
  throw new AppError(
    "USAGE",
    `--expires-in "${printable(text, 40)}" is not a positive whole number of days.`,
    {
      hint: "For example: --expires-in 90",
    },
  );
}

/**
 * The teams of every `--team`, each once, blanks trimmed; undefined when there is none.
 *
 * @throws {AppError} `USAGE`
 */
export function studioTeams(typed: readonly string[]): readonly string[] | undefined {
  const teams = [...new Set(typed.map((team) => checkedName(team, "--team")))];
  return teams.length === 0 ? undefined : teams;
}

/** The default team after a sign-in: the one that was named; none or several make none. */
export function defaultTeam(teams: readonly string[] | undefined): string | undefined {
  return teams?.length === 1 ? teams[0] : undefined;
}

/**
 * The name of `--name`, blanks trimmed; undefined leaves it to Studio.
 *
 * @throws {AppError} `USAGE`
 */
export function studioTokenName(typed: string | undefined): string | undefined {
  return typed === undefined ? undefined : checkedName(typed, "--name");
}

/**
 * A name as a person typed it, blanks trimmed.
 *
 * @throws {AppError} `USAGE` for one that is empty, too long or cannot be shown
 */
export function checkedName(typed: string, flag: string): string {
  const name = typed.trim();
  if (name !== "" && name === printable(name, 255) && name.isWellFormed()) return name;
  throw new AppError("USAGE", `${flag} "${printable(typed, 60)}" cannot be a name.`, {
    hint: "A name has up to 255 characters, all of them visible.",
  });
}

/** Owns what the ways of signing a machine in have in common: what each of them tells of a machine, and of its place. */

import { AppError } from "../../errors.ts";
import type { HttpContext } from "../../http/bounded.ts";
import type { AccessToken } from "../../oauth/grants/access-token.ts";
import { DATUM } from "../../providers/datum/facts.ts";
import { datumHosts } from "../../providers/datum/hosts.ts";
import type { IssuingSource } from "../../sessions/token-source.ts";
import type { SourceCredentials } from "../../sessions/credentials.ts";
import type { Session } from "../../sessions/session.ts";
import type { CommandContext } from "../context.ts";
import type { LoginInput } from "../../providers/flags.ts";

/** What a way of signing in is told. */
export interface MachineLogin {
  readonly deps: CommandContext;
  readonly input: LoginInput;
  /** The session of that name as it was sealed, when one of the same kind is replaced. */
  readonly known: Session | undefined;
  /** For what has to be asked before the machine can be described. */
  readonly http: HttpContext;
}

/** Where a machine belongs. */
export type MachineAddress = Pick<Session, "provider" | "issuer" | "authHost" | "apiHost">;

/** A machine with the token source of its tokens, before anything was asked in its name. */
export interface Machine {
  readonly kind: Session["kind"];
  readonly address: MachineAddress;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly tokenSource: IssuingSource;
  readonly scopes: readonly string[];
  /** Who it is; the first token may say it. */
  readonly userOf: (minted: AccessToken | undefined) => Promise<Session["user"]>;
  /** What stands before the `@` in the session's name. */
  readonly labelOf: (user: Session["user"]) => string;
  /** A secret of it, or a token that it is given, is sealed; a token source alone opens nothing to whoever reads it. */
  readonly keepsSecrets: boolean;
  /** A remark for the end: what is no longer needed, or what is not stored. */
  readonly remark: string;
}

/** The Datum that the flags name, else the one of the session that is replaced. Throws `USAGE`. */
export function datumAddress({ input, known }: Pick<MachineLogin, "input" | "known">): MachineAddress {
  const named = input.hostname !== undefined;
  const { authHost, apiHost } = datumHosts({
    hostname: input.hostname ?? known?.authHost,
    apiHostname: input.apiHostname ?? (named ? undefined : known?.apiHost),
  });
  return { provider: DATUM, issuer: `https://${authHost}`, authHost, apiHost };
}

/** The credentials to be sealed, without a token. */
export function credentialsOf(
  { address: { issuer, apiHost }, clientId, clientSecret, tokenSource }: Machine,
  subject: string,
  certificateAuthority: string | undefined,
): SourceCredentials {
  return {
    issuer,
    apiHost,
    clientId,
    subject,
    tokenSource,
    clientSecret,
    certificateAuthority,
  };
}

/** A `USAGE` error about a flag's value. */
export function wrong(message: string, hint?: string): AppError {
  return new AppError("USAGE", message, { hint });
}

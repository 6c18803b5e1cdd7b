/** What the ways of signing a machine in have in common: what each is handed, and what it says of a machine. */

import { AppError } from "../../errors.ts";
import type { HttpContext } from "../../http/bounded.ts";
import type { AccessToken } from "../../oauth/grants/access-token.ts";
import type { IssuingSource } from "../../sessions/token-source.ts";
import type { SourceCredentials } from "../../sessions/source-credentials.ts";
import type { Session } from "../../sessions/session.ts";
import type { LoginInput } from "../../providers/flags.ts";
import type { MachineAddress } from "../../providers/provider.ts";

/** What a way of signing in is handed. */
export interface MachineLogin {
  /** Warns of something that does not stop the sign-in. */
  readonly warn: (text: string) => void;
  /** Reads all of standard input, so many bytes at most. */
  readonly readIn: (largest: number) => Promise<string>;
  /** Reads a line from standard input, or as it is typed without echo. */
  readonly readHiddenLine: (what: string) => Promise<string>;
  /** Reads the secret of `--client-secret-file`. */
  readonly readClientSecret: (path: string) => Promise<string>;
  readonly input: LoginInput;
  /** The session of that name as it was sealed, when one of the same kind is replaced. */
  readonly known: Session | undefined;
  /** Where the machine belongs, by the flags. */
  readonly address: () => MachineAddress;
  /** The client of a cloud's own program at an issuer; undefined where no cloud knows one. */
  readonly clientIdAt: (authHost: string) => Promise<string | undefined>;
  /** For what has to be asked before the machine can be described. */
  readonly http: HttpContext;
}

/** A machine with the token source of its tokens, before anything was asked in its name. */
export interface Machine {
  readonly kind: Session["kind"];
  readonly address: MachineAddress;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly tokenSource: IssuingSource;
  readonly scopes: readonly string[];
  /** Who it is; the first token may say it. */
  readonly userOf: (issued: AccessToken | undefined) => Promise<Session["user"]>;
  /** What stands before the `@` in the session's name. */
  readonly labelOf: (user: Session["user"]) => string;
  /** A secret or a token is sealed; a token source alone opens nothing. */
  readonly keepsSecrets: boolean;
  /** A remark for the end: what is no longer needed, or what is not stored. */
  readonly remark: string;
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

/** What a cloud is to the rest of the program: a small record, and the rest, which is loaded when it is needed. */

import type { AppError } from "../errors.ts";
import type { HttpContext } from "../http/bounded.ts";
import type { OpenHttp } from "../http/open.ts";
import type { OAuthClient } from "../oauth/client.ts";
import type { Credentials } from "../sessions/credentials.ts";
import type { SessionKind, SessionProvider } from "../sessions/provider.ts";
import type { EntryWords, IssuerRefusal, NamedServer, UnstoredSession } from "../sessions/providers.ts";
import type { Session } from "../sessions/session.ts";
import type { OpenedSession } from "../sessions/open.ts";
import type { SavedSession } from "../sessions/save.ts";
import type { KeyStore, SessionStore } from "../sessions/store.ts";
import type { Clock } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";
import type { ProviderContext } from "./context.ts";
import type { LoginInput, OwnFlag, SharedFlag } from "./flags.ts";

/** A cloud. All that a stored token needs is here; its code is loaded for everything else. */
export interface Provider {
  /** What its sessions are known by. */
  readonly facts: SessionProvider;
  /** The kinds of identities that it knows. */
  readonly kinds: readonly SessionKind[];
  /** The variables that give a session which is stored nowhere, the first that is set counting. */
  readonly variables: readonly SessionVariable[];
  /** Reads the session of `--credentials-file`. */
  readonly readKeyFile?: ((env: Environment, path: string) => Promise<Session>) | undefined;
  load(): Promise<ProviderCode>;
}

/** A variable that gives a session. */
export interface SessionVariable {
  readonly name: string;
  /** It counts for every command; else only where it is asked for by name: `--session env:NAME`. */
  readonly everywhere: boolean;
  /** @throws {AppError} `USAGE` for a value that cannot be used. */
  readonly read: (env: Environment, now: Clock) => Promise<Session>;
}

/** The lines and sentences that tell a person what to do about a session; see `SessionProviders`. */
export interface SessionLines {
  signInAgain(session: Session): string;
  trustLine(session: Session): string;
  newLoginLine(name: string, session: UnstoredSession): string;
  namesServerLine(session: Pick<Session, "name">, server: NamedServer): string;
  afterRefusal(session: Session, refusal: IssuerRefusal): string;
}

/** The rest of a cloud: what it does otherwise than other clouds, in the order of a session's life. */
export interface ProviderCode extends SessionLines {
  /** Which of the flags that several clouds know it takes at `login`. */
  readonly flags: readonly SharedFlag[];
  /** The flags that it alone knows. */
  readonly ownFlags?: readonly OwnFlag[] | undefined;
  /** Whether flags mean this cloud where none is named: before a session or a variable says otherwise, or only after. */
  meant?(flags: Partial<LoginInput>, env: Environment): "certainly" | "perhaps" | undefined;

  /**
   * Where and as which client a person signs in with OpenID Connect, by the flags and by the session that is renewed.
   *
   * @throws {AppError} `USAGE` with what is missing
   */
  signInTarget?(
    input: LoginInput,
    known: KnownSession | undefined,
    readClientSecret: (path: string) => Promise<string>,
  ): Promise<SignInTarget>;
  /** Signs a person in where that is no OpenID Connect sign-in: stores the session and says so. */
  signIn?(context: ProviderContext, login: LoginCommand, input: LoginInput): Promise<void>;
  /** How machines sign in there; absent where they do not. */
  readonly machines?: MachineLogins | undefined;
  /** Learns what later commands need of the cloud. */
  afterSignIn?(
    context: ProviderContext,
    session: Session,
    accessToken: string,
    fetch: HttpContext["fetch"],
  ): Promise<void>;
  /** The one command that fits after a sign-in. */
  readonly nextCommand: string;
  /** What helps with that command, on a line of its own. */
  readonly nextHelp?: string | undefined;

  /** What it has instead of an organization or project in use. */
  nothingInUse(session: Pick<Session, "name">): { readonly message: string; readonly hint: string };

  /** How to sign in to a session when only its name and its kubeconfig entry are known; undefined for no way. */
  signInOfName?(name: string, entry: EntryWords): string | undefined;
  /** Where to sign in again when only the session's name is left; undefined where the name does not tell. */
  targetOfName?(name: string): NamedTarget | undefined;
  /**
   * The line with which a person checks and repeats the sign-in of a session whose key is lost; undefined for a session
   * where the cloud signs in anyway when nothing names a place.
   */
  lostKeyLine(session: Session, input: LoginInput): string | undefined;

  /**
   * Takes back what was granted, where that is not done as OAuth has it. With `keep`, a failure ends it at once: the session
   * stays.
   */
  revoke?(context: ProviderContext, opened: OpenedSession, keep: boolean): Promise<Revocation>;
  /**
   * Removes what the removal of a session left elsewhere; without `opened` its key was lost.
   *
   * @throws {AppError} what stays, and what to do about it
   */
  removeTraces?(store: SessionStore, session: Session, opened: OpenedSession | undefined): Promise<void>;
  /** What no removal from this machine ends, and where it is ended; undefined where there is no such thing. */
  staysValid?(session: Session): string | undefined;
  /** What a person may want to do after a logout. */
  afterLogout?(opened: OpenedSession): string | undefined;
}

/** Where and as which client a person signs in, as a cloud says. */
export interface SignInTarget {
  readonly provider: SessionProvider;
  readonly issuer: string;
  readonly authHost: string;
  readonly apiHost: string;
  readonly client: OAuthClient;
  /** The path of the loopback redirect, unless a whole URI is chosen. */
  readonly redirectPath: string;
  /** The `prompt` parameter of OpenID Connect for these scopes, unless one is chosen. */
  readonly promptFor: (scopes: readonly string[]) => string | undefined;
  /** Where a device code is asked for when the issuer's metadata does not say. */
  readonly deviceEndpoint?: string | undefined;
  /** Revoking a refresh token ends that token alone, and no other session of the person. */
  readonly revokesAlone?: true | undefined;
  /** What is kept of the vendor's API. */
  readonly api?: Readonly<Record<string, string>> | undefined;
}

/** A session that is renewed. */
export interface KnownSession {
  readonly session: Session;
  /** Its fields are as they were sealed; else they are a file's word, good for comparing whom it is of. */
  readonly sealed: boolean;
  /** Absent where the client has none, or its key is lost. */
  readonly clientSecret?: string | undefined;
  /** What is kept of the vendor's API. */
  readonly api?: Credentials["api"] | undefined;
}

/** The flag with which a machine signs in. */
export type MachineFlag = "credentials" | "withToken" | "workload";

/** Where a machine belongs. */
export type MachineAddress = Pick<Session, "provider" | "issuer" | "authHost" | "apiHost">;

/** How machines sign in at a cloud. */
export interface MachineLogins {
  readonly flags: readonly MachineFlag[];
  /**
   * Where a machine belongs, by the flags, else as the session that is replaced.
   *
   * @throws {AppError} `USAGE`
   */
  address(input: LoginInput, known: Session | undefined): MachineAddress;
  /** The client of the cloud's own program at an issuer; undefined where none is known. */
  clientId?(authHost: string): string | undefined;
}

/** Where to sign in to a session that is gone, and whom its name names. */
export interface NamedTarget {
  readonly target: SignInTarget;
  readonly email: string;
  /** The line that signs in there. */
  readonly line: string;
}

/** What an issuer did when a session was to end, or why it did nothing. */
export interface Revocation {
  /** As the beginning of a sentence: `Revoked and removed here`. */
  readonly done: string;
  /** The issuer's host and port. */
  readonly host: string;
  readonly failure?: AppError | undefined;
  /** Until when a token that was not revoked is good, where that is known. */
  readonly until?: string | undefined;
  /** What is still valid of the tokens that this one replaced. */
  readonly older?: readonly AppError[] | undefined;
}

/** How a token ends when nothing more is known, as the end of a sentence. */
export const NO_KNOWN_END = "it expires or is revoked there";

/** A code that a person confirms in a browser. */
export interface ShownCode {
  readonly userCode: string;
  /** Where the code is typed in. */
  readonly verificationUri: string;
  /** The same page with the code filled in. */
  readonly verificationUriComplete: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What the command `login` does for a cloud's own sign-in: it reads the flags of every cloud, and speaks to the person. */
export interface LoginCommand {
  /** The name that `--profile` or a variable gives the session. */
  wantedName(): string | undefined;
  /** Where the session's key goes, by `--keyring`. */
  keyStores(
    keyring: string | undefined,
  ): Promise<{ readonly keyStores: readonly KeyStore[]; readonly moveKey: boolean }>;
  /** The certificates of `--certificate-authority`. */
  readAuthority(path: string): Promise<string>;
  /** Opens the network for the sign-in, which may take so many milliseconds. */
  open(timeout: number, certificateAuthority: string | undefined): OpenHttp;
  /** Shows a code, and opens a browser unless the person asked for a code alone. */
  showCode(
    http: HttpContext,
    code: ShownCode,
    how: { readonly byCode: boolean; readonly browserCommand: string | undefined },
  ): Promise<void>;
  /** Says where the session's key is. */
  printKeyLocation(saved: SavedSession): void;
  /** Says the session's name where nobody would guess it: `label` is what usually stands before the `@`. */
  printName(session: Session, label: string): void;
  /** Warns of what takes precedence over the session. */
  warnOfPrecedence(where: { readonly inProject: boolean }): Promise<void>;
}

/** What a store asks of the clouds: what the names in its files stand for, and the lines that people are told to run. */

import type { Meaning, Refusal } from "../oauth/refusals.ts";
import type { ProviderNames } from "./provider.ts";
import type { Session } from "./session.ts";

/** What a refused request to an issuer says. */
export type IssuerRefusal = Refusal & { readonly meaning: Meaning };

/** What is known of a session that is not stored. */
export type UnstoredSession = Omit<Session, "credentials" | "keyStore" | "schemaVersion">;

/** A server that a session is for: named by its cluster entry where there is one, else by its address. */
export type NamedServer = { readonly address: string } | { readonly cluster: string };

/** What a kubeconfig entry tells of its session beside the name, which is all that is left of one that is not here. */
export interface EntryWords {
  /** `--active-for`: a Datum's API host, or an issuer's URL. */
  readonly activeFor?: string | undefined;
  /** `--client-id`: the client at that issuer. */
  readonly clientId?: string | undefined;
}

/** The clouds that a store's sessions can be of. The code that makes lines is loaded when one is asked for. */
export interface SessionProviders extends ProviderNames {
  /** What to do when a session no longer gives tokens, as a sentence. */
  signInAgain(session: Session): Promise<string>;
  /** The line, or the variable, that makes a session trust an authority. */
  trustLine(session: Session): Promise<string>;
  /** The line that signs in under another name where a session belongs. FILE stands for what is in a file. */
  newLoginLine(name: string, session: UnstoredSession): Promise<string>;
  /** The line that names an API server as one that a session is for, and writes its kubeconfig entry. */
  namesServerLine(session: Pick<Session, "name" | "provider">, server: NamedServer): Promise<string>;
  /** What to check, and the line that mends it, when an issuer refuses to renew a session and yet has not ended it. */
  afterRefusal(session: Session, refusal: IssuerRefusal): Promise<string>;
  /**
   * How to sign in when only the session's name and its kubeconfig entry are known, as a sentence without its end. What
   * neither tells is in capitals.
   */
  signInOfName(name: string, entry?: EntryWords): Promise<string>;
}

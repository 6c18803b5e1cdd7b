/** What values are completed with: the sessions and servers as a command sees them, without a word, a prompt or a change. */

import { type KeyringLimits, keyringLimits } from "../../keyring/store.ts";
import type { ProviderContext } from "../../providers/context.ts";
import { type Providers, providersOf } from "../../providers/registry.ts";
import { namingVariable } from "../../sessions/choose.ts";
import { SessionStore } from "../../sessions/store.ts";
import { systemHost } from "../../system/host.ts";
import type { Choices, Kind } from "./kinds.ts";
import { flagValue, type Given } from "./position.ts";
import type { CommandWords } from "./table.ts";

/** One word that can stand at the cursor. */
export interface Candidate {
  readonly word: string;
  readonly about?: string | undefined;
  /** More of the same word follows. */
  readonly open?: true | undefined;
}

/** What is completed with; the network is loaded where something is asked. */
export interface CompletionContext extends Omit<ProviderContext, "openNetwork"> {
  readonly providers: Providers;
}

/** One value that is completed. */
export interface ValueRequest {
  readonly context: CompletionContext;
  /** What was typed before the word. */
  readonly given: Given;
  /** What was typed of the value. */
  readonly text: string;
  readonly program: CommandWords;
}

/** Finds what can stand at the cursor; what does not begin with the text is dropped later. */
export type Completer = (request: ValueRequest) => Candidate[] | Promise<Candidate[]>;

/** A kind of one value. */
export type SingleKind = Exclude<Kind, { readonly list: unknown }> | Choices;

/** How old what a server said may be without asking it again, and where it cannot be asked; in milliseconds. */
export const FRESH_MS = 10 * 60_000;
export const STALE_MS = 30 * 24 * 3600_000;

/** Reads sessions as ever, each with one look into its keyring, and changes none. */
export class UnchangedSessions extends SessionStore {
  readonly #opened = new Map<string, ReturnType<SessionStore["open"]>>();

  override open(...[session, limits]: Parameters<SessionStore["open"]>): ReturnType<SessionStore["open"]> {
    const opened = this.#opened.get(session.name) ?? super.open(session, limits);
    this.#opened.set(session.name, opened);
    return opened;
  }

  override async update(): Promise<void> {}

  override forProject(project: string): UnchangedSessions {
    const { host, providers, secretStore, folders } = super.forProject(project);
    return new UnchangedSessions(host, providers, { folders, secretStore, project });
  }
}

/** The limits of a look into a keyring: nobody is asked to unlock it. */
export function quietly({ interrupted }: CompletionContext): KeyringLimits {
  return { ...keyringLimits(false, interrupted), quiet: true };
}

/** The process's own context, with what the line says of the session that acts. */
export function completionContext(
  given: Given,
  signal: AbortSignal,
  requestTimeout: number,
): CompletionContext {
  const host = { ...systemHost(() => {}), interrupted: signal };
  const providers = providersOf();
  const flag = flagValue(given, "--profile") ?? flagValue(given, "--session");
  const store = new UnchangedSessions(host, providers, {
    environment: providers.environmentSessions(host),
  });
  return {
    ...host,
    providers,
    store,
    terminal: { canAsk: false },
    out: { line() {}, success() {}, text() {}, info() {}, important() {}, warn() {}, debug: undefined },
    requestTimeout,
    choice: {
      flag: flag?.normalize("NFC"),
      credentialsFile: flagValue(given, "--credentials-file"),
      variable: namingVariable(host.env),
      folderFile: () => store.folderFile(),
    },
    storedOnly: true,
  };
}

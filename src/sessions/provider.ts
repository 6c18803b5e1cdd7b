/** What sessions rely on of the cloud that they are of, and of the kind of identity that they are. */

/**
 * A name that is written into files and printed. No code outside `providers/` compares with it: there is a fact for every
 * question.
 */
interface Named {
  toString(): string;
  toJSON(): string;
}

/** Facts of a cloud. */
export interface SessionProvider extends Named {
  /** What people call it. */
  readonly title: string;
  /**
   * Which Kubernetes API servers take its sessions' tokens: `own`, the API host itself, and others that are named;
   * `named`, only those; `none`.
   */
  readonly kubernetes: "own" | "named" | "none";
  /** The token that kubectl gets from a person's session unless somebody chose. */
  readonly personToken: "access" | "id";
  /** The API groups, with their versions, under which it may serve control planes. */
  readonly controlPlaneApis: readonly string[];
  /** The cloud chooses which client signs in, so that another client makes no other session. */
  readonly choosesClient: boolean;
  /**
   * Its issuer, clients and API servers are configured by those who use it, and need not fit together: a server that never
   * took a token takes no fresh one, and a kubeconfig entry tells the client.
   */
  readonly selfConfigured: boolean;
}

/** Facts of a kind of identity. */
export interface SessionKind extends Named {
  /** A person, who signs in with a browser or a code. */
  readonly person: boolean;
  /**
   * Where the next token comes from: a refresh token; a credential that is sealed in the session; the CI job's own token;
   * nowhere, since somebody gave the only one.
   */
  readonly tokens: "refreshed" | "issued" | "of a job" | "given";
  /** What a session of this kind is called in a sentence. */
  readonly noun: "session" | "profile";
}

/** The clouds and kinds that the names in a file stand for. */
export interface ProviderNames {
  provider(name: string): SessionProvider | undefined;
  kind(name: string): SessionKind | undefined;
  /** True for a group under which some cloud may serve control planes. */
  isControlPlaneApi(group: string): boolean;
}

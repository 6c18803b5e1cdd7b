/** Opens Cloudfleet's API as the profile that acts. */

import { openApiClient } from "../../http/api-client.ts";
import { AppError } from "../../errors.ts";
import { CLOUDFLEET_REFUSALS, type CloudfleetApi, cloudfleetApi } from "./api.ts";
import { checkedApiUrl, CLOUDFLEET_API_URL, operationsOf } from "./operations.ts";
import { isProfile } from "./facts.ts";
import { CLOUDFLEET_ENV_SESSION, sessionOfVariables, variablesSet } from "./profile.ts";
import type { Session } from "../../sessions/session.ts";
import { chooseSession } from "../../sessions/choose.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { freshTokens, keyringLimits, type ProviderContext, requestLimits } from "../context.ts";

/** The profile that acts, and where it is. */
export interface ActingProfile {
  readonly session: Session;
  readonly store: SessionStore;
}

/**
 * The profile that acts: `--profile`, `DATUMCTL_PROFILE`, the `CLOUDFLEET_*` variables, that of `DATUM_SESSION`, of the
 * folder's file or the active session, the first that is Cloudfleet's, the profile `default`.
 *
 * @throws {AppError} `NOT_SIGNED_IN` naming `auth add-profile`, `USAGE` for a session of another provider, and for a key
 * file, which is none of Cloudfleet's
 */
export async function actingProfile(context: ProviderContext): Promise<ActingProfile> {
  const { store, choice, env } = context;
  if (choice.credentialsFile !== undefined && choice.flag === undefined) throw notAKeyFile();
  const { name, session: variable } = choice.variable ?? {};
  const named = choice.flag ?? (name === "DATUMCTL_PROFILE" ? variable : undefined);
  if (named !== undefined) return await namedProfile(context, named);
  if (variablesSet(env)) {
    return {
      session: await store.fromVariables(CLOUDFLEET_ENV_SESSION) ?? await sessionOfVariables(env),
      store,
    };
  }
  // The vendor's own word most often means a session of Datum, which says nothing here.
  const vendors = variable === undefined ? undefined : await store.read(variable);
  if (vendors !== undefined && isProfile(vendors)) return { session: vendors, store };
  const file = await choice.folderFile?.();
  // A session that is named and not here is told of, and no other one acts in its place.
  if (file?.session !== undefined) {
    const chosen = await chooseSession(store, { folderFile: choice.folderFile });
    if (isProfile(chosen.session)) return chosen;
  }
  for (const name of [await store.active(), "default"]) {
    const session = name === undefined ? undefined : await store.read(name);
    if (session !== undefined && isProfile(session)) return { session, store };
  }
  throw new AppError("NOT_SIGNED_IN", "No Cloudfleet profile is chosen, and there is none named default.", {
    hint: `Name one (--profile NAME), or add it: ${ADD}`,
  });
}

const ADD = "datumctl auth add-profile token default ORGANIZATION_ID TOKEN_ID";

async function namedProfile({ store, choice }: ProviderContext, named: string): Promise<ActingProfile> {
  const chosen = await chooseSession(store, choice).catch((thrown) => {
    if (!(thrown instanceof AppError) || thrown.code !== "NOT_SIGNED_IN" || named.startsWith("env:")) {
      throw thrown;
    }
    throw new AppError(thrown.code, thrown.message, {
      hint: `Choose one from datumctl auth list-profiles, or add it: ${ADD.replace(" default ", " NAME ")}`,
      cause: thrown,
    });
  });
  const { session } = chosen;
  if (isProfile(session)) return chosen;
  throw notCloudfleets(session);
}

function notAKeyFile(): AppError {
  return new AppError(
    "USAGE",
    "--credentials-file is a service account's key, and no profile of Cloudfleet.",
    {
      hint: "Name a profile: --profile NAME; see them: datumctl auth list-profiles",
    },
  );
}

function notCloudfleets({ name, provider }: Session): AppError {
  return new AppError(
    "USAGE",
    `The session "${name}" belongs to the provider ${provider}; it is not a Cloudfleet profile.`,
    {
      hint: "See the profiles: datumctl auth list-profiles",
    },
  );
}

/** Cloudfleet as one profile sees it; dispose of it. */
export interface Cloudfleet extends Disposable {
  /** The profile as it was sealed. */
  readonly session: Session;
  /** Where its files are. */
  readonly store: SessionStore;
  /** What is kept of the API with it. */
  readonly kept: Readonly<Record<string, string>>;
  readonly api: CloudfleetApi;
  /** Gets a token for what comes next; with `force`, a new one. */
  readonly prepare: (force?: boolean) => Promise<void>;
  /**
   * The API for a request that must not be interrupted: no Ctrl-C ends it, and it uses the token that
   * {@link Cloudfleet.prepare} got, so that no lock is waited for.
   */
  readonly steady: CloudfleetApi;
}

/**
 * Opens Cloudfleet's API as the profile that acts.
 *
 * @throws {AppError} what {@link actingProfile} and opening a session throw
 */
export async function openCloudfleet(
  context: ProviderContext,
  operations: readonly string[],
): Promise<Cloudfleet> {
  const overrides = operationsOf(operations);
  const acting = await actingProfile(context);
  const own: ProviderContext = { ...context, store: acting.store };
  // As it was sealed: an edited file must not say where its tokens go.
  const { session, credentials } = await acting.store.open(acting.session, keyringLimits(context));
  if (!isProfile(session)) throw notCloudfleets(session);
  const kept = credentials.api ?? {};
  const tokens = freshTokens(own, acting.session);
  const network = context.openNetwork(
    session.certificateAuthority,
    () => context.store.providers.trustLine(session),
  );
  const nextStep = await context.store.providers.signInAgain(session);
  let prepared = "";
  const apiOf = (signal: AbortSignal, token: (force: boolean) => Promise<string>) =>
    cloudfleetApi({
      client: openApiClient({
        ...requestLimits(context),
        signal,
        baseUrl: checkedApiUrl(kept.url ?? CLOUDFLEET_API_URL, `The profile "${session.name}"`),
        what: "Cloudfleet's API",
        who: `the profile "${session.name}"`,
        nextStep,
        refusals: CLOUDFLEET_REFUSALS,
        fetch: network.fetch,
        token,
      }),
      operations: { ...kept, ...overrides },
      organization: session.organization ?? "",
      warn: context.out.warn,
    });
  return {
    session,
    store: acting.store,
    kept,
    api: apiOf(context.interrupted, async (force) => (await tokens(force)).token),
    prepare: async (force = false) => {
      prepared = (await tokens(force)).token;
    },
    steady: apiOf(new AbortController().signal, () => Promise.resolve(prepared)),
    [Symbol.dispose]: () => network[Symbol.dispose](),
  };
}

/** The same context for what must not be interrupted half-way: no Ctrl-C ends its waits. */
export function steadyContext<Context extends ProviderContext>(context: Context): Context {
  const interrupted = new AbortController().signal;
  const host = { ...context.store.host, interrupted };
  return { ...context, interrupted, store: context.store.with({ host }) };
}

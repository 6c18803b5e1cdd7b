/** The clouds that a program knows, and which session the variables give. */

import { AppError } from "../errors.ts";
import type { ProviderNames } from "../sessions/provider.ts";
import type { SessionProviders } from "../sessions/providers.ts";
import type { Session } from "../sessions/session.ts";
import type { EnvironmentSessions } from "../sessions/store.ts";
import { ENV_PREFIX } from "../sessions/name.ts";
import type { Environment } from "../system/environment.ts";
import type { Host } from "../system/host.ts";
import { CLOUDFLEET_PROVIDER } from "./cloudfleet/provider.ts";
import { DATUM_PROVIDER } from "./datum/provider.ts";
import { OIDC_PROVIDER } from "./oidc/provider.ts";
import type { Credentials } from "../sessions/credentials.ts";
import type { NamedTarget, Provider, SessionVariable, SignInTarget } from "./provider.ts";
import { STUDIO_PROVIDER } from "./studio/provider.ts";

/** The clouds of this program. */
export const ALL: readonly Provider[] = [
  DATUM_PROVIDER,
  OIDC_PROVIDER,
  STUDIO_PROVIDER,
  CLOUDFLEET_PROVIDER,
];

/** The clouds that a program knows, the one that is meant unless another is named first. */
export interface Providers extends SessionProviders {
  readonly all: readonly [Provider, ...Provider[]];
  /** The cloud of that name. */
  named(name: string): Provider | undefined;
  /** The cloud of a session. */
  of(session: Pick<Session, "provider">): Provider;
  /** Where a person's session, as it was sealed, is signed in to again; undefined for one that nobody signs in to. */
  renewalTarget(
    session: Session,
    credentials: Pick<Credentials, "clientSecret" | "api">,
  ): Promise<SignInTarget | undefined>;
  /** Where to sign in again when only the session's name is left; undefined where the name does not tell. */
  targetOfName(name: string): Promise<NamedTarget | undefined>;
  /** The error of a command that needs something to act on, with the way to it that the session's cloud has. */
  nothingInUse(session: Pick<Session, "name" | "provider">): Promise<AppError>;
  /** The variable that gives the session of every command; undefined where none is set. */
  variableInForce(env: Environment): string | undefined;
  /**
   * The sessions that variables and key files give. Each is read once in a process.
   *
   * @throws {AppError} `USAGE` for one that cannot be used.
   */
  environmentSessions(host: Pick<Host, "env" | "now">): EnvironmentSessions;
}

/** The registry of these clouds. */
export function providersOf(given: readonly Provider[] = ALL): Providers {
  const [first, ...others] = given;
  if (first === undefined) throw new Error("a program knows one cloud at least");
  const all = [first, ...others] as const;
  const variables = all.flatMap(({ variables }) => variables);
  const named = (name: string) => all.find(({ facts }) => String(facts) === name);
  const of: Providers["of"] = ({ provider }) => named(String(provider)) ?? first;
  const lines = async (session: Pick<Session, "provider">) => await of(session).load();
  return {
    all,
    named,
    of,
    ...namesOf(all),
    signInAgain: async (session) => (await lines(session)).signInAgain(session),
    trustLine: async (session) => (await lines(session)).trustLine(session),
    newLoginLine: async (name, session) => (await lines(session)).newLoginLine(name, session),
    namesServerLine: async (session, server) => (await lines(session)).namesServerLine(session, server),
    afterRefusal: async (session, refusal) => (await lines(session)).afterRefusal(session, refusal),
    async signInOfName(name, entry = {}) {
      const codes = await Promise.all(all.map((one) => one.load()));
      return codes.flatMap((code) => code.signInOfName?.(name, entry) ?? []).join("; ");
    },
    async nothingInUse(session) {
      const { message, hint } = (await lines(session)).nothingInUse(session);
      return new AppError("USAGE", message, { hint });
    },
    async renewalTarget(session, { clientSecret, api }) {
      if (!session.kind.person) return undefined;
      const { signInTarget } = await lines(session);
      return await signInTarget?.({ device: false }, { session, sealed: true, clientSecret, api }, noFlag);
    },
    async targetOfName(name) {
      const codes = await Promise.all(all.map((one) => one.load()));
      return codes.map((code) => code.targetOfName?.(name)).find((target) => target !== undefined);
    },
    variableInForce: (env) => variableInForce(env, all),
    environmentSessions: (host) => environmentSessionsOf(all, variables, host),
  };
}

/** What the names in a file stand for. */
export function namesOf(all: readonly Provider[]): ProviderNames {
  const kinds = new Map(all.flatMap(({ kinds }) => kinds).map((kind) => [String(kind), kind]));
  return {
    provider: (name) => all.find(({ facts }) => String(facts) === name)?.facts,
    kind: (name) => kinds.get(name),
    isControlPlaneApi: (group) => all.some(({ facts }) => facts.controlPlaneApis.includes(group)),
  };
}

/** See {@link Providers.variableInForce}. */
export function variableInForce(env: Environment, all: readonly Provider[]): string | undefined {
  const variables = all.flatMap(({ variables }) => variables);
  return variables.find(({ name, everywhere }) => everywhere && env(name) !== undefined)?.name;
}

/** No flag names a file of a secret. */
function noFlag(): Promise<never> {
  return Promise.reject(new Error("there is no --client-secret-file"));
}

function environmentSessionsOf(
  all: readonly Provider[],
  variables: readonly SessionVariable[],
  { env, now }: Pick<Host, "env" | "now">,
): EnvironmentSessions {
  const sessions = new Map<string, Promise<Session>>();
  const once = async (key: string, read: () => Promise<Session>) => {
    const session = sessions.get(key) ?? read();
    sessions.set(key, session);
    return await session;
  };
  return {
    async fromVariables(wanted) {
      const found = variables.find(({ name, everywhere }) =>
        (wanted === undefined ? everywhere : wanted === `${ENV_PREFIX}${name}`) && env(name) !== undefined
      );
      return found && await once(found.name, () => found.read(env, now));
    },
    async fromKeyFile(path) {
      const read = all.find(({ readKeyFile }) => readKeyFile !== undefined)?.readKeyFile;
      return read && await once(`--credentials-file ${path}`, () => read(env, path));
    },
  };
}

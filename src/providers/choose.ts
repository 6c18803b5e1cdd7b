/** Which cloud a login means. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { Session } from "../sessions/session.ts";
import type { Environment } from "../system/environment.ts";
import { type LoginInput, SHARED_FLAGS } from "./flags.ts";
import type { Provider, ProviderCode } from "./provider.ts";
import type { Providers } from "./registry.ts";

/** What names a cloud. */
export interface ProviderChoice {
  /** `--provider`. */
  readonly flag: string | undefined;
  readonly flags: Partial<LoginInput>;
  /** The session that is renewed. */
  readonly renewed: Pick<Session, "provider"> | undefined;
  readonly env: Environment;
}

/** A cloud with its code. */
interface Loaded {
  readonly provider: Provider;
  readonly code: ProviderCode;
}

/**
 * The cloud that a login means. What counts first: the flag, flags that certainly mean one, a session to renew, the
 * variable `DATUMCTL_PROVIDER`, flags that only one has. Nobody is asked what they are.
 *
 * @throws {AppError} `USAGE` for one that is not known, or a flag that it does not know.
 */
export async function chosenProvider(providers: Providers, choice: ProviderChoice): Promise<Provider> {
  const loaded = await Promise.all(
    providers.all.map(async (provider) => ({ provider, code: await provider.load() })),
  );
  const provider = namedProvider(providers, loaded, choice);
  const given = flagsOf(loaded).filter(({ name }) => choice.flags[name] !== undefined);
  for (const flag of given) {
    if (flag.knowers.includes(provider)) continue;
    throw new AppError("USAGE", `${flag.words} is not for the provider ${provider.facts}.`, {
      hint: wayOutOf(flag, given),
    });
  }
  return provider;
}

/** A flag that not every cloud knows. */
interface Flag {
  readonly name: string;
  /** As it is typed: `--expires-in`. */
  readonly words: string;
  readonly knowers: readonly Provider[];
}

function flagsOf(loaded: readonly Loaded[]): Flag[] {
  const shared = Object.entries(SHARED_FLAGS).map(([name, words]) => ({
    name,
    words,
    knowers: loaded.filter(({ code }) => code.flags.some((known) => known === name))
      .map(({ provider }) => provider),
  }));
  const own = loaded.flatMap(({ provider, code: { ownFlags = [] } }) =>
    ownFlags.map(({ name, usage }) => ({
      name,
      words: /--[a-z-]+/.exec(usage)?.[0] ?? usage,
      knowers: [provider],
    }))
  );
  return [...shared, ...own];
}

/** The cloud that knows the flag and all the others; else the two flags that exclude each other. */
function wayOutOf({ words, knowers }: Flag, given: readonly Flag[]): string {
  const fitting = knowers.find((knower) => given.every((other) => other.knowers.includes(knower)));
  if (fitting !== undefined) {
    return `It is for the provider ${namesOf(knowers)}: --provider ${fitting.facts}`;
  }
  const against = given.find((other) => !other.knowers.some((provider) => knowers.includes(provider)));
  return against === undefined
    ? `Leave it out, or the others: it is for the provider ${namesOf(knowers)}.`
    : `Leave out ${against.words}, or ${words}, which is for the provider ${namesOf(knowers)}.`;
}

function namedProvider(
  providers: Providers,
  loaded: readonly Loaded[],
  { flag, flags, renewed, env }: ProviderChoice,
): Provider {
  const meant = (how: "certainly" | "perhaps") =>
    loaded.find(({ code }) => code.meant?.(flags, env) === how)?.provider;
  if (flag !== undefined) return known(providers, flag, "The provider");
  const certainly = meant("certainly");
  if (certainly !== undefined) return certainly;
  if (renewed !== undefined) return providers.of(renewed);
  const variable = env("DATUMCTL_PROVIDER");
  if (variable !== undefined) return known(providers, variable, "DATUMCTL_PROVIDER: the provider");
  return meant("perhaps") ?? providers.all[0];
}

function namesOf(providers: readonly Provider[]): string {
  return providers.map(({ facts }) => facts).join(" and ");
}

function known({ named, all }: Providers, name: string, what: string): Provider {
  const found = named(name);
  if (found !== undefined) return found;
  throw new AppError("USAGE", `${what} "${printable(name, 60)}" is not known.`, {
    hint: `Available: ${all.map(({ facts }) => facts).join(", ")}.`,
  });
}

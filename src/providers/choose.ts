/** Which cloud a login means. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { Session } from "../sessions/session.ts";
import type { Environment } from "../system/environment.ts";
import { type FlagName, FLAGS, type LoginFlags } from "./flags.ts";
import type { Provider, ProviderCode } from "./provider.ts";
import type { Providers } from "./registry.ts";

/** What names a cloud. */
export interface ProviderChoice {
  /** `--provider`. */
  readonly flag: string | undefined;
  readonly flags: LoginFlags;
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
  const names = Object.keys(FLAGS) as FlagName[];
  for (const name of names) {
    const knowers = knowersOf(loaded, name);
    if (knowers.includes(provider) || choice.flags[name] === undefined) continue;
    throw new AppError("USAGE", `${FLAGS[name]} is not for the provider ${provider.facts}.`, {
      hint: wayOutOf(loaded, name, names.filter((name) => choice.flags[name] !== undefined)),
    });
  }
  return provider;
}

function knowersOf(loaded: readonly Loaded[], name: FlagName): Provider[] {
  return loaded.filter(({ code }) => code.flags.includes(name)).map(({ provider }) => provider);
}

/** The cloud that knows the flag and all the others, else the flags of which one must go. */
function wayOutOf(loaded: readonly Loaded[], wrong: FlagName, given: readonly FlagName[]): string {
  const knowers = knowersOf(loaded, wrong);
  const others = given.map((name) => ({ words: FLAGS[name], known: knowersOf(loaded, name) }));
  const fitting = knowers.find((knower) => others.every(({ known }) => known.includes(knower)));
  if (fitting !== undefined) {
    return `It is for the provider ${namesOf(knowers)}: --provider ${fitting.facts}`;
  }
  const against = others.find(({ known }) => !known.some((provider) => knowers.includes(provider)));
  return against === undefined
    ? `Leave it out, or the others: it is for the provider ${namesOf(knowers)}.`
    : `Leave out ${against.words}, or ${FLAGS[wrong]}, which is for the provider ${namesOf(knowers)}.`;
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

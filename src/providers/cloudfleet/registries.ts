/** Cloudfleet's container registries: their host names, and which profile's API token is for which of them. */

import { AppError } from "../../errors.ts";
import { isObject } from "../../encoding.ts";
import { printable, shellLine } from "../../text.ts";
import type { KeyringLimits } from "../../keyring/store.ts";
import type { Credentials } from "../../sessions/credentials.ts";
import type { OpenedSession } from "../../sessions/open.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { readTextFile } from "../../system/files.ts";
import type { ProviderContext } from "../context.ts";
import { isApiToken, isProfile } from "./facts.ts";
import { CLOUDFLEET_API_URL } from "./operations.ts";

/** Where the registries of Cloudfleet's organizations are: `<organization>.<region>.registry.cloudfleet.dev`. */
const DOMAIN = "registry.cloudfleet.dev";

/** The regions that have registries, by the vendor's public documentation. */
export const REGISTRY_REGIONS = ["europe", "northamerica", "apac"] as const;

/** Where `api` of the sealed credentials has the registries that a person named, with blanks between them. */
const NAMED = "registries";

/** How many registries can be named for a profile. */
const MOST_NAMED = 32;

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST = new RegExp(`^(?=.{1,253}(?::|$))${LABEL}(?:\\.${LABEL})*(?::[1-9]\\d{0,4})?$`);
const OF_CLOUDFLEET = new RegExp(`^(${LABEL})\\.${LABEL}\\.${DOMAIN.replaceAll(".", "\\.")}$`);

/**
 * The registry that a server's address names, as Docker and its relatives write it: `host`, `host:port`,
 * `https://host/v2/`. Undefined for what is no registry's address, and for plain http, which would show the secret.
 */
export function registryOf(server: string): string | undefined {
  const [, authority = ""] = /^(?:https:\/\/)?([^/]*)(?:\/[\w./~-]*)?$/i.exec(server) ?? [];
  const host = authority.toLowerCase().replace(/:443$/, "");
  return HOST.test(host) ? host : undefined;
}

/** The organization whose registry at Cloudfleet this is; undefined for any other host. */
export function organizationOf(registry: string): string | undefined {
  return OF_CLOUDFLEET.exec(registry)?.[1];
}

/**
 * The registries of a profile's organization, one in each region.
 *
 * @throws {AppError} `USAGE` for a profile of another API than Cloudfleet's own, whose registries nobody knows
 */
export function usualRegistries({ session, credentials }: OpenedSession): string[] {
  const organization = session.organization?.toLowerCase() ?? "";
  const hosts = REGISTRY_REGIONS.map((region) => `${organization}.${region}.${DOMAIN}`);
  if (isCloudfleetsOwn(credentials) && hosts.every((host) => organizationOf(host) === organization)) {
    return hosts;
  }
  throw new AppError("USAGE", `Which registries go with the profile "${session.name}" is not known.`, {
    hint: "Name them: --registry HOST",
  });
}

/** What docker is given for a registry. */
export interface RegistryCredential {
  readonly username: string;
  readonly secret: string;
  /** The profile that it is of. */
  readonly profile: string;
}

/**
 * The API token for a registry: of the profile that `--profile` or {@link pinRegistries} names, else of the one of that
 * organization. Undefined where no profile is for this registry. Nobody is asked to unlock a keyring.
 *
 * @throws {AppError} `NOT_SIGNED_IN` for a profile that is gone, `USAGE` where several could be meant, `WRONG_HOST` for one
 * that is not for this registry, and what opening it throws
 */
export async function registryCredential(
  context: ProviderContext,
  registry: string,
): Promise<RegistryCredential | undefined> {
  const { store, interrupted, choice } = context;
  const named = choice.flag ?? (await pinnedRegistries(store)).get(registry);
  const stored = named === undefined
    ? await onlyProfileFor(context, registry)
    : await namedProfile(store, named, registry);
  if (stored === undefined) return undefined;
  const limits: KeyringLimits = { timeout: KEYRING_TIME, signal: interrupted, quiet: true };
  const opened = await store.open(stored, limits);
  const { session, credentials } = opened;
  if (!isProfile(session) || !isApiToken(session) || !isFor(registry, opened)) {
    throw new AppError("WRONG_HOST", `The profile "${session.name}" is not for the registry ${registry}.`, {
      hint: `Choose its profile: ${configureLine(registry, "NAME")}`,
    });
  }
  const { clientId: username, clientSecret: secret } = credentials;
  if (secret === undefined) {
    throw new AppError("STORAGE", `The profile "${session.name}" holds no secret of its token.`, {
      hint: await store.providers.signInAgain(session),
    });
  }
  return { username, secret, profile: session.name };
}

/** Docker waits for the answer: in milliseconds. */
const KEYRING_TIME = 10_000;

async function namedProfile(store: SessionStore, name: string, registry: string): Promise<Session> {
  const session = await store.read(name);
  if (session !== undefined) return session;
  throw new AppError(
    "NOT_SIGNED_IN",
    `There is no profile "${printable(name, 80)}" here for the registry ${registry}.`,
    {
      hint: `Choose another one: ${configureLine(registry, "NAME")}`,
    },
  );
}

/** The profile of the registry's organization: the one that is in use, `default`, or the only one. */
async function onlyProfileFor(context: ProviderContext, registry: string): Promise<Session | undefined> {
  const { store, choice } = context;
  const organization = organizationOf(registry);
  if (organization === undefined) return undefined;
  const { sessions } = await store.list();
  // By their files' words; what is sealed is looked at when one is opened.
  const found = sessions.filter((session) =>
    isProfile(session) && isApiToken(session) && session.organization?.toLowerCase() === organization
  );
  const [only, ...others] = found;
  if (others.length === 0) return only;
  for (const name of [choice.variable?.session, await store.active(), "default"]) {
    const chosen = found.find((session) => session.name === name);
    if (chosen !== undefined) return chosen;
  }
  const names = found.map(({ name }) => name).join(", ");
  throw new AppError("USAGE", `Several profiles are for the registry ${registry}: ${names}.`, {
    hint: `Choose one: ${configureLine(registry, "NAME")}`,
  });
}

function isFor(registry: string, opened: OpenedSession): boolean {
  return isOwnRegistry(registry, opened) || namedRegistries(opened.credentials).includes(registry);
}

/** True for a registry that needs no allowance of a person: the organization's own at Cloudfleet. */
export function isOwnRegistry(registry: string, { session, credentials }: OpenedSession): boolean {
  const owner = organizationOf(registry);
  return owner !== undefined && owner === session.organization?.toLowerCase() &&
    isCloudfleetsOwn(credentials);
}

function isCloudfleetsOwn({ api }: Credentials): boolean {
  return new URL(api?.url ?? CLOUDFLEET_API_URL).origin === new URL(CLOUDFLEET_API_URL).origin;
}

/** The registries that a person named for a profile, beside its organization's own. */
function namedRegistries({ api }: Credentials): readonly string[] {
  return (api?.[NAMED] ?? "").split(" ").filter((host) => host !== "");
}

/** The line that makes docker use a profile for a registry. */
function configureLine(registry: string, profile: string): string {
  return shellLine([
    ...["datumctl", "auth", "configure-docker", "--registry", registry, "--profile", profile],
  ]);
}

/**
 * Allows registries for a profile, or with `allowed` false no longer. Those of its organization at Cloudfleet need no
 * allowance; any other one is sealed with the profile, so that no edited file can add to them.
 *
 * @throws {AppError} `USAGE` for another organization's registry and for too many; as opening the profile does; `STORAGE`,
 * `BUSY`
 */
export async function allowRegistries(
  store: SessionStore,
  name: string,
  registries: readonly string[],
  limits: KeyringLimits,
  allowed = true,
): Promise<void> {
  using _lock = await store.lock(name);
  const stored = await store.read(name);
  if (stored === undefined) return;
  const opened = await store.open(stored, limits);
  const { session, credentials, key } = opened;
  if (key === undefined) return;
  const before = namedRegistries(credentials);
  const others = before.filter((host) => !registries.includes(host));
  const after = allowed
    ? [...others, ...registries.filter((host) => before.includes(host) || !isFor(host, opened))]
    : others;
  if (after.length === before.length && after.every((host) => before.includes(host))) return;
  if (after.length > MOST_NAMED) {
    throw new AppError("USAGE", `The profile "${name}" would be for ${after.length} registries.`, {
      hint: `At most ${MOST_NAMED} can be named: remove some with datumctl auth configure-docker --remove`,
    });
  }
  const { [NAMED]: _, ...api } = credentials.api ?? {};
  if (after.length > 0) api[NAMED] = after.join(" ");
  const replacement = await store.prepare(name, stored, key);
  try {
    await replacement.commit(session, { ...credentials, api });
  } catch (thrown) {
    await replacement.discard();
    throw thrown;
  }
}

/**
 * Refuses the registry of another organization: its images cannot be reached with this profile's token.
 *
 * @throws {AppError} `USAGE`
 */
export function checkOrganization(registry: string, { name, organization = "" }: Session): void {
  const owner = organizationOf(registry);
  if (owner === undefined || owner === organization.toLowerCase()) return;
  throw new AppError(
    "USAGE",
    `${registry} is the registry of the organization ${owner}; the profile "${name}" is of ${
      printable(organization)
    }.`,
    { hint: "Name a profile of that organization: --profile NAME" },
  );
}

/** Which profile was chosen for which registry. The choice says nothing of what a profile is allowed. */
export async function pinnedRegistries(store: SessionStore): Promise<ReadonlyMap<string, string>> {
  const { [NAMED]: pinned } = await store.parseConfig(await readTextFile(store.configPath));
  if (!isObject(pinned)) return new Map();
  return new Map(
    Object.entries(pinned).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/**
 * Chooses a profile for registries; with undefined the choice is taken back.
 *
 * @throws {AppError} `STORAGE`, `BUSY`
 */
export async function pinRegistries(
  store: SessionStore,
  registries: readonly string[],
  profile: string | undefined,
): Promise<void> {
  const { changeConfig } = await import("../../sessions/write.ts");
  await changeConfig(store, (config) => {
    const before = isObject(config[NAMED]) ? config[NAMED] : {};
    const after: Record<string, unknown> = { ...before };
    for (const registry of registries) {
      if (profile === undefined) delete after[registry];
      else after[registry] = profile;
    }
    if (JSON.stringify(after) === JSON.stringify(before)) return config;
    const { [NAMED]: _, ...rest } = config;
    return Object.keys(after).length === 0 ? rest : { ...rest, [NAMED]: after };
  }, store.host.interrupted);
}

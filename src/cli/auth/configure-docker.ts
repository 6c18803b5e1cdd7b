/** `auth configure-docker`: makes Docker get the credentials of Cloudfleet's registries from a profile. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { isApiToken } from "../../providers/cloudfleet/facts.ts";
import { actingProfile } from "../../providers/cloudfleet/open.ts";
import {
  allowRegistries,
  checkOrganization,
  isOwnRegistry,
  pinnedRegistries,
  pinRegistries,
  registryOf,
  usualRegistries,
} from "../../providers/cloudfleet/registries.ts";
import type { OpenedSession } from "../../sessions/open.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { printable, shellLine } from "../../text.ts";
import { formatFacts } from "../output/table.ts";
import { valueOption } from "../complete/declare.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "../context.ts";
import { type DockerConfig, dockerConfigPath, readDockerConfig, setHelpers } from "../docker/config-file.ts";
import { HELPER, HELPER_NAME } from "../docker/helper-script.ts";
import { type HelperPlan, placeHelper, planHelper } from "../docker/helper.ts";
import { repeated } from "../repeated.ts";
import { isFromEnvironment } from "../session-life.ts";

/** `auth configure-docker`. */
export function configureDockerCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("configure-docker")
    .description("Let Docker get the credentials of Cloudfleet's registries from a profile")
    .addOption(
      valueOption(
        "nothing",
        "--registry <host>",
        "registry to use the profile for; repeatable (default: its organization's, in each region)",
      ).argParser(repeated),
    )
    .addOption(
      valueOption(
        "file",
        "--config <path>",
        "file to write (default: $DOCKER_CONFIG/config.json, else ~/.docker/config.json)",
      ),
    )
    .option("--remove", "take the entries out again: those of --registry, or all that name datumctl")
    .option("--dry-run", "print what would be written, and write nothing")
    .addHelpText(
      "after",
      `
Examples:
  datumctl auth configure-docker
  datumctl auth configure-docker --profile ci
  datumctl auth configure-docker \\
      --registry ORGANIZATION_ID.europe.registry.cloudfleet.dev
  datumctl auth configure-docker --remove

The profile is an API token of Cloudfleet. Docker then runs docker-credential-datumctl, which is
written beside datumctl, or into ~/.local/bin, unless a package brought it.`,
    );
  command.action((flags) => runConfigureDocker(contextOf(command), flags));
  return command;
}

/** The flags of `auth configure-docker`, as they were typed. */
export interface ConfigureDockerInput {
  readonly registry?: readonly string[] | undefined;
  readonly config?: string | undefined;
  readonly remove?: true | undefined;
  readonly dryRun?: true | undefined;
}

/**
 * Writes the helper, notes the profile of each registry, and then tells Docker of it; or takes that back.
 *
 * @throws {AppError} `USAGE` for a profile or registry that cannot be used; what opening the profile throws; `STORAGE`, `BUSY`
 */
export async function runConfigureDocker(cli: CommandContext, input: ConfigureDockerInput): Promise<void> {
  const registries = input.registry && [...new Set(input.registry.map(checkedRegistry))];
  const path = await dockerConfigPath(input.config, cli.env);
  const config = await readDockerConfig(path);
  if (input.remove) return await remove(cli, { path, config, registries, dryRun: input.dryRun ?? false });
  const { opened, store } = await openProfile(cli);
  const { session } = opened;
  for (const registry of registries ?? []) checkOrganization(registry, session);
  const chosen = registries ?? usualRegistries(opened);
  const helper = await planHelper(cli.env, store.folders);
  const plan: Plan = { path, config, registries: chosen, opened, store, helper };
  await (input.dryRun ? preview(cli, plan) : configure(cli, plan));
}

interface Plan {
  readonly path: string;
  readonly config: DockerConfig;
  readonly registries: readonly string[];
  readonly opened: OpenedSession;
  readonly store: SessionStore;
  readonly helper: HelperPlan;
}

/** @throws {AppError} `USAGE` */
function checkedRegistry(typed: string): string {
  const registry = registryOf(typed);
  if (registry !== undefined) return registry;
  throw new AppError("USAGE", `--registry: "${printable(typed, 100)}" is not a registry's host.`, {
    hint: "Write it as it stands before an image's name: ORGANIZATION_ID.europe.registry.cloudfleet.dev",
  });
}

/**
 * The profile that Docker is to use, as it was sealed.
 *
 * @throws {AppError} `NOT_SIGNED_IN`; `USAGE` for one that has no API token, or that Docker could not find
 */
async function openProfile(
  cli: CommandContext,
): Promise<{ readonly opened: OpenedSession; readonly store: SessionStore }> {
  const { session: chosen, store } = await actingProfile(cli);
  if (isFromEnvironment(chosen) || store.project !== undefined) {
    throw new AppError(
      "USAGE",
      `Docker cannot use the profile "${chosen.name}": it is not stored with yours.`,
      {
        hint:
          "Store its token: datumctl auth add-profile token NAME ORGANIZATION_ID TOKEN_ID; then name it: --profile NAME",
      },
    );
  }
  const opened = await store.open(chosen, keyringLimits(cli));
  if (isApiToken(opened.session)) return { opened, store };
  throw new AppError("USAGE", `The profile "${chosen.name}" is a person's; registries take API tokens.`, {
    hint: "Make one: datumctl tokens create --name docker --role User --save-profile docker; then: " +
      "datumctl auth configure-docker --profile docker",
  });
}

async function configure(cli: CommandContext, plan: Plan): Promise<void> {
  const { path, registries, opened: { session }, store } = plan;
  await allowRegistries(store, session.name, registries, keyringLimits(cli));
  const helper = await placeHelper(plan.helper);
  await pinRegistries(store, registries, session.name);
  // Last: Docker fails where it is told of a helper that is not there.
  const changed = await setHelpers(path, registries, true);
  const { out, style } = cli;
  const facts = [
    ["Docker config", `${printable(path)}${changed ? "" : " (nothing to change)"}`],
    ["Helper", printable(helper)],
    ["Profile", `${session.name} (token ${printable(session.clientId)})`],
    ...registries.map((registry) => ["Registry", registry] as const),
  ] as const;
  out.text(await formatFacts(facts, style.out));
  note(cli, plan);
  out.info(`Next: docker pull ${registries[0]}/IMAGE`);
}

function preview(cli: CommandContext, plan: Plan): void {
  const { path, config, registries, opened: { session }, helper } = plan;
  const { out } = cli;
  out.line(`Would write ${printable(path)}:`);
  for (const registry of registries) {
    out.line(`  credHelpers "${registry}": "${HELPER_NAME}"${wasBefore(config, registry)}`);
  }
  if (helper.present === undefined) {
    out.line(`Would write the helper ${helper.places.map((place) => printable(place)).join(", else ")}.`);
  } else out.line(`The helper is there: ${printable(helper.present)}`);
  out.line(`Docker would use the profile ${session.name} (token ${printable(session.clientId)}).`);
  note(cli, plan);
}

function wasBefore({ helpers }: DockerConfig, registry: string): string {
  const before = helpers.get(registry);
  if (before === HELPER_NAME) return " (as it is)";
  return before === undefined ? "" : ` instead of "${printable(before, 60)}"`;
}

/** Says what takes precedence over what, and what is unusual. */
function note({ out }: CommandContext, { config, registries, opened, helper }: Plan): void {
  for (const registry of registries) {
    if (!isOwnRegistry(registry, opened)) {
      out.important(
        `warning: ${registry} is not one of Cloudfleet's registries that are known here: docker will send it the ` +
          "token's secret.",
      );
    }
    const before = config.helpers.get(registry);
    if (before !== undefined && before !== HELPER_NAME) {
      out.info(`Docker asked docker-credential-${printable(before, 60)} for ${registry} before.`);
    }
    const login = [registry, `https://${registry}`].find((name) => config.logins.has(name));
    if (login !== undefined) {
      out.info(
        `The file holds a login for ${registry}, readable to your programs; docker no longer uses it. ` +
          `To remove it: ${shellLine(["docker", "logout", login])}`,
      );
    }
  }
  if (config.store !== undefined) {
    out.info(
      `For these registries docker no longer asks docker-credential-${
        printable(config.store, 60)
      } (credsStore): ` +
        "credHelpers comes first.",
    );
  }
  if (helper.movable !== undefined) {
    out.warn(`${HELPER} runs ${printable(helper.movable)}; if an upgrade moves it, run this command again.`);
  }
  if (helper.leadsTo !== undefined) {
    out.warn(`${HELPER} runs ${printable(helper.leadsTo)}, which is another program than this one.`);
  }
}

/** Takes the entries out of Docker's file, and back what was noted for them here. */
async function remove(
  cli: CommandContext,
  { path, config, registries, dryRun }: {
    readonly path: string;
    readonly config: DockerConfig;
    readonly registries: readonly string[] | undefined;
    readonly dryRun: boolean;
  },
): Promise<void> {
  const { store, out } = cli;
  const ours = [...config.helpers].filter(([, helper]) => helper === HELPER_NAME).map(([registry]) =>
    registry
  );
  const pinned = await pinnedRegistries(store);
  const wanted = (registry: string) => registries === undefined || registries.includes(registry);
  const entries = ours.filter(wanted);
  // A choice without an entry was left by somebody who edited the file.
  const choices = registries === undefined ? entries : registries.filter((registry) => pinned.has(registry));
  if (entries.length === 0 && choices.length === 0) {
    out.line(
      `${printable(path)} names datumctl for ${registries === undefined ? "no registry" : "none of these"}.`,
    );
    return;
  }
  if (dryRun) {
    for (const registry of entries) out.line(`Would remove ${printable(registry)} from ${printable(path)}`);
    return;
  }
  // First: Docker must not ask a helper that would find nothing.
  if (entries.length > 0) await setHelpers(path, entries, false);
  for (const [profile, hosts] of byProfile(pinned, [...new Set([...entries, ...choices])])) {
    await allowRegistries(store, profile, hosts, keyringLimits(cli), false);
    await pinRegistries(store, hosts, undefined);
  }
  for (const registry of entries) out.line(`Removed ${printable(registry)} from ${printable(path)}`);
  out.info("The profile stays; docker now uses its own logins for these registries.");
}

function byProfile(
  pinned: ReadonlyMap<string, string>,
  registries: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const registry of registries) {
    const profile = pinned.get(registry);
    if (profile !== undefined) found.set(profile, [...found.get(profile) ?? [], registry]);
  }
  return found;
}

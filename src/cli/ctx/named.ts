/** Finds the organization or project that a text means: by its ids, else by what people call it. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { checkedScope } from "../../providers/datum/control-plane-address.ts";
import { isScopeId } from "../../providers/datum/facts.ts";
import { type Target, targetName, type TargetRow } from "./targets.ts";

/**
 * A text as ORG or ORG/PROJECT of ids; undefined where it can only be made of what people call them.
 *
 * @throws {AppError} `USAGE` for a text with nothing before or behind a slash
 */
export function idsOf(text: string): Target | undefined {
  if (text.trim() === "" || text.startsWith("/") || text.endsWith("/")) {
    throw new AppError("USAGE", `"${printable(text, 80)}" is neither ORG nor ORG/PROJECT.`, {
      hint: "For example: datumctl ctx use my-org-id/my-project-id",
    });
  }
  const [organization = "", project, ...more] = text.split("/");
  if (more.length > 0 || !isScopeId(organization)) return undefined;
  return project === undefined || isScopeId(project) ? { organization, project } : undefined;
}

/** A target whose ids are checked, since they become parts of addresses. @throws {AppError} `USAGE` */
export function checkedTarget({ organization, project }: Target): Target {
  checkedScope("organization", organization);
  if (project !== undefined) checkedScope("project", project);
  return { organization, project };
}

/**
 * The listed target that a text means: of those that it spells, the ones with the most ids in it. Display names are
 * compared as they are shown; letter case counts only where another target is spelled so. Undefined where nothing is; a
 * project's id alone means nothing, but keeps others that are called so from being meant.
 *
 * @throws {AppError} `USAGE`, naming the ids, where several are meant
 */
export function namedTarget(all: readonly TargetRow[], text: string): TargetRow | undefined {
  // What begins with an organization's id means nothing of another one, whatever that calls itself.
  const within = all.filter(({ organization }) => text.startsWith(`${organization}/`));
  const rows = within.length === 0 ? all : within;
  for (const same of [shownAs, inSmallLetters]) {
    const wanted = same(text);
    for (let rank = 0; rank < RANKS; rank++) {
      const found = rows.filter((row) => spellings(row)[rank]?.some((one) => same(one) === wanted));
      if (found.length > 1) throw ambiguous(text, found);
      const [meant] = found;
      if (meant === undefined) continue;
      const rivals = rank < RANKS - 1 ? [] : projectsOfId(rows, same, wanted).filter((row) => row !== meant);
      if (rivals.length > 0) throw ambiguous(text, [...rivals, meant]);
      return meant;
    }
  }
  return undefined;
}

/** Anybody can call theirs by the id of somebody else's project. */
function projectsOfId(
  rows: readonly TargetRow[],
  same: (text: string) => string,
  wanted: string,
): readonly TargetRow[] {
  return rows.filter(({ project }) => project !== undefined && same(project) === wanted);
}

const RANKS = 4;

/** How a target is written, those with the most ids first. A slash in a name is a part of the name. */
function spellings(
  { organization, within, project, displayName }: TargetRow,
): readonly (readonly string[])[] {
  const called = displayName === undefined ? [] : [displayName];
  if (project === undefined) return [[organization], [], [], called];
  const byName = within === undefined ? [] : [within];
  return [
    [`${organization}/${project}`],
    called.map((name) => `${organization}/${name}`),
    byName.map((name) => `${name}/${project}`),
    [...called, ...byName.flatMap((name) => called.map((own) => `${name}/${own}`))],
  ];
}

function shownAs(text: string): string {
  return printable(text, Infinity).normalize("NFC");
}

function inSmallLetters(text: string): string {
  return shownAs(text).toLowerCase();
}

const MOST_NAMED = 5;

function ambiguous(text: string, found: readonly TargetRow[]): AppError {
  const names = found.slice(0, MOST_NAMED).map(targetName).join(", ");
  const more = found.length > MOST_NAMED ? ` and ${found.length - MOST_NAMED} more` : "";
  return new AppError("USAGE", `"${printable(text, 80)}" is the name of several: ${names}${more}.`, {
    hint: `Name one by its id: datumctl ctx use ${targetName(found[0] ?? { organization: "ORG" })}`,
  });
}

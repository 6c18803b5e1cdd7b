/** Looks for what other programs keep: kubeconfig entries, kubelogin's cache, Datum's own datumctl, DataChain. */

import { AppError } from "../../errors.ts";
import type { Kubeconfig } from "../../kubeconfig/file.ts";
import { configText, datachainConfigPath, studioTableIn } from "../../providers/studio/config-file.ts";
import { isStudio } from "../../providers/studio/facts.ts";
import { studioHost } from "../../providers/studio/token-fields.ts";
import { isLive, type Session } from "../../sessions/session.ts";
import type { Clock } from "../../system/clock.ts";
import { type Environment, homeOf, operatingSystem } from "../../system/environment.ts";
import { readSharedFile } from "../../system/shared-file.ts";
import { printable } from "../../text.ts";
import { findEntries } from "./entries.ts";
import { type Finding, isOffered } from "./found.ts";
import { refusalOf } from "./kubelogin.ts";
import { vendorFindings, type VendorPlaces, vendorSessions } from "./vendor.ts";

/** Where it is looked. */
export interface Places extends Pick<VendorPlaces, "keyringItem"> {
  readonly env: Environment;
  readonly kubeconfig: Kubeconfig;
  /** The sessions that are stored here. */
  readonly sessions: readonly Session[];
  readonly now: Clock;
  /** The folder that the process works in; undefined when it is gone. */
  readonly workingFolder: string | undefined;
}

/** All that is found, the kubeconfig's entries first. */
export async function findOthers(places: Places): Promise<Finding[]> {
  const { env, kubeconfig, keyringItem, sessions } = places;
  const home = homeOf(env);
  const vendor = home === undefined ? [] : await vendorSessions({ home, keyringItem });
  const entries = await findEntries(kubeconfig, {
    env,
    vendor,
    ours: new Set(sessions.map(({ name }) => name)),
  });
  const taken = new Set(entries.filter(isOffered).flatMap(({ session }) => session ?? []));
  return [...entries, ...vendorFindings(vendor, taken), ...await datachain(places)];
}

const LARGEST_CONFIG = 1024 * 1024;

/** DataChain's token, the person's own and the working folder's. */
async function datachain({ env, sessions, now, workingFolder: folder }: Places): Promise<Finding[]> {
  const paths: string[] = [];
  const none = refusalOf(() => void paths.push(datachainConfigPath({ env, os: operatingSystem })));
  if (none === undefined && folder !== undefined) {
    paths.push(datachainConfigPath({ env, os: operatingSystem }, folder));
  }
  const found: Finding[] = [];
  for (const path of new Set(paths)) {
    const table = await tableAt(path);
    if (table === undefined) continue;
    const { url, team, token } = table;
    const finding = { tool: "DataChain", name: found.length === 0 ? "datachain" : "datachain-project" };
    const here = { ...finding, place: path, notes: [] };
    const problem = refusalOf(() => void studioHost(url, "its address")) ?? whyNot(url, sessions, now());
    if (problem !== undefined) found.push({ ...here, problem });
    else found.push({ ...here, kept: { kind: "studio", path, url, token, team } });
  }
  return found;
}

async function tableAt(path: string) {
  try {
    const text = configText(await readSharedFile(path, LARGEST_CONFIG), path);
    return text === undefined ? undefined : studioTableIn(text, path);
  } catch (thrown) {
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

function whyNot(url: string, sessions: readonly Session[], now: number): string | undefined {
  const host = studioHost(url, "its address");
  const there = sessions.find((session) =>
    isStudio(session) && session.issuer === host && isLive(session, now)
  );
  return there === undefined ? undefined : `the session ${printable(there.name)} is signed in there already`;
}

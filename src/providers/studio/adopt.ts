/** Makes a session of the token that DataChain's own tools keep; both go on to use it. */

import type { SavedSession } from "../../sessions/save.ts";
import type { ProviderContext } from "../context.ts";
import type { StudioTable } from "./config-file.ts";
import { saveToken, type StudioSavePlan } from "./save.ts";
import { STUDIO_DAYS, studioHost } from "./token-fields.ts";

const DAY = 24 * 3600_000;

/** The token's name where nobody tells it: DataChain does not keep it. */
const NAME = "datachain";

/** How the session is kept. */
export type AdoptionPlan = Pick<
  StudioSavePlan,
  "wantedName" | "keyStores" | "moveKey" | "certificateAuthority"
>;

/**
 * Stores the token as a session. When it ends is told by nobody: the session ends after the longest life that Studio gives
 * unless it is told. A logout revokes the token, and takes it out of that file too.
 *
 * @param path the file that the token stands in
 * @throws {AppError} `USAGE` for an address that cannot be used, or a host that is signed in to; what storing throws
 */
export async function adoptToken(
  context: ProviderContext,
  { url, token, team }: StudioTable,
  path: string,
  plan: AdoptionPlan,
): Promise<SavedSession> {
  const { saved } = await saveToken(context, context.store, {
    ...plan,
    host: studioHost(url, "DataChain's configuration"),
    replaced: [],
    force: false,
    keyring: undefined,
    browserCommand: undefined,
    exportedTo: path,
  }, { token, name: NAME, scopes: [], team, expires: context.now() + STUDIO_DAYS * DAY });
  return saved;
}

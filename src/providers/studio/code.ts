/** What DataChain Studio does otherwise than other clouds. */

import { AppError } from "../../errors.ts";
import type { UnstoredSession } from "../../sessions/providers.ts";
import type { Environment } from "../../system/environment.ts";
import type { LoginInput } from "../flags.ts";
import { loginLine, sessionLines } from "../lines.ts";
import type { ProviderCode } from "../provider.ts";
import { STUDIO_HOST, STUDIO_SCOPES, studioHost } from "./token-fields.ts";

/** Studio's code. */
export const STUDIO_CODE: ProviderCode = {
  ...sessionLines({ ownKind: { what: "Sign in again", line: renewalLine } }),
  flags: ["hostname"],
  ownFlags: [
    {
      name: "name",
      usage: "-n, --name <name>",
      description: "name of the token at Studio (default: Studio chooses)",
    },
    {
      name: "team",
      usage: "--team <team>",
      description: "team that the token is for; repeatable",
      repeatable: true,
    },
    {
      name: "expiresIn",
      usage: "--expires-in <days>",
      description: "lifetime of the token in days (default: 365)",
    },
    {
      name: "local",
      usage: "--local",
      description: "keep the session in this folder, for it and its subfolders",
    },
    {
      name: "force",
      usage: "--force",
      description: "replace the session of that host, and revoke its token",
    },
    {
      name: "exportDatachain",
      usage: "--export-datachain",
      description: "also write the token where DataChain's own tools look",
    },
  ],
  async signIn(...given) {
    const { signInAtStudio } = await import("./sign-in.ts");
    await signInAtStudio(...given);
  },
  async revoke(...given) {
    const { revokeAtStudio } = await import("./revoke.ts");
    return await revokeAtStudio(...given);
  },
  async removeTraces(...given) {
    const { removeExport } = await import("./revoke.ts");
    await removeExport(...given);
  },
  meant(flags, env) {
    const { hostname } = flags;
    if (hostname === undefined) return meansStudio(flags) ? "perhaps" : undefined;
    return isStudioHost(hostname, env) ? "certainly" : undefined;
  },
  nothingInUse: ({ name }) => ({
    message: `The session "${name}" has no API server in use.`,
    hint:
      "Studio has no Kubernetes APIs. Act as another session: --profile NAME; see them: datumctl auth list",
  }),
  nextCommand: "datumctl auth token",
  lostKeyLine: renewalLine,
};

function renewalLine({ name, apiHost, issuer, local }: UnstoredSession): string {
  const host = issuer === `https://${apiHost}` ? apiHost : issuer;
  return loginLine(name, [
    ...["--provider", "studio", "--hostname", host],
    ...(local ? ["--local"] : []),
    "--force",
  ]);
}

function isStudioHost(hostname: string, env: Environment): boolean {
  const host = hostOf(hostname);
  return host !== undefined &&
    (host === hostOf(STUDIO_HOST) || host === hostOf(env("DATACHAIN_STUDIO_URL") ?? ""));
}

/** A host and port that can be compared; undefined for what is none, which others complain of. */
function hostOf(text: string): string | undefined {
  try {
    return new URL(studioHost(text, "--hostname")).host;
  } catch (thrown) {
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

function meansStudio({ team, expiresIn, local, scopes }: Partial<LoginInput>): boolean {
  if ([team, expiresIn, local].some((flag) => flag !== undefined)) return true;
  const known: readonly string[] = STUDIO_SCOPES;
  return scopes?.split(",").some((scope) => known.includes(scope.trim().toUpperCase())) ?? false;
}

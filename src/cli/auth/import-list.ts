/** What `auth import` found, as a list and as lines to type. */

import { formatListing, type ListFormat, type Listing } from "../output/table.ts";
import { type Finding, isOffered, loginLineOf } from "../../sign-in/import/found.ts";
import { printable } from "../../text.ts";

/** The findings as the text of a format. */
export async function formatFindings(findings: readonly Finding[], format: ListFormat): Promise<string> {
  const listing: Listing<Finding> = {
    rows: findings,
    columns: [
      { title: "Name", text: ({ name }) => name },
      { title: "Tool", text: ({ tool }) => tool },
      { title: "Signs in at", text: placeOf },
      { title: "Client", text: ({ signIn }) => signIn?.login.clientId ?? "" },
      { title: "Contexts", text: ({ entry }) => entry?.contexts.join(", ") ?? "" },
      { title: "Import", text: (finding) => isOffered(finding) ? "yes" : `no: ${finding.problem}` },
      { title: "Found in", wide: true, text: ({ place }) => place },
      { title: "Servers", wide: true, text: (finding) => serversOf(finding).join(", ") },
      { title: "Scopes", wide: true, text: ({ signIn }) => signIn?.login.scopes ?? "" },
    ],
    object: objectOf,
    name: ({ name }) => name,
  };
  return await formatListing(listing, format);
}

/** The issuer, or the host that stands for it. */
export function placeOf({ signIn, kept }: Finding): string {
  if (signIn !== undefined) return signIn.login.issuer ?? signIn.login.hostname ?? "auth.datum.net";
  if (kept?.kind === "studio") return kept.url;
  return kept === undefined ? "" : kept.login.hostname ?? "auth.datum.net";
}

/** The addresses of the servers that an entry's contexts lead to. */
export function serversOf({ entry }: Finding): string[] {
  return [...new Set(entry?.clusters.map(({ server }) => printable(server, 200)) ?? [])];
}

/** A finding as programs get it. */
function objectOf(finding: Finding): unknown {
  const { name, tool, place, entry, signIn, tokens, problem, notes } = finding;
  return {
    name,
    tool,
    place,
    importable: isOffered(finding),
    reason: problem,
    issuer: signIn?.login.issuer,
    hostname: signIn?.login.hostname,
    clientId: signIn?.login.clientId,
    confidential: signIn === undefined ? undefined : signIn.clientSecret !== undefined,
    scopes: signIn?.login.scopes?.split(","),
    email: signIn?.email,
    contexts: entry?.contexts,
    servers: entry === undefined ? undefined : serversOf(finding),
    refreshToken: tokens === undefined ? undefined : { place: tokens.where },
    login: signIn === undefined || problem !== undefined ? undefined : loginLineOf(signIn),
    notes,
  };
}

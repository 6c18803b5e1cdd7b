/** What stands in an example of the documentation, and what takes its place on this machine. */

import type { ApiServer } from "../apiserver/apiserver.ts";
import type { Cloudfleet } from "../cloud/cloudfleet.ts";
import type { Listener } from "../cloud/listener.ts";
import type { StockIssuer } from "../cloud/stock-issuer.ts";
import type { Studio } from "../cloud/studio.ts";
import type { World } from "./world.ts";

/**
 * Whose home an example runs in: nobody has signed in there, or somebody has, at one of the clouds. In `several`, one
 * person has more than one session; in `variables`, Cloudfleet's say who acts; `kubelogin` signs in for kubectl; somebody
 * is `new-at-studio`.
 */
export type Room =
  | "nobody"
  | "datum"
  | "several"
  | "issuer"
  | "kubelogin"
  | "cloudfleet"
  | "variables"
  | "studio"
  | "new-at-studio";

/** A home with a working folder in it. */
export interface Home {
  readonly room: Room;
  readonly path: string;
  /** The id of the API token that the profile `ci` is; empty where there is none. */
  readonly tokenId: string;
  readonly secret: string;
}

/** The clouds, issuers and servers of this machine. */
export interface Places {
  readonly world: World;
  /** Below its proxy's paths it is Datum's API. */
  readonly server: ApiServer;
  /** Its client has a secret. */
  readonly issuerOfSecrets: StockIssuer;
  readonly cloudfleet: Cloudfleet;
  readonly studio: Studio;
  /** A web server with a manifest. */
  readonly web: Listener;
}

/** Matches no text. */
const NOTHING = /(?!)/g;

/** The one table of what stands in an example and what it is called on this machine. Its rows apply in order. */
export function namesHere(text: string, places: Places, { room, tokenId }: Home): string {
  const { world: { cloud }, server, issuerOfSecrets, cloudfleet, studio, web } = places;
  const datum = `--hostname ${cloud.authHost} --api-hostname`;
  const cluster = cloudfleet.clusters[0]?.id ?? "";
  const rows: readonly (readonly [RegExp, string])[] = [
    // Programs that go on until they are ended.
    [/^(datumctl auth get-token.* --write (\S+) .*--watch.*)$/gm, "until_told $2 $1"],
    [/^(datumctl proxy.* --kubeconfig (\S+)[^>\n]*)$/gm, "until_told $2 $1"],
    [/^(datumctl proxy.* --socket (\S+)[^>\n]*)$/gm, "until_told $2 $1"],
    [/^(datumctl proxy[^>\n]*)$/gm, "until_told - $1"],
    [/^(datumctl .* -w\b.*)$/gm, "until_told - $1"],
    // It ends with 1 where something differs.
    [/^((?:\w+='[^']*' )?datumctl diff [^#\n]*)/gm, "$1 || [ $? = 1 ] "],
    [/^(datumctl [^#\n]*) # fails where it is there already$/gm, "if $1; then exit 1; fi"],
    // Clouds, issuers and clusters.
    [
      /datumctl((?: auth)? login) --hostname studio\.datachain\.ai/g,
      `datumctl$1 --provider studio --hostname ${studio.url.slice(8)}`,
    ],
    [
      /--hostname (?:auth\.staging\.env\.datum\.net|auth\.example\.com --client-id 1234)/g,
      `${datum} ${server.proxy.host} --client-id ${cloud.clientId}`,
    ],
    [
      /--hostname login\.example\.com --api-hostname api\.example\.com --client-id 1234/g,
      `${datum} ${server.proxy.host} --client-id ${cloud.clientId}`,
    ],
    [/datumctl login (?=--credentials|--with-token)/g, `datumctl login ${datum} ${cloud.apiHost} `],
    [
      ["nobody", "datum", "several"].includes(room)
        ? /datumctl((?: auth)? login)(?! --(?:issuer|provider|hostname))/g
        : NOTHING,
      `datumctl$1 ${datum} ${server.proxy.host} --client-id ${cloud.clientId}`,
    ],
    [/https:\/\/example\.com\/zone\.yaml/g, `https://127.0.0.1:${web.port}/zone.yaml`],
    [/@api\.datum\.net/g, `@${server.proxy.host}`],
    [/https:\/\/api\.datum\.net/g, server.proxy.url],
    [/https:\/\/k8s\.example\.com:6443/g, server.url],
    [/--issuer https:\/\/auth\.example\.com\/realms\/acme/g, `--issuer ${cloudfleet.issuer}`],
    [/https:\/\/auth\.example\.com\/realms\/ORGANIZATION\b/g, cloudfleet.issuer],
    [
      /--issuer https:\/\/auth\.example\.com --client-id \w+/g,
      `--issuer ${cloudfleet.userIssuer} --client-id ${cloudfleet.userClientId}`,
    ],
    [/--issuer \S+(?=[^]*--client-secret-file)/g, `--issuer ${issuerOfSecrets.issuer}`],
    [/(--(?:oidc-)?issuer(?:-url)?[ =])https:\/\/(?!127)[^\s,]+/g, `$1${cloud.issuer}`],
    [/(client-id[ =])(?:kubernetes|ID)\b/g, `$1${cloud.clientId}`],
    // Which registries a Cloudfleet on this machine has, nobody knows; which a profile has already, everybody does.
    [
      /configure-docker(?! --re)/g,
      `configure-docker --registry ${cloudfleet.organizationId}.europe.registry.cloudfleet.dev`,
    ],
    [/--save-profile ci/g, "--save-profile another"],
    [/--secret-file ci\.secret/g, "--secret-file another.secret"],
    [/@login\.example\.com/g, `@${cloud.authHost}`],
    [/localhost:8000/g, "localhost"],
    // Organizations, projects, tokens and files.
    [/my-org-id|my-org\b|\bORG\b/g, "acme"],
    // Zoë may do nothing here.
    [/--as zoe@/g, "--as grace@"],
    [/My Organization\/My Project/g, "Acme Corporation/Web shop"],
    [/"My Project"/g, '"Web shop"'],
    [/\byour-namespace\b/g, "default"],
    [/my-other-project/g, "data"],
    [/my-project-id|my-project\b|\bPROJECT(?:_ID)?\b/g, "web"],
    [/\bORGANIZATION_ID\b/g, cloudfleet.organizationId],
    [/\bTOKEN_ID\b|2iKo4Asy51EUx2gpJFW76t/g, tokenId],
    [/\bCLUSTER_ID\b/g, cluster],
    [/\/run\/datum\//g, "$HOME/run/"],
    [/\bPORT\b/g, "$port"],
    [/\bKEY\b/g, "$key"],
  ];
  return rows.reduce((line, [from, to]) => line.replaceAll(from, to), text);
}

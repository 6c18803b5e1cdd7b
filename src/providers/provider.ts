/** Owns which providers there are, which flags of `login` each of them knows, and which one is meant. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { Credentials } from "../sessions/credentials.ts";
import type { Session } from "../sessions/session.ts";
import type { SignInTarget } from "./sign-in-target.ts";
import { cloudfleetTarget } from "./cloudfleet/target.ts";
import { datumTarget } from "./datum/hosts.ts";
import { oidcTarget } from "./oidc/target.ts";
import { STUDIO_HOST, STUDIO_SCOPES, studioHost } from "./studio/token-fields.ts";

/** The providers that people sign in to. */
export const PROVIDERS = [
  "datum",
  "oidc",
  "studio",
  "cloudfleet",
] as const satisfies readonly Session["provider"][];

/** One of {@link PROVIDERS}. */
export type Provider = typeof PROVIDERS[number];

/** The flags of `login` that not every provider knows, and those that do. */
const FLAGS = {
  hostname: ["--hostname", ["datum", "studio"]],
  apiHostname: ["--api-hostname", ["datum"]],
  clientId: ["--client-id", ["datum", "oidc"]],
  listenPort: ["--listen-port", ["datum", "oidc", "cloudfleet"]],
  prompt: ["--prompt", ["datum", "oidc", "cloudfleet"]],
  authParam: ["--auth-param", ["datum", "oidc", "cloudfleet"]],
  tokenParam: ["--token-param", ["datum", "oidc", "cloudfleet"]],
  resource: ["--resource", ["datum", "oidc", "cloudfleet"]],
  trustAudience: ["--trust-audience", ["datum", "oidc", "cloudfleet"]],
  issuer: ["--issuer", ["oidc"]],
  redirectUri: ["--redirect-uri", ["oidc", "cloudfleet"]],
  clientSecretFile: ["--client-secret-file", ["oidc"]],
  deviceAuthorizationEndpoint: ["--device-authorization-endpoint", ["oidc", "cloudfleet"]],
  credentials: ["--credentials", ["datum", "oidc"]],
  withToken: ["--with-token", ["datum", "oidc"]],
  workload: ["--workload", ["datum", "oidc"]],
  audience: ["--audience", ["datum", "oidc"]],
  exchange: ["--exchange", ["datum", "oidc"]],
  name: ["--name", ["studio"]],
  team: ["--team", ["studio"]],
  expiresIn: ["--expires-in", ["studio"]],
  local: ["--local", ["studio"]],
  force: ["--force", ["studio"]],
  exportDatachain: ["--export-datachain", ["studio"]],
} as const satisfies Record<string, readonly [string, readonly Provider[]]>;

/** The flags whose value says which provider is meant. */
interface TellingFlags {
  readonly hostname?: string | undefined;
  readonly issuer?: string | undefined;
  readonly scopes?: string | undefined;
}

/** The flags that tell providers apart, as they were typed. */
export type ProviderFlags =
  & TellingFlags
  & { readonly [Name in Exclude<keyof typeof FLAGS, keyof TellingFlags>]?: unknown };

/** What names a provider. */
export interface ProviderChoice {
  /** `--provider`. */
  readonly flag: string | undefined;
  readonly flags: ProviderFlags;
  readonly renewed: Pick<Session, "provider"> | undefined;
  /** `DATUMCTL_PROVIDER`. */
  readonly variable: string | undefined;
  /** `DATACHAIN_STUDIO_URL`. */
  readonly studioUrl: string | undefined;
}

/** The provider that is meant. Throws `USAGE` for one that is not known, or a flag that it does not know. */
export function chosenProvider(choice: ProviderChoice): Provider {
  const named = namedProvider(choice);
  const provider = PROVIDERS.find((known) => known === named);
  if (provider === undefined) {
    const what = choice.flag === undefined ? "DATUMCTL_PROVIDER: the provider" : "The provider";
    throw new AppError("USAGE", `${what} "${printable(named, 60)}" is not known.`, {
      hint: `Available: ${PROVIDERS.join(", ")}.`,
    });
  }
  for (const [name, [words, knowers]] of Object.entries(FLAGS)) {
    const known = knowers.some((knower) => knower === provider);
    if (known || choice.flags[name as keyof ProviderFlags] === undefined) continue;
    throw new AppError("USAGE", `${words} is not for the provider ${provider}.`, {
      hint: wayOutOf(words, knowers, choice.flags),
    });
  }
  return provider;
}

/** The provider that knows the flag and all the others, else the flags of which one must go. */
function wayOutOf(words: string, knowers: readonly Provider[], flags: ProviderFlags): string {
  const others = Object.entries(FLAGS)
    .filter(([name]) => flags[name as keyof ProviderFlags] !== undefined)
    .map(([, [words, known]]) => ({ words, known: known as readonly Provider[] }));
  const fitting = knowers.find((knower) => others.every(({ known }) => known.includes(knower)));
  if (fitting !== undefined) {
    return `It is for the provider ${knowers.join(" and ")}: --provider ${fitting}`;
  }
  const against = others.find(({ known }) => !known.some((provider) => knowers.includes(provider)));
  return against === undefined
    ? `Leave it out, or the others: it is for the provider ${knowers.join(" and ")}.`
    : `Leave out ${against.words}, or ${words}, which is for the provider ${knowers.join(" and ")}.`;
}

/**
 * What counts first: the flag, an issuer, a host that is known to be Studio's, a session to renew, the variable, flags
 * that only Studio has. Nobody is asked what they are.
 */
function namedProvider({ flag, flags, renewed, variable, studioUrl }: ProviderChoice): string {
  if (flag !== undefined) return flag;
  if (flags.issuer !== undefined) return "oidc";
  const { hostname } = flags;
  if (hostname !== undefined && isStudioHost(hostname, studioUrl)) return "studio";
  const known = renewed?.provider ?? variable;
  if (known !== undefined) return known;
  return hostname === undefined && meansStudio(flags) ? "studio" : "datum";
}

function isStudioHost(hostname: string, studioUrl: string | undefined): boolean {
  const host = hostOf(hostname);
  return host !== undefined && (host === hostOf(STUDIO_HOST) || host === hostOf(studioUrl ?? ""));
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

function meansStudio({ team, expiresIn, local, scopes }: ProviderFlags): boolean {
  if ([team, expiresIn, local].some((flag) => flag !== undefined)) return true;
  const known: readonly string[] = STUDIO_SCOPES;
  return scopes?.split(",").some((scope) => known.includes(scope.trim().toUpperCase())) ?? false;
}

/** Where a session is signed in to again; undefined for one that nobody signs in to with a browser. */
export function renewalTarget(
  session: Session,
  { clientSecret, api }: Pick<Credentials, "clientSecret" | "api">,
): SignInTarget | undefined {
  if (session.kind !== "user") return undefined;
  const { provider, issuer, authHost, apiHost, clientId } = session;
  switch (provider) {
    case "datum":
      return datumTarget({ hostname: authHost, apiHostname: apiHost, clientId });
    case "oidc":
      return oidcTarget({ issuer, clientId, clientSecret });
    case "cloudfleet":
      return cloudfleetTarget({ issuer, clientId, apiHost, api });
    default:
      return undefined;
  }
}

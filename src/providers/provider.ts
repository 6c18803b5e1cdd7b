/** Owns which providers there are, which flags of `login` each of them knows, and which one is meant. */

import { AppError, printable } from "../errors.ts";
import type { Credentials, Session } from "../sessions/session.ts";
import type { SignInTarget } from "../sign-in/sign-in.ts";
import { cloudfleetTarget } from "./cloudfleet-target.ts";
import { datumTarget } from "./datum.ts";
import { oidcTarget } from "./oidc.ts";

/** The providers that people sign in to. */
export const PROVIDERS = ["datum", "oidc"] as const;

/** One of {@link PROVIDERS}. */
export type Provider = typeof PROVIDERS[number];

/** The flags of `login` that not every provider knows, and those that do. */
const FLAGS = {
  hostname: ["--hostname", ["datum"]],
  apiHostname: ["--api-hostname", ["datum"]],
  issuer: ["--issuer", ["oidc"]],
  redirectUri: ["--redirect-uri", ["oidc"]],
  clientSecretFile: ["--client-secret-file", ["oidc"]],
  deviceAuthorizationEndpoint: ["--device-authorization-endpoint", ["oidc"]],
} as const satisfies Record<string, readonly [string, readonly Provider[]]>;

/** The flags that tell providers apart, as they were typed. */
export type ProviderFlags = { readonly [Name in keyof typeof FLAGS]?: string | undefined };

/** What names a provider, the first that does counting: the flag, `--issuer`, a session to renew, the variable. */
export interface ProviderChoice {
  /** `--provider`. */
  readonly flag: string | undefined;
  readonly flags: ProviderFlags;
  readonly renewed: Session | undefined;
  /** `DATUMCTL_PROVIDER`. */
  readonly variable: string | undefined;
}

/** The provider that is meant. Throws `USAGE` for one that is not known, or a flag that it does not know. */
export function chosenProvider({ flag, flags, renewed, variable }: ProviderChoice): Provider {
  const named = flag ?? (flags.issuer === undefined ? undefined : "oidc") ?? renewed?.provider ?? variable ??
    "datum";
  const provider = PROVIDERS.find((known) => known === named);
  if (provider === undefined) {
    throw new AppError("USAGE", `The provider "${printable(named, 60)}" is not known.`, {
      hint: `Known are: ${PROVIDERS.join(", ")}.`,
    });
  }
  for (const [name, [words, knowers]] of Object.entries(FLAGS)) {
    if (flags[name as keyof ProviderFlags] === undefined || knowers.some((knower) => knower === provider)) {
      continue;
    }
    throw new AppError("USAGE", `${words} is not for the provider ${provider}.`, {
      hint: `It is for the provider ${knowers.join(" and ")}: --provider ${knowers[0]}`,
    });
  }
  return provider;
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

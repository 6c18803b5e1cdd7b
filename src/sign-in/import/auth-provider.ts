/** kubectl's own sign-ins of before there were plugins: `auth-provider` of a user entry. */

import { isObject } from "../../encoding.ts";
import { unverifiedClaims } from "../../oauth/jwt.ts";
import { issuerUrl } from "../../providers/oidc/target.ts";
import { printable } from "../../text.ts";
import { azureProviderFlags, azureSignIn } from "./azure.ts";
import type { OtherTokens, Read } from "./found.ts";
import { refusalOf, tokenText } from "./kubelogin.ts";

/** What an `auth-provider` is. */
export interface AuthProvider {
  readonly tool: string;
  readonly read: Read;
  readonly tokens?: OtherTokens | undefined;
}

/** The sign-in of an `auth-provider`, by its name and its configuration. */
export function authProvider(fields: unknown, place: string): AuthProvider {
  const { name, config }: Readonly<Record<string, unknown>> = isObject(fields) ? fields : {};
  const settings = isObject(config) ? config : {};
  const tool = `auth-provider ${printable(String(name ?? ""), 40)}`;
  switch (name) {
    case "oidc":
      return { tool, read: oidc(settings), tokens: tokensIn(settings, place) };
    case "azure":
      return { tool, read: azureSignIn(azureProviderFlags(settings)) };
    case "gcp":
      return { tool, read: { problem: GOOGLE } };
    default:
      return { tool, read: { problem: "there is no sign-in of that name" } };
  }
}

/** Why Google's clusters are not taken over. */
export const GOOGLE =
  "Google's clusters take the tokens of a Google account, from gcloud: there is no client of yours to sign in as";

function oidc(settings: Readonly<Record<string, unknown>>): Read {
  const text = (name: string) => {
    const value = settings[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const [issuer, clientId] = [text("idp-issuer-url"), text("client-id")];
  if (issuer === undefined) return { problem: "it names no issuer (idp-issuer-url)" };
  if (clientId === undefined) return { problem: "it names no client (client-id)" };
  const wrong = refusalOf(() => void issuerUrl(issuer));
  if (wrong !== undefined) return { problem: wrong };
  const extra = (text("extra-scopes") ?? "").split(",").filter((scope) => scope !== "");
  const [file, data] = [text("idp-certificate-authority"), text("idp-certificate-authority-data")];
  return {
    signIn: {
      // It never asked for anything by itself, so nothing is known of its scopes but what was added to the usual ones.
      login: {
        issuer,
        clientId,
        scopes: extra.length === 0 ? undefined : ["openid", "offline_access", ...extra].join(","),
        device: false,
      },
      clientSecret: text("client-secret"),
      authority: { files: file === undefined ? [] : [file], data: data === undefined ? [] : [data] },
    },
    notes: [],
  };
}

function tokensIn(settings: Readonly<Record<string, unknown>>, where: string): OtherTokens | undefined {
  const refreshToken = tokenText(settings["refresh-token"]);
  const idToken = tokenText(settings["id-token"]);
  const { sub } = idToken === undefined ? {} : unverifiedClaims(idToken) ?? {};
  return refreshToken === undefined || typeof sub !== "string"
    ? undefined
    : { where, refreshToken, subject: sub };
}

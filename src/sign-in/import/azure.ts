/** Azure/kubelogin, which is another program of that name: its flags as a sign-in of ours at Microsoft Entra ID. */

import { issuerUrl } from "../../providers/oidc/target.ts";
import { loopbackRedirect } from "../../oauth/redirect-uri.ts";
import { printable } from "../../text.ts";
import { OtherFlags } from "./arguments.ts";
import { NO_AUTHORITY, type Read } from "./found.ts";
import { refusalOf } from "./kubelogin.ts";

const STYLE = {
  switches: new Set([
    ...["legacy", "pop-enabled", "use-azurerm-env-vars"],
    ...["disable-environment-override", "disable-instance-discovery"],
  ]),
  short: { l: "login", t: "tenant-id", e: "environment", s: "subscription" },
};

/** Why a way to sign in cannot be one of ours. */
const OTHER_WAYS: ReadonlyMap<string, string> = new Map([
  ["spn", "it signs a service principal in"],
  ["ropc", "it sends a password to the issuer, which datumctl does not"],
  ["msi", "it takes the identity of the virtual machine that it runs on"],
  ["workloadidentity", "it takes the identity of the pod that it runs in"],
  ["azurecli", "it takes the token of Azure's CLI (az)"],
  ["azd", "it takes the token of Azure's developer CLI (azd)"],
  ["azurepipelines", "it takes the identity of an Azure pipeline"],
]);

/** The sign-in hosts of Azure's clouds, by the names of `--environment`. */
const HOSTS: ReadonlyMap<string, string> = new Map([
  ["AZUREUSGOVERNMENT", "login.microsoftonline.us"],
  ["AZUREUSGOVERNMENTCLOUD", "login.microsoftonline.us"],
  ["AZURECHINACLOUD", "login.chinacloudapi.cn"],
]);
const PUBLIC_HOST = "login.microsoftonline.com";

/** Tenants that stand for many: none of them is an issuer. */
const MANY = new Set(["common", "organizations", "consumers"]);

/** The flags of an entry that runs Azure/kubelogin; a variable of the entry wins over its flag. */
export function azureFlags(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): OtherFlags {
  const way = variables["AAD_LOGIN_METHOD"];
  return new OtherFlags(way === undefined ? args : [...args, `--login=${way}`], STYLE);
}

/** What the kubeconfig entry of kubectl's own `auth-provider: azure` says, in the words of those flags. */
export function azureProviderFlags(config: Readonly<Record<string, unknown>>): OtherFlags {
  const names = { "apiserver-id": "server-id", "client-id": "client-id", "tenant-id": "tenant-id" } as const;
  return new OtherFlags(
    [
      ...Object.entries(names).map(([theirs, flag]) => `--${flag}=${String(config[theirs] ?? "")}`),
      `--environment=${String(config["environment"] ?? "")}`,
    ],
    STYLE,
  );
}

/** The sign-in that Azure/kubelogin's flags mean. */
export function azureSignIn(flags: OtherFlags): Read {
  const way = flags.last("login") ?? "devicecode";
  const [client, tenant, server] = ["client-id", "tenant-id", "server-id"].map((flag) => flags.last(flag));
  const problem = whyNot(flags, way) ?? (
    client === undefined
      ? "it names no client (--client-id)"
      : tenant === undefined || MANY.has(tenant)
      ? "it names no single tenant (--tenant-id), and no other issuer's tokens can be checked"
      : server === undefined
      ? "it does not name the API server's application (--server-id)"
      : undefined
  );
  if (problem !== undefined || client === undefined || tenant === undefined || server === undefined) {
    return { problem: problem ?? "it is incomplete" };
  }
  const host = HOSTS.get((flags.last("environment") ?? "").toUpperCase()) ?? PUBLIC_HOST;
  const login = {
    issuer: `https://${host}/${tenant}/v2.0`,
    clientId: client,
    scopes: `openid,${server}/.default,offline_access`,
    // With offline_access Entra would have an administrator consent once more.
    prompt: "",
    redirectUri: flags.last("redirect-url") ?? "http://localhost",
    device: way === "devicecode",
  };
  const wrong = refusalOf(() => {
    issuerUrl(login.issuer);
    loopbackRedirect(login.redirectUri);
  });
  if (wrong !== undefined) return { problem: wrong };
  return {
    signIn: { login, authority: NO_AUTHORITY, token: "access" },
    notes: [],
  };
}

function whyNot(flags: OtherFlags, way: string): string | undefined {
  if (flags.isOn("pop-enabled")) return "its tokens are bound to a key (--pop-enabled)";
  if (flags.isOn("legacy")) return "it asks for tokens of Azure's older form (--legacy)";
  const other = OTHER_WAYS.get(way);
  if (other !== undefined) return `${other} (--login ${way})`;
  if (way !== "devicecode" && way !== "interactive") return `--login ${printable(way, 40)} is not known`;
  return flags.has("authority-host") ? "it names a sign-in host of its own (--authority-host)" : undefined;
}

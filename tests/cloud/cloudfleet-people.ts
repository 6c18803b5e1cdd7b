/** How people sign in to Cloudfleet: an issuer of their own, and the role that each of them has. */

import type { Certificates } from "./certificates.ts";
import type { Role } from "./cloudfleet-tokens.ts";
import { makeIssuer } from "./issuer.ts";
import type { IssuerOptions } from "./issuer.ts";
import { listenWithNode } from "./listener.ts";
import type { Listener } from "./listener.ts";
import { mayUser } from "./users.ts";
import type { User } from "./users.ts";

/** Where people sign in. */
export interface People {
  readonly issuer: string;
  readonly clientId: string;
  readonly listener: Listener;
  /** The member behind an access or ID token that is good now. */
  memberOf(token: string): Promise<{ readonly user: User; readonly role: Role } | undefined>;
}

/** Starts the issuer. Ada is an administrator, Grace a user, Zoë no member of the organization. */
export async function startPeople(
  options: Pick<
    IssuerOptions,
    "faults" | "counts" | "secrets" | "closing" | "accessTokenLife" | "idTokenLife"
  >,
  certificates: Certificates,
): Promise<People> {
  let handler: IssuerHandler = (_request, response) => void response.writeHead(503).end();
  const listener = await listenWithNode(certificates, "127.0.0.1", 0, (request, response) => {
    request.headers.host ??= host; // absent over HTTP/2
    handler(request, response);
  });
  const host = `127.0.0.1:${listener.port}`;
  const clientId = "cloudfleet-cli";
  const issuer = await makeIssuer({
    dialect: "standard",
    ...options,
    url: `https://${host}`,
    clientId,
    redirectUris: ["127.0.0.1", "localhost", "[::1]"].map((host) => `http://${host}/datumctl/auth/callback`),
    offlineAccess: "asked",
    rotation: true,
    deviceInterval: 1,
    machineGrant: () => Promise.resolve(undefined),
    grantTypes: (others) => [...others],
  });
  handler = issuer.handler;
  return {
    issuer: `https://${host}`,
    clientId,
    listener,
    memberOf: async (token) => {
      const user = await issuer.userOfAccessToken(token) ?? await issuer.userOfIdToken(token);
      const role = user === undefined ? undefined : roleOf(user);
      return user === undefined || role === undefined ? undefined : { user, role };
    },
  };
}

type IssuerHandler = Parameters<typeof listenWithNode>[3];

function roleOf(user: User): Role | undefined {
  if (mayUser(user, "create")) return "Administrator";
  return mayUser(user, "get") ? "User" : undefined;
}

/** Whether a call of get-token may get a token of a session, which is judged as it was sealed. */

import { matchesServer } from "../sessions/name.ts";
import { serves, servesKubernetes } from "../sessions/served-servers.ts";
import type { Session } from "../sessions/session.ts";
import type { Environment } from "../system/environment.ts";
import type { GetTokenRequest } from "./arguments.ts";
import type { Form } from "./exec-credential.ts";

/** False for a session that `refuseWrongSession` in get-token.ts refuses; there stands what each refusal says. */
export function isRightSession(
  sealed: Session,
  request: GetTokenRequest,
  form: Form,
  env: Environment,
): boolean {
  const server = form.info?.server;
  return (form.output === "token" || servesKubernetes(sealed.provider)) &&
    isOfEntry(sealed, request) &&
    otherHostTold(sealed, env) === undefined &&
    (server === undefined || serves(sealed, server, { unnamed: isUnnamed(request) }));
}

/** False for a session of another host or issuer than `--active-for` names. */
export function isOfEntry(session: Session, { activeFor }: GetTokenRequest): boolean {
  return activeFor === undefined || matchesServer(session, activeFor);
}

/** The other host that a plug-in was told of the session, by an edited file, say; undefined for none. */
export function otherHostTold({ name, apiHost }: Session, env: Environment): string | undefined {
  if (env("DATUM_PLUGIN_API_VERSION") === undefined || env("DATUM_SESSION") !== name) return undefined;
  const told = env("DATUM_API_HOST");
  return told?.replace(/^https:\/\/|\/$/g, "") === apiHost ? undefined : told;
}

/** True where the line names neither a session nor a server. */
export function isUnnamed({ session, activeFor }: GetTokenRequest): boolean {
  return session === undefined && activeFor === undefined;
}

/** A person's session at an OpenID Connect issuer. */

import { PERSON } from "../../src/providers/kinds.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";
import type { Session } from "../../src/sessions/session.ts";

/** Sealed with nothing that opens. */
export const OIDC_SESSION: Session = {
  schemaVersion: 1,
  name: "ada@login.example.com",
  provider: OIDC,
  kind: PERSON,
  issuer: "https://login.example.com/realms/main",
  authHost: "login.example.com",
  apiHost: "login.example.com",
  clientId: "kubernetes",
  user: { subject: "1" },
  scopes: [],
  keyStore: "file",
  credentials: "",
};

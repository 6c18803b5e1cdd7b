/** A session's public fields as the tests of its file and of its words begin with them. */

import type { Session } from "../../src/sessions/session.ts";
import { DATUM } from "../../src/providers/datum/facts.ts";
import { PERSON } from "../../src/providers/kinds.ts";

/** A person's at a Datum of their own, sealed with nothing that opens. */
export const SESSION: Session = {
  schemaVersion: 1,
  name: "ada@example.com@api.example.com",
  provider: DATUM,
  kind: PERSON,
  issuer: "https://auth.example.com",
  authHost: "auth.example.com",
  apiHost: "api.example.com",
  clientId: "1",
  user: { subject: "42", email: "ada@example.com" },
  scopes: ["openid"],
  keyStore: "file",
  credentials: "a..b.c.d",
};

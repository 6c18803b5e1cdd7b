/** What is sealed of every session, whatever its tokens come from. */

import { plain, sessionFields } from "./session.ts";
import { numberThat, object, optional, readonlyListOf, text, textsByName, textThat } from "./shape.ts";

/** Milliseconds since 1970. */
export const time = numberThat((value) => value >= 0 && value <= 8.64e15);
/** An address. */
export const endpoint = textThat((text) => URL.canParse(text));
/** Texts in a list that nobody changes. */
export const texts = readonlyListOf(text);
const { organization, expires, exportedTo } = sessionFields;

/** What every seal holds: it says where tokens and people are sent, and wins over the public fields. */
export const sealedAddressEntries = {
  /**
   * The public fields, beside the address, that decide what is done with a session. The seal adds them; older seals lack
   * them, and then the public fields are believed.
   */
  fields: optional(object({ provider: text, kind: text, organization, expires, exportedTo })),
  clientId: text,
  clientSecret: optional(text),
  signIn: sessionFields.signIn,
  apiHost: plain,
  subject: text,
  certificateAuthority: optional(text),
  /** Milliseconds since 1970; absent when the issuer did not say. */
  accessTokenExpires: optional(time),
  /** The vendor's API: its address, and its operations where they differ from the known ones. */
  api: optional(textsByName),
  /** See {@link Session.servers}. */
  servers: sessionFields.servers,
};

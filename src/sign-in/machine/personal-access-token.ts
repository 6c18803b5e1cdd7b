/** Signs a machine in with a personal access token. */

import { sha256, toBase32 } from "../../encoding.ts";
import { printable } from "../../text.ts";
import { unverifiedClaims } from "../../oauth/jwt.ts";
import { isPersonalAccessToken } from "../../oauth/grants/personal-access-token.ts";
import { PERSONAL_ACCESS_TOKEN } from "../../providers/kinds.ts";
import { type Machine, type MachineLogin, wrong } from "./machine.ts";

/**
 * `--with-token`: a personal access token on standard input.
 *
 * @throws {AppError} `USAGE` for what is none
 */
export async function personalAccessToken(login: MachineLogin): Promise<Machine> {
  const address = login.address();
  const token = (await login.readHiddenLine("the personal access token")).trim();
  if (!isPersonalAccessToken(token)) {
    throw wrong(
      token === ""
        ? "Standard input holds no personal access token."
        : "Standard input does not hold a personal access token: it must begin with dtmp_ or dtma_ and be one line.",
      "Pass it like this: datumctl login --with-token < FILE",
    );
  }
  return {
    kind: PERSONAL_ACCESS_TOKEN,
    address,
    clientId: "",
    tokenSource: { kind: "personal-access-token", token },
    scopes: [],
    async userOf(issued) {
      const { sub, email } = unverifiedClaims(issued?.accessToken ?? "") ?? {};
      // Of a token that says nothing, the person does who replaces a session by its name.
      const subject = text(sub) ?? login.known?.user.subject ?? await fingerprintOf(token);
      const label = text(email);
      return { subject, email: label };
    },
    labelOf: ({ email, subject }) => email ?? subject,
    keepsSecrets: true,
    remark:
      "The personal access token is sealed in the session, and exchanged for a new short-lived token whenever one expires.",
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? printable(value) : undefined;
}

/** A name for a token whose owner is unknown: a fingerprint that does not reveal the token. */
async function fingerprintOf(token: string): Promise<string> {
  return `pat-${toBase32(await sha256(token)).slice(0, 16)}`;
}

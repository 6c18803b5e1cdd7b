/** The two ways to sign a machine in with a secret of its own: a service account's key, a personal access token. */

import { sha256, toBase32 } from "../../encoding.ts";
import { printable } from "../../text.ts";
import { unverifiedClaims } from "../../oauth/jwt.ts";
import { isPersonalAccessToken } from "../../oauth/grants/personal-access-token.ts";
import { parseServiceAccountKey } from "../../oauth/grants/service-account-key.ts";
import { PERSONAL_ACCESS_TOKEN, SERVICE_ACCOUNT } from "../../providers/kinds.ts";
import { othersCanRead, readGivenFile } from "../../system/files.ts";
import { readHiddenLine } from "../prompt/hidden-line.ts";
import { datumAddress, type Machine, type MachineLogin, wrong } from "./machine-kind.ts";
import { tokenParametersOf } from "./parameters.ts";

const LONGEST_KEY_FILE = 64 * 1024;

/** `--credentials`: the service account of a key file. Throws `USAGE` that says what is wrong with the file. */
export async function serviceAccount(login: MachineLogin): Promise<Machine> {
  const { deps: cli, input: { credentials: path = "" } } = login;
  const text = path === "-" ? await cli.terminal.readIn(LONGEST_KEY_FILE) : await readKeyFile(path);
  const name = path === "-" ? "on standard input" : path;
  const { clientId, clientEmail, keyId, privateKey, scope } = await parseServiceAccountKey(text, name);
  // Of a key alone: what was named by mistake stays as it is.
  if (path !== "-" && await othersCanRead(path)) {
    cli.out.warn(
      `Other users of this machine can read ${printable(path)}: chmod 600 it, or delete it after this.`,
    );
  }
  const address = datumAddress(login);
  return {
    kind: SERVICE_ACCOUNT,
    address,
    clientId,
    tokenSource: {
      kind: "service-account",
      keyId,
      privateKey,
      audience: address.issuer,
      scope,
      ...tokenParametersOf(login.input),
    },
    scopes: scope?.split(" ") ?? [],
    userOf: () => Promise.resolve({ subject: clientId, email: clientEmail }),
    labelOf: () => clientEmail ?? clientId,
    keepsSecrets: true,
    remark: path === "-"
      ? "The key is sealed in the session."
      : `The key is sealed in the session: ${printable(path)} can be deleted now.`,
  };
}

async function readKeyFile(path: string): Promise<string> {
  const text = await readGivenFile(path, "--credentials", "Send it on standard input: --credentials -");
  if (text === undefined) throw wrong(`The key file ${printable(path)} does not exist.`);
  return text;
}

/** `--with-token`: a personal access token on standard input. Throws `USAGE` for what is none. */
export async function personalAccessToken(login: MachineLogin): Promise<Machine> {
  const address = datumAddress(login);
  const token = (await readHiddenLine(login.deps, "the personal access token")).trim();
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
    async userOf(minted) {
      const { sub, email } = unverifiedClaims(minted?.accessToken ?? "") ?? {};
      // Of a token that says nothing, the person does who replaces a session by its name.
      const subject = text(sub) ?? login.known?.user.subject ?? await markOf(token);
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

/** A name for a token of which nobody says whose it is; the token cannot be told from it. */
async function markOf(token: string): Promise<string> {
  return `pat-${toBase32(await sha256(token)).slice(0, 16)}`;
}

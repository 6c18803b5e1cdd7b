/** Signs a service account in with its key. */

import { printable } from "../../text.ts";
import { parseServiceAccountKey } from "../../oauth/grants/service-account-key.ts";
import { SERVICE_ACCOUNT } from "../../providers/kinds.ts";
import { othersCanRead } from "../../system/files.ts";
import { readGivenFile } from "../../system/given-file.ts";
import { tokenParametersOf } from "../parameters.ts";
import { type Machine, type MachineLogin, wrong } from "./machine.ts";

const LONGEST_KEY_FILE = 64 * 1024;

/**
 * `--credentials`: the service account of a key file.
 *
 * @throws {AppError} `USAGE` that says what is wrong with the file
 */
export async function serviceAccount(login: MachineLogin): Promise<Machine> {
  const { credentials: path = "" } = login.input;
  const text = path === "-" ? await login.readIn(LONGEST_KEY_FILE) : await readKeyFile(path);
  const name = path === "-" ? "on standard input" : path;
  const { clientId, clientEmail, keyId, privateKey, scope } = await parseServiceAccountKey(text, name);
  // Of a key alone: what was named by mistake stays as it is.
  if (path !== "-" && await othersCanRead(path)) {
    login.warn(
      `Other users of this machine can read ${printable(path)}: chmod 600 it, or delete it after this.`,
    );
  }
  const address = login.address();
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

/** Explains a certificate whose authority is not trusted here: names it, with its fingerprint. */

import { AppError } from "../errors.ts";
import type { Environment } from "../system/environment.ts";
import { SAME_COMMAND, unknownAuthorityOf } from "../system/network.ts";
import type { CertificateNames } from "../system/tls-probe.ts";

/** The hint that names the unknown authority and says how to trust it. */
function certificateHint(
  { subject, issuer, sha256 }: CertificateNames,
  trust: string,
): string {
  const seen = subject === issuer
    ? `The unknown authority is ${subject}, SHA-256 ${sha256}.`
    : `The certificate of ${subject}, SHA-256 ${sha256}, was issued by ${issuer}.`;
  return `${seen} If you trust that authority, name its certificate: ${trust}`;
}

/**
 * An error about an unknown authority with that authority's name and fingerprint in its hint; other errors as they are.
 *
 * @param trust what makes the call trust an authority; else the error's own
 */
export async function explainAuthority(
  error: AppError,
  env: Environment,
  signal: AbortSignal,
  trust?: string,
): Promise<AppError> {
  const unknown = unknownAuthorityOf(error);
  if (unknown === undefined) return error;
  const { askForCertificate } = await import("../system/tls-probe.ts");
  const names = await askForCertificate(unknown.host, env, signal);
  if (names === undefined) return error;
  const hint = certificateHint(names, trust ?? unknown.trust ?? SAME_COMMAND);
  return new AppError(error.code, error.message, { hint, cause: error });
}

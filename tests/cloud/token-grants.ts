/** What a token endpoint answers for a machine's grant, and how it refuses. */

/** The answer to a request at the token endpoint. */
export interface GrantAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An error of RFC 6749, 5.2. */
export function refused(error: string, description: string, status = 400): GrantAnswer {
  return { status, body: { error, error_description: description } };
}

/** RFC 7523. */
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** RFC 8693. */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

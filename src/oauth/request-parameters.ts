/** Parameters of a person's own in requests to an issuer, beside those of the protocols. */

/** What is sent along to the token endpoint. */
export interface TokenParameters {
  /** By their names; none that is set here anyway. */
  readonly tokenParams?: Readonly<Record<string, string>> | undefined;
  /** Whom the tokens are for, as URIs: RFC 8707. */
  readonly resources?: readonly string[] | undefined;
}

/** What is sent along in the requests of a sign-in. */
export interface RequestParameters extends TokenParameters {
  /** For the authorization endpoint, or the one that issues device codes. */
  readonly authParams?: Readonly<Record<string, string>> | undefined;
}

/** The parameters of an authorization request, RFC 6749, 4.1.1 and RFC 8628, 3.1; resources as RFC 8707, 2.1 has them. */
export function authorizationParameters(
  { authParams, resources }: RequestParameters = {},
  own: OwnParameters = {},
): URLSearchParams {
  return together(authParams, resources, own);
}

/** The parameters of a token request, refreshes included; resources as RFC 8707, 2.2 has them. */
export function tokenParameters(
  { tokenParams, resources }: TokenParameters = {},
  own: OwnParameters = {},
): URLSearchParams {
  return together(tokenParams, resources, own);
}

/** Those that are set here, which count whatever was chosen. */
type OwnParameters = Readonly<Record<string, string | undefined>>;

function together(
  parameters: Readonly<Record<string, string>> | undefined,
  resources: readonly string[] | undefined,
  own: OwnParameters,
): URLSearchParams {
  const all = new URLSearchParams(Object.entries(parameters ?? {}));
  for (const resource of resources ?? []) all.append("resource", resource);
  for (const [name, value] of Object.entries(own)) if (value !== undefined) all.set(name, value);
  return all;
}

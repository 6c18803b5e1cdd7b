/** A person's own parameters in requests to an issuer, beside those of the protocols. */

/** Parameters for the token endpoint. */
export interface TokenParameters {
  /** By name; a name that the protocol sets is not among them. */
  readonly tokenParams?: Readonly<Record<string, string>> | undefined;
  /** The audiences of the tokens, as URIs: RFC 8707. */
  readonly resources?: readonly string[] | undefined;
}

/** Parameters for the requests of a sign-in. */
export interface RequestParameters extends TokenParameters {
  /** For the authorization endpoint, or the endpoint that issues device codes. */
  readonly authParams?: Readonly<Record<string, string>> | undefined;
}

/** The parameters of an authorization request, RFC 6749, 4.1.1 and RFC 8628, 3.1; resources follow RFC 8707, 2.1. */
export function authorizationParameters(
  { authParams, resources }: RequestParameters = {},
  own: OwnParameters = {},
): URLSearchParams {
  return together(authParams, resources, own);
}

/** The parameters of a token request, refreshes included; resources follow RFC 8707, 2.2. */
export function tokenParameters(
  { tokenParams, resources }: TokenParameters = {},
  own: OwnParameters = {},
): URLSearchParams {
  return together(tokenParams, resources, own);
}

/** The protocol's parameters, which override the person's. */
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

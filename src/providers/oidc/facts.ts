/** The facts of an OpenID Connect issuer of somebody's own, by which its sessions are known. */

import { providerNamed } from "../kinds.ts";

/** The facts. */
export const OIDC = providerNamed("oidc", {
  title: "an OpenID Connect issuer",
  kubernetes: "named",
  personToken: "id",
  controlPlaneApis: [],
  choosesClient: false,
  selfConfigured: true,
});

/** The facts of a self-chosen OpenID Connect issuer that its sessions carry. */

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

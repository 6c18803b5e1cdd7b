/** The variables that name a cloud on this machine to datumctl. */

import type { Cloud } from "./cloud.ts";

/** Where the cloud is, for credentials in variables. */
export function addressVariables({ authHost, apiHost, caFile }: Cloud) {
  return {
    DATUMCTL_HOSTNAME: authHost,
    DATUMCTL_API_HOSTNAME: apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: caFile,
  };
}

/** What GitHub gives a job that may ask for a token of its own. */
export function githubVariables({ ciIssuers: { github } }: Cloud) {
  return {
    ACTIONS_ID_TOKEN_REQUEST_URL: github.requestUrl,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: github.requestToken,
  };
}

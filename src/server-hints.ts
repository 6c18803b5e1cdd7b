/** The next steps after a server's answer, by the error's code: lines to paste. */

import type { ErrorCode } from "./errors.ts";

const UNASKED = "--skip-validation writes the entry without asking the server.";

/** The hints of each code. */
export const SERVER_HINTS = {
  FORBIDDEN: {
    action: "Ask for access, or see what is allowed: datumctl auth can-i --list",
    controlPlane: `See what you may use: datumctl ctx list, or ask for access. ${UNASKED}`,
    apiServer: `Ask for access. ${UNASKED}`,
    impersonate: (words: string) =>
      "Ask for the RBAC verb impersonate on what the message names, or see what you may do yourself: " +
      `datumctl auth can-i ${words}`,
  },
  NOT_FOUND: {
    served: "See what is served there: datumctl api-resources",
    objects: (words: string) => `See what there is, in all namespaces: datumctl get ${words}`,
    namespace: (words: string) => `See which there are, or create it: datumctl create namespace ${words}`,
    version: "See which versions are served there: datumctl api-versions",
    controlPlane: `See what there is: datumctl ctx list. ${UNASKED}`,
    apiServer: `Check what was named. ${UNASKED}`,
    selfReview: "See who is signed in: datumctl whoami",
  },
} as const satisfies Partial<
  Record<ErrorCode, Readonly<Record<string, string | ((fact: string) => string)>>>
>;

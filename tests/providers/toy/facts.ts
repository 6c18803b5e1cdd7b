/** The facts of a cloud that only tests know: a harbour that gives a token to everybody who names a berth. */

import { kindNamed, providerNamed } from "../../../src/providers/kinds.ts";

/** The token of a berth, given for good. */
export const BERTH = kindNamed("berth", { person: false, tokens: "given", noun: "session" });

/** The facts. */
export const TOY = providerNamed("toy", {
  title: "the toy harbour",
  kubernetes: "own",
  personToken: "access",
  controlPlaneApis: [],
  choosesClient: false,
  selfConfigured: false,
});

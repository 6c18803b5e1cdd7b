/** What the tests of tables and of sorted lists share. */

import type { Json } from "../../src/kube/lossless-json.ts";

/** The columns of a server's table. */
export const COLUMNS: readonly Json[] = [
  { name: "Name", type: "string", format: "name", priority: 0 },
  { name: "Ready now", type: "string", format: "", priority: 0 },
  { name: "Node", type: "string", format: "", priority: 1 },
  { name: "Âge", type: "date", format: "", priority: 0 },
];

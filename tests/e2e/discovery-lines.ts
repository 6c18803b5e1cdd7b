/** What is asked of datumctl and of kubectl about a server, side by side, and how their answers are compared. */

import { parse } from "yaml";

/** Lines that datumctl and kubectl answer with the same words. */
export const SAME: readonly string[] = [
  "api-resources",
  "api-resources -o wide",
  "api-resources -o name",
  "api-resources -o json",
  "api-resources -o yaml",
  "api-resources --api-group=",
  "api-resources --api-group=authorization.k8s.io -o json",
  "api-resources --api-group=nothing",
  "api-resources --api-group=nothing -o name",
  "api-resources --namespaced",
  "api-resources --namespaced=false -o name",
  "api-resources --verbs=list",
  "api-resources --verbs=list,get --verbs=watch -o name",
  "api-resources --categories=all -o wide",
  "api-resources --sort-by=name",
  "api-resources --sort-by kind -o yaml",
  "api-resources --no-headers",
  "api-resources --no-headers --namespaced -o wide",
  "api-resources --cached",
  "api-versions",
  "get --raw /version",
  "get --raw /api",
  "get --raw /apis",
  "get --raw /apis/authorization.k8s.io/v1",
  "get --raw /openapi/v3",
  "get --raw /openapi/v3/api/v1?hash=1",
  "get --raw /api/v1/namespaces?limit=1",
  "get --raw /healthz",
  "get --raw /nothing",
  "get --raw /api/v1/namespaces/nothing",
];

/** What a command printed, in a form that is equal when it says the same. */
export function meaning(line: string, stdout: string): unknown {
  if (line.startsWith("get ")) return stdout;
  if (line.endsWith("-o json")) return JSON.parse(stdout);
  if (line.endsWith("-o yaml")) return parse(stdout);
  return stdout.split("\n").map((row) => row.trimEnd());
}

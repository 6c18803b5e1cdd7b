/** `deno task apiserver`: the real Kubernetes API server beside the local cloud's issuer, until Ctrl-C. */

import { startCloud } from "../cloud/cloud.ts";
import { byUserinfo, startApiServer } from "./apiserver.ts";

const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
const signals = Deno.build.os === "windows" ? ["SIGINT" as const] : ["SIGINT" as const, "SIGTERM" as const];
for (const signal of signals) Deno.addSignalListener(signal, stop);

await serve();
// Only now: the signal may come twice, from the terminal and from the task that runs this.
for (const signal of signals) Deno.removeSignalListener(signal, stop);

async function serve(): Promise<void> {
  await using cloud = await startCloud();
  await using server = await startApiServer({
    trusted: [{ issuer: cloud.issuer, caPem: cloud.caPem, audiences: [cloud.clientId] }],
    introspect: byUserinfo(cloud),
    certificates: cloud.certificates,
  });
  if (server === undefined) return void (Deno.exitCode = 1);
  await Deno.stdout.write(new TextEncoder().encode(`Kubernetes runs on this machine until Ctrl-C.

  API server    ${server.url}
  CA file       ${cloud.caFile}
  administrator ${server.admin.kubeconfig}
  users         ${cloud.users.map(({ email }) => email).join(", ")}

Sign in at its issuer, and let kubectl use the session:

  datumctl login --issuer ${cloud.issuer} \\
    --client-id ${cloud.clientId} --certificate-authority ${cloud.caFile}
  datumctl auth update-kubeconfig --server ${server.url}

The same server is also a Datum, with the organizations acme and initech and the projects web and data:

  datumctl login --hostname ${cloud.authHost} --api-hostname ${server.proxy.host} \\
    --client-id ${cloud.clientId} --certificate-authority ${cloud.caFile}
  datumctl auth update-kubeconfig --project web
`));
  await stopped;
}

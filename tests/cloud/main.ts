/** `deno task cloud`: a cloud on this machine, until Ctrl-C. */

import { startCloud } from "./cloud.ts";

const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
const signals = Deno.build.os === "windows" ? ["SIGINT" as const] : ["SIGINT" as const, "SIGTERM" as const];
for (const signal of signals) Deno.addSignalListener(signal, stop);

const encoder = new TextEncoder();
const cloud = await startCloud();

await Deno.stdout.write(encoder.encode(`A cloud runs on this machine until Ctrl-C.

  auth host     ${cloud.authHost}
  API host      ${cloud.apiHost}
  client id     ${cloud.clientId}
  CA file       ${cloud.caFile}
  control       ${cloud.admin}
  users         ${cloud.users.map(({ email }) => email).join(", ")}
  organizations acme, initech
  projects      web, data

Sign in:

  datumctl login --hostname ${cloud.authHost} --api-hostname ${cloud.apiHost} \\
    --client-id ${cloud.clientId} --certificate-authority ${cloud.caFile}
`));

await stopped;
for (const signal of signals) Deno.removeSignalListener(signal, stop);
await cloud.close();

/** `deno task cloud`: a cloud on this machine, until Ctrl-C. */

import { startCloud } from "./cloud.ts";
import { startCloudfleet } from "./cloudfleet.ts";

const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
const signals = Deno.build.os === "windows" ? ["SIGINT" as const] : ["SIGINT" as const, "SIGTERM" as const];
for (const signal of signals) Deno.addSignalListener(signal, stop);

const encoder = new TextEncoder();
const cloud = await startCloud();

const { github } = cloud.ciIssuers;
// Beside the CA file, so that the close takes it away too.
const keyFile = cloud.caFile.replace(/ca\.pem$/, "service-account.json");
await Deno.writeTextFile(keyFile, JSON.stringify(await cloud.addServiceAccount(), null, 2), { mode: 0o600 });
const cloudfleet = await startCloudfleet();
const user = cloudfleet.addToken({ name: "reader", role: "User" });

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

For machines:

  access token  ${cloud.addPersonalAccessToken()}
  key file      ${keyFile}
  GitHub job    ACTIONS_ID_TOKEN_REQUEST_URL='${github.requestUrl}'
                ACTIONS_ID_TOKEN_REQUEST_TOKEN='${github.requestToken}'

A Cloudfleet runs beside it, with a CA of its own.

  issuer        ${cloudfleet.issuer}
  API           ${cloudfleet.apiUrl}
  CA file       ${cloudfleet.caFile}
  clusters      ${cloudfleet.clusters.map(({ id, name }) => `${id} (${name})`).join(", ")}
  User token    ${user.id} ${user.secret}

Its administrator, for a shell:

  export CLOUDFLEET_ISSUER=${cloudfleet.issuer}
  export CLOUDFLEET_ORGANIZATION_ID=${cloudfleet.organizationId}
  export CLOUDFLEET_ACCESS_TOKEN_ID=${cloudfleet.administrator.id}
  export CLOUDFLEET_ACCESS_TOKEN_SECRET=${cloudfleet.administrator.secret}
`));

await stopped;
for (const signal of signals) Deno.removeSignalListener(signal, stop);
await Promise.all([cloud.close(), cloudfleet.close()]);

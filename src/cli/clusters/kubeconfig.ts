/** `clusters kubeconfig`: the kubeconfig entry through which kubectl uses a Cloudfleet cluster. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { printable, shellLine } from "../../text.ts";
import { tooLargeToTell } from "../../kubeconfig/cluster.ts";
import {
  checkKubeconfigs,
  entryNamed,
  type Kubeconfig,
  kubeconfigPaths,
  loadKubeconfig,
  updateKubeconfig,
} from "../../kubeconfig/file.ts";
import type { KubeconfigEdit } from "../../kubeconfig/edit.ts";
import { checkClusterHost, checkUserEntry, entryEdit } from "../../kubeconfig/entries.ts";
import { identityOf, userName } from "../../kubeconfig/identity.ts";
import { kubernetesUser } from "../../providers/cloudfleet/api.ts";
import { isApiToken } from "../../providers/cloudfleet/facts.ts";
import { checkedId } from "../../providers/cloudfleet/operations.ts";
import { serverOfCluster } from "../../providers/cloudfleet/server-of-cluster.ts";
import { labelOf } from "../../sessions/new-name.ts";
import { openCloudfleet } from "../../providers/cloudfleet/open.ts";
import { operationOption } from "../operation-flag.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { readAuthority } from "../save-flags.ts";
import { ownCommand } from "../../kubeconfig/exec-command.ts";
import { leaveFastLane } from "../auth/fast-lane.ts";
import { formatFacts } from "../output/table.ts";
import { printPluginPolicy } from "../plugin-policy.ts";
import { rememberNamed, warnOfServers } from "../session-servers.ts";
import { valueArgument, valueOption } from "../complete/declare.ts";

/** `clusters kubeconfig`. */
export function clustersKubeconfigCommand(contextOf: ContextOf): CommandUnknownOpts {
  const kubeconfig = new Command("kubeconfig")
    .description("Write the kubeconfig entry through which kubectl uses a cluster as a profile")
    .addArgument(valueArgument("cluster", "<id>", "the cluster's id"))
    .addOption(
      valueOption("file", "--kubeconfig <path>", "file to write (default: $KUBECONFIG, else ~/.kube/config)"),
    )
    .option(
      "--certificate-authority <file>",
      "the cluster's authority (PEM), if not the profile's or the system's",
    )
    .addOption(operationOption())
    .addHelpText(
      "after",
      `
Examples:
  datumctl clusters kubeconfig 3f1c2a9e-5d14-4c0b-8f63-2b7d90c1e4a5
  datumctl clusters kubeconfig 3f1c2a9e-5d14-4c0b-8f63-2b7d90c1e4a5 \\
      --certificate-authority ca.pem
  datumctl clusters kubeconfig 3f1c2a9e-5d14-4c0b-8f63-2b7d90c1e4a5 \\
      --profile ci --kubeconfig ci.yaml

The context is CLUSTER_ID/PROFILE. The current context stays as it is.`,
    );
  kubeconfig.action((id, flags) => runClustersKubeconfig(contextOf(kubeconfig), { ...flags, id }));
  return kubeconfig;
}

interface KubeconfigInput {
  readonly id: string;
  readonly kubeconfig?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly operation: readonly string[];
}

/** Asks for the cluster's address and writes its entry. The current context stays. */
export async function runClustersKubeconfig(cli: CommandContext, input: KubeconfigInput): Promise<void> {
  const { out, env } = cli;
  const id = checkedId("a cluster", input.id);
  const authority = input.certificateAuthority === undefined
    ? undefined
    : await readAuthority(input.certificateAuthority);
  const paths = kubeconfigPaths(input.kubeconfig, env);
  await checkKubeconfigs(paths);
  using cloudfleet = await openCloudfleet(cli, input.operation);
  const { session } = cloudfleet;
  const server = serverOfCluster(await cloudfleet.api.cluster(id));
  const { command, warning } = await ownCommand(env, cli.store.folders);
  if (warning !== undefined) out.warn(warning);
  const context = `${id}/${session.name}`;
  const identity = identityOf(session);
  const certificateAuthority = authority ?? session.certificateAuthority;
  let holder: string | undefined;
  let tooLarge: string | undefined;
  const user = userName(identity);
  const edit = async (kubeconfig: Kubeconfig): Promise<KubeconfigEdit> => {
    checkClusterHost(kubeconfig, id, server);
    checkUserEntry(kubeconfig, identity);
    tooLarge = await tooLargeToTell(kubeconfig, user, { cluster: id, server, certificateAuthority });
    holder = entryNamed(kubeconfig, "contexts", context)?.file.path;
    return entryEdit({
      cluster: id,
      server,
      context,
      command,
      identity,
      writtenBy: shellLine(["datumctl", "clusters", "kubeconfig", id]),
      switchTo: false,
      provideClusterInfo: tooLarge === undefined,
      certificateAuthority,
    });
  };
  const before = await loadKubeconfig(paths);
  // An entry that would be refused must not be remembered either.
  await edit(before);
  // No token was shown to the cluster yet.
  const named = { cluster: id, server, accepted: false, user };
  const own = { ...cli, store: cloudfleet.store };
  const serving = await rememberNamed(own, session, before, named);
  const changes = await updateKubeconfig(paths, edit);
  await leaveFastLane(own, session, before, { user });
  await warnOfServers(cli, serving, before, named, tooLarge);
  const written = changes.length === 0
    ? `${holder ?? paths[0]} (nothing to change)`
    : changes.map(({ path }) => path).join(", ");
  const who = isApiToken(session) ? kubernetesUser(session.clientId) : labelOf(session);
  const facts = [
    ["Kubeconfig", written],
    ["Context", context],
    ["User", printable(who)],
    ["API server", server],
  ] as const;
  out.text(await formatFacts(facts, cli.style.out));
  await printPluginPolicy(cli, command);
  const file = input.kubeconfig === undefined ? [] : ["--kubeconfig", input.kubeconfig];
  out.info(`Next: ${shellLine(["kubectl", ...file, "--context", context, "get", "namespaces"])}`);
}

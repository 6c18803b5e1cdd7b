/** What is particular about some examples: those that are not run with the others, and how some of them are. */

import type { Room } from "./doc-names.ts";
import type { How } from "./doc-stage.ts";

/**
 * The examples that are not run with the others, each with its reason. Keyed by the page, or by the page and the
 * first line of the block: `docs/ci.md`, `docs/docker.md: datumctl …`.
 */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  "README.md: npx -y deno@2.9.6 task demo   # the main job, against a cloud that it starts on this machine":
    "it runs all tests; .ci/run does",
  "README.md: npx -y deno@2.9.6 task compile": "it makes the binary under test",
  "README.md: curl -fsSL https://github.com/datumctl/datumctl/releases/latest/download/install.sh | sh":
    "a published release; tests/e2e/install.test.ts runs the installer",
  'docs/cloudfleet.md: datumctl tokens regenerate TOKEN_ID --operation regenerate="POST /tokens/{id}/secret"':
    "the requests of another API than the local one has; tests/cli/tokens/ makes them",
  "docs/ci.md": "tests/e2e/machines.test.ts runs each of its snippets",
  "docs/releasing.md": "a release takes an hour; tests/e2e/release.test.ts makes one",
  "docs/fast.md: datumctl proxy --kubeconfig agent.kubeconfig > proxy.out &":
    "it takes a second user of the machine; tests/e2e/proxy.test.ts runs such proxies",
  "docs/fast.md: bwrap --unshare-pid --unshare-ipc --new-session --die-with-parent --clearenv --proc /proc --dev /dev \\":
    "tests/e2e/proxy-sandbox.test.ts runs it",
  "docs/plugins.md: #!/bin/sh": "a plug-in's own text; tests/e2e/plugins.test.ts runs it",
  "docs/sign-in.md: datumctl login --keyring system":
    "tests/e2e/keyring.test.ts signs in with the real keyring",
  "docs/ssh.md: ssh -L 8085:127.0.0.1:8085 devbox": "it takes two machines",
  "docs/completion.md: datumctl completion powershell | Out-String | Invoke-Expression":
    "PowerShell, which is another system's",
  "datumctl completion --help: datumctl completion powershell | Out-String | Invoke-Expression":
    "PowerShell, which is another system's",
};

/** How a block runs that does not run as its page has it by itself. */
export interface Particular extends How {
  /** Where, if not where the page's others do. */
  readonly room?: Room;
  /** Its lines are alternatives: each runs by itself, in a home of its own. */
  readonly alternatives?: true;
  /** Which of the alternatives ask; all unless given. */
  readonly asks?: RegExp;
}

/** Keyed as {@link ELSEWHERE}. */
export const PARTICULAR: Readonly<Record<string, Particular>> = {
  "docs/cloudfleet.md: export CLOUDFLEET_ISSUER=https://auth.example.com/realms/ORGANIZATION": {
    room: "nobody",
  },
  "docs/cloudfleet.md: datumctl clusters kubeconfig CLUSTER_ID --kubeconfig ci.yaml": { room: "variables" },
  "docs/cloudfleet.md: datumctl tokens create --name ci --role User                    # shows the secret, once":
    {
      alternatives: true,
    },
  "docs/cloudfleet.md: datumctl tokens regenerate TOKEN_ID --update-profile": { typed: "y\n" },
  "docs/cloudfleet.md: kubectl create rolebinding ci --clusterrole=edit --user=service-account-nfyyvdtg8k1adujwk3yfh1 -n your-namespace":
    { before: "kubectl config use-context CLUSTER_ID/ci" },
  "docs/commands.md: datumctl login --profile work": { alternatives: true },
  "docs/commands.md: datumctl ctx use my-org-id/my-project-id": { before: "datumctl ctx use acme" },
  "docs/commands.md: datumctl trust": {
    before: "datumctl use --project web\nmkdir my-folder\n(cd my-folder; datumctl use --project web)",
  },
  "docs/commands.md: datumctl auth import": {
    room: "kubelogin",
    alternatives: true,
    asks: /import$/,
    typed: "y\n",
  },
  "docs/import.md: datumctl auth import            # lists, then asks": {
    room: "kubelogin",
    alternatives: true,
    asks: /asks$/,
    typed: "y\n",
  },
  "docs/from-kubelogin.md: datumctl auth import": { room: "kubelogin", typed: "y\n" },
  "docs/from-kubelogin.md: datumctl login --issuer https://login.example.com/realms/main --client-id kubernetes \\":
    {
      room: "kubelogin",
    },
  "docs/commands.md: datumctl auth update-kubeconfig --project my-project-id --dry-run": {
    alternatives: true,
  },
  "docs/commands.md: datumctl tokens regenerate 2iKo4Asy51EUx2gpJFW76t --update-profile": { typed: "y\n" },
  "docs/docker.md: printenv CLOUDFLEET_ACCESS_TOKEN_SECRET |": { room: "variables" },
  "docs/fast.md: datumctl exec --project my-project-id -- k9s": { before: "cd zones" },
  "docs/fast.md: kubectl --kubeconfig agent.kubeconfig get configmaps": {
    before:
      "rm -f proxy.out; datumctl proxy --kubeconfig agent.kubeconfig > proxy.out &\nuntil [ -s proxy.out ]; do sleep 0.1; done",
  },
  "docs/fast.md: curl http://127.0.0.1:PORT/KEY/api/v1/namespaces/default/configmaps": {
    before: [
      "rm -f proxy.out; datumctl proxy > proxy.out &",
      "until [ -s proxy.out ]; do sleep 0.1; done",
      "IFS=/ read -r _ _ at key < proxy.out",
      "port=${at#*:}",
      'echo "Authorization: Bearer $key" > header',
    ].join("\n"),
  },
  'docs/plugins.md: "$DATUM_CREDENTIALS_HELPER" auth get-token ${DATUM_SESSION:+--session "$DATUM_SESSION"}':
    {
      before: "DATUM_CREDENTIALS_HELPER=datumctl",
    },
  "docs/resources.md: datumctl get dnszones                                   # where ctx use or update-kubeconfig said":
    {
      alternatives: true,
    },
  "docs/resources.md: datumctl delete dnszone example-com": { alternatives: true, asks: /-l/, typed: "y\n" },
  "docs/sign-in.md: datumctl whoami --profile grace@example.com@api.datum.net": { alternatives: true },
  "docs/studio.md: DATUMCTL_PROVIDER=studio datumctl auth login": { room: "new-at-studio" },
  "docs/studio.md: datumctl login --hostname studio.datachain.ai --scopes EXPERIMENTS,DATASETS --name my-token":
    {
      alternatives: true,
    },
  "docs/studio.md: datumctl logout --local": { before: "datumctl login --local" },
  "docs/sign-in.md: datumctl logout ada@example.com": {
    alternatives: true,
    asks: /--kubeconfig/,
    typed: "\n",
  },
  "datumctl logout --help: datumctl logout": { typed: "\n" },
  "datumctl logout --help: datumctl logout --kubeconfig ~/.kube/config": { typed: "\n" },
  "datumctl tokens regenerate --help: datumctl tokens regenerate 2iKo4Asy51EUx2gpJFW76t --update-profile": {
    typed: "y\n",
  },
  "datumctl delete --help: datumctl delete configmaps -l app=web": { typed: "y\n" },
  "datumctl wait --help: datumctl wait dnszones --all --for=condition=Ready=False --timeout=5m": {
    before: `kubectl patch dnszones example-com other-com --subresource=status --type=merge -p '${
      JSON.stringify({
        status: {
          conditions: [{
            type: "Ready",
            status: "False",
            reason: "Delegation",
            message: "nobody delegates to it yet",
            lastTransitionTime: "2026-01-01T00:00:00Z",
          }],
        },
      })
    }'`,
  },
  "datumctl wait --help: datumctl wait -f zone.yaml --for=delete": { before: "kubectl delete -f zone.yaml" },
  "datumctl trust --help: datumctl trust": { before: "datumctl use --project web" },
  "datumctl trust --help: datumctl trust ~/work/.datumctl.json": { before: "datumctl use --project web" },
  "datumctl trust --help: datumctl trust --remove": { before: "datumctl use --project web" },
  "datumctl ctx use --help: datumctl ctx use -": { before: "datumctl ctx use acme" },
  "datumctl auth add-profile --help: datumctl auth add-profile token ci ORGANIZATION_ID TOKEN_ID": {
    before: "exec < ci.secret",
  },
  "datumctl auth add-profile token --help: datumctl auth add-profile token ci ORGANIZATION_ID TOKEN_ID \\": {
    before: "exec < ci.secret",
  },
  'datumctl completion --help: eval "$(datumctl completion bash)"': { shell: "bash" },
  'datumctl completion --help: eval "$(datumctl completion zsh)"': { shell: "zsh" },
  'datumctl completion --help: datumctl completion zsh > "${fpath[1]}/_datumctl"': {
    before: 'fpath=("$HOME" $fpath)',
    shell: "zsh",
  },
  "datumctl auth --help: datumctl auth switch": { typed: "\n" },
  "datumctl auth import --help: datumctl auth import --only oidc --yes": { room: "kubelogin" },
};

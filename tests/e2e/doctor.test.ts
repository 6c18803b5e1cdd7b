/** Proves `doctor` by planted faults: each is found and named, and the line that it prints, typed as it stands, mends it. */

import assert from "node:assert/strict";
import { makeCertificates } from "../cloud/certificates.ts";
import { canLie, lyingLocks } from "../system/lying-locks.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { kubectlPath } from "../../scripts/npm-packages.ts";
import { writeScript } from "../scratch.ts";
import {
  ADA,
  addKubectl,
  change,
  type Planted,
  programsOf,
  prove,
  report,
  shell,
  shellVariables,
  snapshot,
  type Variables,
} from "./doctor-stage.ts";
import { testInWorld, type World } from "./world.ts";

const V35 = await kubectlPath("v35").catch(() => undefined);
const asRoot = Deno.uid() === 0;

/** The file of the only session. */
async function sessionFile({ config }: World, ending = ".json"): Promise<string> {
  for await (const { name } of Deno.readDir(`${config}/sessions`)) {
    if (/^[a-z2-7]{16}/.test(name) && name.endsWith(ending)) return `${config}/sessions/${name}`;
  }
  return assert.fail(`no session ${ending}`);
}

/** Changes the kubeconfig, which is edited as text. */
const edit = (world: World, from: string | RegExp, to: string) =>
  change(world.kubeconfig, (text) => text.replace(from, to));

/** A CA in base64, as kubeconfigs have it. */
async function authority(daysAgo: number): Promise<string> {
  return btoa((await makeCertificates(new Date(Date.now() - daysAgo * 24 * 3600_000))).caPem);
}

const withAuthority = (world: World, data: string) =>
  edit(world, /certificate-authority-data: \S+/, `certificate-authority-data: ${data}`);

const FILES: readonly Planted[] = [
  {
    name: "a config.json that is not JSON",
    check: "files.config",
    found: /config\.json cannot be used: it is not JSON/,
    line: /^mv \S+config\.json \S+config\.json\.aside$/,
    plant: ({ config }) => Deno.writeTextFile(`${config}/config.json`, "{"),
  },
  {
    name: "a config.json of a newer datumctl",
    check: "files.config",
    found: /its schemaVersion is 9 and not 1/,
    line: /^mv /,
    plant: ({ config }) => Deno.writeTextFile(`${config}/config.json`, '{"schemaVersion":9}'),
  },
  {
    name: "a session's file that is cut",
    check: "files.sessions",
    found: /is not a session file that can be read/,
    line: /^mv \S+\.json \S+\.json\.aside$/,
    plant: async (world) => await change(await sessionFile(world), (text) => text.slice(0, 100)),
  },
  {
    name: "a session's file over another's",
    check: "files.sessions",
    found: /is the file of another session/,
    line: /^mv \S+aaaaaaaaaaaaaaaa\.json /,
    plant: async (world) =>
      await Deno.copyFile(await sessionFile(world), `${world.config}/sessions/aaaaaaaaaaaaaaaa.json`),
  },
  {
    name: "a session's file that others can read",
    check: "files.private",
    verdict: "warning",
    found: /^other users can look at it$/,
    line: /^chmod go= \S+\.json$/,
    plant: async (world) => await Deno.chmod(await sessionFile(world), 0o644),
  },
  {
    name: "folders that others can look into",
    check: "files.private",
    verdict: "warning",
    found: /^other users can look at it and at 1 more$/,
    line: /^chmod go= \S+\/datumctl \S+\/sessions$/,
    plant: async ({ config }) => {
      await Deno.chmod(config, 0o755);
      await Deno.chmod(`${config}/sessions`, 0o755);
    },
  },
  {
    name: "a session of somebody else's",
    check: "files.owner",
    found: /^it belongs to someone else$/,
    line: /^chown -R "\$\(id -u\):\$\(id -g\)" \S+\.json$/,
    ignore: !asRoot,
    plant: async (world) => await Deno.chown(await sessionFile(world), 12345, 12345),
  },
  {
    name: "a file where the sessions' folder belongs",
    check: "files.folder",
    found: /^it is a file and not a folder$/,
    line: /^mv \S+\/sessions \S+\/sessions\.aside$/,
    plant: async ({ config }) => {
      await Deno.remove(`${config}/sessions`, { recursive: true });
      await Deno.writeTextFile(`${config}/sessions`, "");
    },
  },
  {
    name: "no home",
    check: "files.folder",
    found: /^Cannot tell where to keep sessions: HOME is not set\.$/,
    line: /^export HOME="\$\(getent passwd "\$\(id -u\)" \| cut -d: -f6\)"$/,
    plant: () => ({ HOME: undefined }),
  },
  {
    name: "a file system without locks",
    check: "files.locks",
    found: /^its file system keeps no locks$/,
    line: /^export DATUMCTL_CONFIG_DIR=FOLDER$/,
    typed: { FOLDER: "/tmp/datumctl-of-doctors-test" },
    ignore: !canLie(),
    plant: async ({ temporary }) => ({ LD_PRELOAD: await lyingLocks(temporary, "refused") }),
  },
  {
    name: "locks that everybody is granted",
    check: "files.locks",
    found: /^its lock is granted to everybody$/,
    line: /^export DATUMCTL_CONFIG_DIR=FOLDER$/,
    typed: { FOLDER: "/tmp/datumctl-of-doctors-test" },
    ignore: !canLie(),
    plant: async ({ temporary }) => ({ LD_PRELOAD: await lyingLocks(temporary, "granted") }),
  },
];

const LOST_KEY =
  /^datumctl login --profile ada@example\.com@\S+ --hostname \S+ --api-hostname \S+ --client-id \d+ --certificate-authority FILE$/;

const SESSIONS: readonly Planted[] = [
  {
    name: "a key that is gone",
    check: "keyring.keys",
    found: /^its key is not in a key file in /,
    line: LOST_KEY,
    plant: async (world) => {
      await Deno.remove(await sessionFile(world, ".key"));
      return { FILE: world.cloud.caFile };
    },
  },
  {
    name: "the key of another session",
    check: "keyring.keys",
    found: /^its key is another one in a key file in /,
    line: LOST_KEY,
    plant: async (world) => {
      const key = crypto.getRandomValues(new Uint8Array(32)).toBase64({
        alphabet: "base64url",
        omitPadding: true,
      });
      await Deno.writeTextFile(await sessionFile(world, ".key"), key);
      return { FILE: world.cloud.caFile };
    },
  },
  {
    name: "a session that its issuer no longer renews",
    check: "sessions.renewable",
    found: /^its issuer no longer renews it$/,
    line: /^datumctl login --profile /,
    plant: async (world) => {
      world.cloud.revokeAll();
      assert.equal((await world.datumctl(["auth", "get-token", "--force-refresh"])).code, 4);
    },
  },
  {
    name: "a session that its issuer ended, tried with --refresh",
    check: "sessions.refresh",
    found: /has expired/,
    line: /^datumctl login --profile /,
    args: ["--refresh"],
    plant: ({ cloud }) => cloud.revokeAll(),
  },
  {
    name: "no active session",
    check: "sessions.acting",
    verdict: "warning",
    found: /^no session is active$/,
    line: /^datumctl auth switch ada@example\.com@\S+$/,
    plant: ({ config }) => Deno.writeTextFile(`${config}/config.json`, '{"schemaVersion":1}'),
  },
  {
    name: "an active session that is not here",
    check: "sessions.acting",
    found: /^it is the active session, and it is not here$/,
    line: /^datumctl auth switch ada@/,
    plant: ({ config }) =>
      Deno.writeTextFile(`${config}/config.json`, '{"schemaVersion":1,"activeSession":"gone@example.com"}'),
  },
  {
    name: "a variable that names no session",
    check: "sessions.acting",
    found: /^DATUMCTL_PROFILE names a session that is not here$/,
    line: /^unset DATUMCTL_PROFILE$/,
    plant: () => ({ DATUMCTL_PROFILE: "nobody" }),
  },
  {
    name: "a variable that names no key file",
    check: "sessions.acting",
    found: /nothing-is-here/,
    line: /^unset DATUMCTL_CREDENTIALS_FILE$/,
    plant: () => ({ DATUMCTL_CREDENTIALS_FILE: "/nothing-is-here" }),
  },
  {
    name: "nobody who is signed in",
    check: "sessions.signed-in",
    verdict: "warning",
    found: /^nobody is signed in$/,
    line: /^datumctl login$/,
    // The line leads to the vendor's own cloud.
    typed: false,
    plant: async ({ config }) => await Deno.remove(config, { recursive: true }),
  },
];

const NETWORK: readonly Planted[] = [
  {
    name: "a proxy variable that holds no URL",
    check: "network.proxy-variable",
    found: /^it holds no URL of a proxy$/,
    line: /^unset HTTPS_PROXY$/,
    plant: () => ({ HTTPS_PROXY: "ftp://proxy.example.com" }),
  },
  {
    name: "a proxy at which nobody answers, in both spellings",
    check: "network.proxy-reachable",
    found: /^nobody answers at the proxy 127\.0\.0\.1:1$/,
    line: /^unset HTTPS_PROXY https_proxy$/,
    args: [],
    plant: () => ({
      HTTPS_PROXY: "http://me:secret@127.0.0.1:1",
      https_proxy: "http://me:secret@127.0.0.1:1",
    }),
  },
  {
    name: "two spellings that differ",
    check: "network.proxy-spellings",
    verdict: "warning",
    found: /^the two spellings say different things$/,
    line: /^export no_proxy="\$NO_PROXY"$/,
    plant: () => ({ NO_PROXY: "a.example", no_proxy: "b.example" }),
  },
  {
    name: "an exception that is no host",
    check: "network.no-proxy",
    verdict: "warning",
    found: /^"https:\/\/k8s\.example\.com\/" is no host/,
    line: /^export NO_PROXY='10\.0\.0\.0\/8,k8s\.example\.com'$/,
    plant: () => ({ NO_PROXY: "10.0.0.0/8, https://k8s.example.com/" }),
  },
  {
    name: "a log of TLS secrets",
    check: "network.key-log",
    verdict: "warning",
    found: /^the secrets of TLS connections are written into a file$/,
    line: /^unset SSLKEYLOGFILE$/,
    plant: ({ temporary }) => ({ SSLKEYLOGFILE: `${temporary}/keys` }),
  },
];

/** What kubectl says of namespaces in a world's shell. */
async function kubectlWorks(world: World, env: Variables): Promise<void> {
  const { code, stdout, stderr } = await shell(world, "kubectl get namespaces", {
    ...shellVariables(world),
    ...env,
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^project-web /m);
}

const KUBECONFIG: readonly Planted[] = [
  {
    name: "a kubeconfig that is not YAML",
    check: "kubeconfig.file",
    found: /line \d+ is not valid YAML/,
    line: /^\$\{EDITOR:-vi\} \S+\/\.kube\/config$/,
    plant: async (world) => {
      const editor = `${world.temporary}/editor`;
      await writeScript(editor, `sed -i '/^\\[$/d' "$1"`);
      await change(world.kubeconfig, (text) => `${text}[\n`);
      return { EDITOR: editor };
    },
    works: kubectlWorks,
  },
  {
    name: "an entry that stands twice",
    check: "kubeconfig.duplicates",
    found: /stands twice in "contexts" \(lines \d+, \d+\)/,
    line: /^cp -p \S+ \S+\.aside && \{ /,
    plant: (world) =>
      change(world.kubeconfig, (text) => {
        const [, entry = ""] = /\ncontexts:\n((?:[- ].*\n)+)/.exec(text) ?? [];
        return text.replace(entry, `${entry}# a comment stays\n${entry}`);
      }),
    works: async (world, env) => {
      assert.ok((await Deno.readTextFile(world.kubeconfig)).includes("# a comment stays"));
      await kubectlWorks(world, env);
    },
  },
  {
    name: "two entries of one name that differ",
    check: "kubeconfig.duplicates",
    found: /"c" stands twice in "clusters"/,
    line: /^\$\{EDITOR:-vi\} /,
    typed: false,
    plant: (world) =>
      edit(
        world,
        "clusters:\n",
        "clusters:\n- {name: c, cluster: {server: 'https://a'}}\n- {name: c, cluster: {}}\n",
      ),
  },
  {
    name: "a current context that is gone",
    check: "kubeconfig.current-context",
    verdict: "warning",
    found: /^it is the current context, and there is no such context$/,
    line: /^kubectl config unset current-context$/,
    plant: (world) => edit(world, /current-context: .*/, "current-context: gone"),
  },
  {
    name: "a context whose user is gone",
    check: "kubeconfig.context",
    found: /^its user entry datum-ada@example\.com@\S+ is gone$/,
    line: /^kubectl config delete-context datum-project-web-/,
    plant: (world) => change(world.kubeconfig, (text) => text.replace(/\nusers:\n(?:[- ].*\n)+/, "\n")),
  },
  {
    name: "a program that is gone",
    check: "kubeconfig.command",
    found: /^the program that it runs is gone: \/opt\/datumctl-0\.0\/datumctl$/,
    line: /^datumctl auth update-kubeconfig --project web --profile ada@/,
    plant: (world) => edit(world, /command: .*/, "command: /opt/datumctl-0.0/datumctl"),
    works: kubectlWorks,
  },
  {
    name: "a program that is not on PATH",
    check: "kubeconfig.command",
    found: /^there is no program datumctl-old on PATH$/,
    line: /^datumctl auth update-kubeconfig --project web --context mine --no-switch --profile /,
    plant: async (world) => {
      await edit(world, /command: .*/, "command: datumctl-old");
      await change(
        world.kubeconfig,
        (text) => text.replace(/current-context: .*/, "").replace(/(contexts:[^]*?name: ).*/, "$1mine"),
      );
    },
  },
  {
    name: "an entry without an interactiveMode",
    check: "kubeconfig.exec",
    found: /^it has no interactiveMode that kubectl knows$/,
    line: /^datumctl auth update-kubeconfig --project web /,
    plant: (world) => edit(world, / +interactiveMode: .*\n/, ""),
    works: kubectlWorks,
  },
  {
    name: "an entry of an apiVersion that kubectl does not know",
    check: "kubeconfig.exec",
    found: /^kubectl does not know its apiVersion: client\.authentication\.k8s\.io\/v1alpha1$/,
    line: /^datumctl auth update-kubeconfig /,
    plant: (world) =>
      edit(world, /apiVersion: client.*/, "apiVersion: client.authentication.k8s.io/v1alpha1"),
    works: kubectlWorks,
  },
  {
    name: "an entry whose session is not here",
    check: "kubeconfig.session",
    found: /^the session "grace@example\.com@127\.0\.0\.1:\d+" is not here$/,
    line: /^datumctl login --profile grace@example\.com@127\.0\.0\.1:\d+ /,
    // What it does not know is in capitals: the client, the host of the sign-in.
    typed: false,
    plant: (world) => edit(world, `--session=${ADA}`, "--session=grace@example.com"),
  },
  {
    name: "a server that is none of the session's",
    check: "kubeconfig.served",
    found: /serves 127\.0\.0\.1:\d+, but this kubeconfig leads to k8s\.example\.com\. No token goes there\./,
    line: /^datumctl auth update-kubeconfig --cluster \S+ --no-switch --profile ada@/,
    typed: false,
    plant: (world) => edit(world, /server: .*/, "server: https://k8s.example.com"),
  },
  {
    name: "an authority that has ended",
    check: "kubeconfig.authority",
    found: /^its certificate authority ended on \d{4}-\d\d-\d\d$/,
    line: /^datumctl auth update-kubeconfig --project web /,
    plant: async (world) => await withAuthority(world, await authority(60)),
    works: kubectlWorks,
  },
  {
    name: "an authority that ends within days",
    check: "kubeconfig.authority",
    verdict: "warning",
    found: /^its certificate authority ends on \d{4}-\d\d-\d\d$/,
    line: /^datumctl auth update-kubeconfig --project web /,
    plant: async (world) => await withAuthority(world, await authority(25)),
    works: kubectlWorks,
  },
  {
    name: "an authority that is not base64",
    check: "kubeconfig.server",
    found: /is not base64/,
    line: /^datumctl auth update-kubeconfig --project web /,
    plant: (world) => withAuthority(world, "'***'"),
    works: kubectlWorks,
  },
  {
    name: "an authority that is too large to tell",
    check: "kubeconfig.cluster-info",
    found: /is too large$/,
    line: /^datumctl auth update-kubeconfig --project web /,
    typed: false,
    plant: async (world) => await withAuthority(world, btoa(atob(await authority(0)).repeat(40))),
  },
  {
    name: "a server at an address that is none",
    check: "kubeconfig.server",
    found: /The API server .* is not an https URL/,
    line: /^kubectl config set-cluster datum-project-web-\S+ --server URL$/,
    typed: false,
    plant: (world) => edit(world, /server: https/, "server: http://example.com/"),
  },
  {
    name: "an authority that the server's certificate is not from",
    check: "kubeconfig.reachable",
    found: /an authority that this machine does not trust/,
    line: /^kubectl config set-cluster datum-project-web-\S+ --certificate-authority FILE --embed-certs$/,
    args: [],
    plant: async (world) => {
      await withAuthority(world, await authority(0));
      return { FILE: world.cloud.caFile };
    },
    works: kubectlWorks,
  },
];

/** A program of that name in a folder of its own, before or behind all others. */
async function program({ temporary }: World, name: string, body: string): Promise<string> {
  const folder = `${temporary}/${crypto.randomUUID()}`;
  await Deno.mkdir(folder);
  await writeScript(`${folder}/${name}`, body);
  return folder;
}

const pathOf = (world: World) => String(shellVariables(world).PATH);

const PROGRAMS: readonly Planted[] = [
  {
    name: "no kubectl, though entries for it are there",
    check: "kubectl.found",
    verdict: "warning",
    found: /^there is no kubectl on PATH$/,
    line: /^export PATH="\$PATH:FOLDER"$/,
    ignore: V35 === undefined,
    plant: async (world) => {
      const folder = await program(world, "a-shell", 'exec /bin/sh "$@"');
      await Deno.symlink(world.binary, `${folder}/datumctl`);
      return { PATH: folder, FOLDER: programsOf(world) };
    },
  },
  {
    name: "a kubectl that is too old for entries",
    check: "kubectl.version",
    found: /^it is v1\.20\.2$/,
    line: /^export PATH="FOLDER:\$PATH"$/,
    ignore: V35 === undefined,
    plant: async (world) => {
      const old = await program(world, "kubectl", `echo '{"clientVersion":{"gitVersion":"v1.20.2"}}'`);
      return { PATH: `${old}:${pathOf(world)}`, FOLDER: programsOf(world) };
    },
  },
  {
    name: "a kubectl that ends with an error",
    check: "kubectl.version",
    verdict: "warning",
    found: /^it does not tell its version$/,
    line: /^\S+\/kubectl version --client$/,
    typed: false,
    plant: async (world) => ({ PATH: `${await program(world, "kubectl", "exit 3")}:${pathOf(world)}` }),
  },
  {
    name: "another datumctl first on PATH",
    check: "datumctl.on-path",
    verdict: "warning",
    found: /^another datumctl comes first on PATH$/,
    line: /^export PATH=\S+:"\$PATH"$/,
    plant: async (world) => {
      const other = await program(world, "datumctl", `exec ${world.binary} "$@"`);
      return { PATH: `${other}:${pathOf(world)}` };
    },
  },
];

/** A runtime folder of a world's own. */
async function runtimeFolder({ temporary }: World): Promise<string> {
  const path = `${temporary}/run-${crypto.randomUUID()}`;
  await Deno.mkdir(path, { mode: 0o700 });
  return path;
}

/** An entry that runs the launcher. */
async function fast(world: World): Promise<{ readonly XDG_RUNTIME_DIR: string }> {
  const env = { XDG_RUNTIME_DIR: await runtimeFolder(world) };
  await world.ok(["auth", "update-kubeconfig", "--project", "web", "--fast"], { env });
  return env;
}

const HAND_OUTS: readonly Planted[] = [
  {
    name: "a launcher that is gone",
    check: "kubeconfig.command",
    found: /^the launcher that it runs is gone: /,
    line: /^datumctl auth update-kubeconfig --project web --fast --profile /,
    plant: async (world) => {
      const env = await fast(world);
      await Deno.remove(`${world.config}/bin/datumctl-credential`);
      return env;
    },
    works: kubectlWorks,
  },
  {
    name: "a launcher that cannot be run",
    check: "launcher.script",
    found: /^it cannot be run, or is not as it was written$/,
    line: /^datumctl auth update-kubeconfig --project web --fast --profile /,
    plant: async (world) => {
      const env = await fast(world);
      await Deno.chmod(`${world.config}/bin/datumctl-credential`, 0o600);
      return env;
    },
    works: kubectlWorks,
  },
  {
    name: "a launcher that becomes a program which is gone",
    check: "launcher.program",
    found: /^the launcher becomes it, and it is gone$/,
    line: /^datumctl auth update-kubeconfig --project web --fast --profile /,
    plant: async (world) => {
      const env = await fast(world);
      await change(
        `${world.config}/bin/datumctl-credential`,
        (text) => text.replace(/^program=.*$/m, "program='/opt/gone/datumctl'"),
      );
      return env;
    },
    works: kubectlWorks,
  },
  {
    name: "a runtime folder that others can look into",
    check: "launcher.runtime-folder",
    verdict: "warning",
    found: /does not have the mode 0700$/,
    line: /^chmod 700 \S+$/,
    plant: async (world) => {
      const XDG_RUNTIME_DIR = await runtimeFolder(world);
      await Deno.chmod(XDG_RUNTIME_DIR, 0o755);
      return { XDG_RUNTIME_DIR };
    },
  },
  {
    name: "a runtime folder that is not there",
    check: "launcher.runtime-folder",
    verdict: "warning",
    found: /is not there$/,
    line: /^unset XDG_RUNTIME_DIR$/,
    plant: () => ({ XDG_RUNTIME_DIR: "/run/user/nobody-at-all" }),
  },
  {
    name: "a launcher's folder that others can look into",
    check: "launcher.folder",
    verdict: "warning",
    found: /does not have the mode 0700$/,
    line: /^chmod 700 \S+\/datumctl$/,
    plant: async (world) => {
      const env = await fast(world);
      await kubectlWorks(world, env);
      await Deno.chmod(`${env.XDG_RUNTIME_DIR}/datumctl`, 0o755);
      return env;
    },
  },
  {
    name: "a token file that nobody writes",
    check: "kubeconfig.token-file",
    found: /^kubectl's token file is not there$/,
    line: /^datumctl auth get-token --session ada@\S+ --write \S+\/token --watch$/,
    around: (line) => {
      const file = / --write (\S+)/.exec(line)?.[1];
      return `${line} >/dev/null & keeper=$!; trap 'kill $keeper; wait $keeper' EXIT\n` +
        `until [ -s ${file} ]; do sleep 0.1; done`;
    },
    plant: async (world) => {
      const file = `${world.temporary}/token`;
      await world.ok(["auth", "update-kubeconfig", "--project", "web", "--token-file", file]);
    },
  },
];

const REAL_KEYRING: readonly Planted[] = [
  {
    name: "a keyring that is locked",
    check: "keyring.store",
    found: /^the keyring \(secret-tool\) is locked$/,
    line: /^gnome-keyring-daemon --replace --unlock --components=secrets --daemonize$/,
    stdin: "a password",
    // Where the keyring lies is its own.
    around: (line) => `HOME=$KEYRING_HOME ${line}`,
    plant: async ({ keyring }) => {
      await keyring?.lock();
      return { KEYRING_HOME: keyring?.env.HOME };
    },
    works: kubectlWorks,
  },
  {
    name: "an item that was removed from the keyring",
    check: "keyring.keys",
    found: /^its key is not in the keyring \(secret-tool\)$/,
    line: LOST_KEY,
    plant: async (world) => {
      const { code } = await shell(world, "secret-tool clear service datumctl", world.env);
      assert.equal(code, 0);
      return { FILE: world.cloud.caFile };
    },
  },
  {
    name: "a shell without a bus",
    check: "keyring.store",
    found: /^The keyring cannot be reached: this shell has no D-Bus session\.$/,
    line: undefined,
    plant: () => ({ DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined }),
  },
  {
    name: "no secret-tool",
    check: "keyring.store",
    found: /^The keyring cannot be reached: secret-tool is not installed\.$/,
    line: undefined,
    plant: async (world) => {
      const folder = await program(world, "a-shell", 'exec /bin/sh "$@"');
      await Deno.symlink(world.binary, `${folder}/datumctl`);
      return { PATH: folder };
    },
  },
];

/** Signs Ada in, with an entry for kubectl; returns what brings that back. */
async function begin(world: World): Promise<() => Promise<void>> {
  assert.equal((await world.login(ADA)).code, 0);
  await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
  return await snapshot(world);
}

/** Plants one fault after the other on a machine where all is well. */
function testFaults(
  name: string,
  faults: readonly Planted[],
  options: { readonly keyring?: "real"; readonly ignore?: boolean } = {},
): void {
  testInWorld(name, async (world, t) => {
    await addKubectl(world, V35);
    let restore = await begin(world);
    const sound = await report(world);
    assert.deepEqual(sound.checks.filter(({ verdict }) => verdict === "fault" || verdict === "warning"), []);
    assert.equal(sound.ok, true);
    for (const planted of faults) {
      await t.step({ name: planted.name, ignore: planted.ignore ?? false, fn: () => prove(world, planted) });
      await restore();
      // A sign-in ends the one that it replaces.
      if (/login/.test(planted.line?.source ?? "")) restore = await begin(world);
    }
  }, options);
}

testFaults("doctor finds planted faults of files and sessions, and its lines mend them", [
  ...FILES,
  ...SESSIONS,
]);
testFaults("doctor finds planted faults of the kubeconfig, and its lines mend them", KUBECONFIG, {
  ignore: V35 === undefined,
});
testFaults("doctor finds planted faults of variables, programs and launchers, and its lines mend them", [
  ...NETWORK,
  ...PROGRAMS,
  ...HAND_OUTS,
], { ignore: V35 === undefined });
testFaults("doctor finds planted faults of a real keyring, and its lines mend them", REAL_KEYRING, {
  keyring: "real",
  ignore: absentPrograms().length > 0,
});

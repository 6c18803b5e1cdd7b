/** Proves what `auth import` makes of what Datum's own datumctl and DataChain keep: sessions, keys, tokens, entries. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { good, type Options, type Ran } from "../run-line.ts";
import { ADA, at, GRACE, openWorld, type World } from "../world.ts";
import { openStudioWorld } from "../studio-world.ts";
import { printedAddress, whenPrinted } from "../../when-printed.ts";
import { signInByHttp } from "../../cloud/browser.ts";

/** A home in which Datum's own datumctl was used. */
interface VendorHome extends AsyncDisposable {
  readonly world: World;
  /** Its file of credentials, by the accounts of its service. */
  keep(items: Readonly<Record<string, unknown>>): Promise<string>;
  /** Its configuration, with a session of each of these e-mails; the first is active. */
  configure(...emails: readonly string[]): Promise<void>;
  /** A refresh token as that program has one, of somebody who signed in. */
  signedIn(email: string): Promise<Record<string, unknown>>;
  /** Writes the kubeconfig with its entry. */
  entry(...flags: readonly string[]): Promise<string>;
  run(words: string, who?: string, options?: Options): Promise<Ran>;
}

async function openVendorHome(): Promise<VendorHome> {
  const world = await openWorld();
  const { cloud, sandbox, kubeconfig } = world;
  const home = `${sandbox.folder}/vendor-home`;
  await Deno.mkdir(`${home}/.datumctl`, { recursive: true });
  return {
    world,
    async keep(items) {
      const texts = Object.entries(items).map(([name, item]) => [
        name,
        typeof item === "string" ? item : JSON.stringify(item),
      ]);
      const path = `${home}/.datumctl/credentials.json`;
      await Deno.writeTextFile(path, JSON.stringify({ "datumctl-auth": Object.fromEntries(texts) }));
      return path;
    },
    async configure(...emails) {
      const sessions = emails.map((email) => ({
        name: `${email}@api`,
        "user-key": `${email}@${cloud.authHost}`,
        "user-email": email,
        endpoint: {
          server: `https://${cloud.apiHost}`,
          "auth-hostname": cloud.authHost,
          "certificate-authority-data": btoa(cloud.caPem),
        },
      }));
      await Deno.writeTextFile(
        `${home}/.datumctl/config`,
        JSON.stringify({
          apiVersion: "datumctl.config.datum.net/v1beta1",
          kind: "DatumctlConfig",
          sessions,
          "active-session": sessions[0]?.name,
        }),
      );
    },
    async signedIn(email) {
      good(await world.login(email));
      const stored = await sandbox.store.read(at(world, email));
      assert.ok(stored !== undefined);
      const { credentials } = await sandbox.store.open(stored, { timeout: 5_000 });
      assert.ok(credentials.tokenSource === undefined);
      const { refreshToken, accessToken, subject } = credentials;
      // Gone here without a word to the issuer: what is left is that program's.
      await sandbox.store.remove(stored, { timeout: 5_000 });
      return {
        hostname: cloud.authHost,
        api_hostname: cloud.apiHost,
        client_id: cloud.clientId,
        scopes: ["openid", "profile", "email", "offline_access"],
        token: { access_token: accessToken, token_type: "Bearer", refresh_token: refreshToken },
        user_email: email,
        subject,
      };
    },
    async entry(...flags) {
      const path = "/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane";
      const text = `apiVersion: v1
kind: Config
clusters:
- name: datum-project-web
  cluster:
    server: https://${cloud.apiHost}${path}
    certificate-authority-data: ${btoa(cloud.caPem)}
contexts:
- {name: datum-project-web, context: {cluster: datum-project-web, user: datum-user}}
current-context: datum-project-web
users:
- name: datum-user
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args: ${JSON.stringify(["auth", "get-token", "--output=client.authentication.k8s.io/v1", ...flags])}
      command: /usr/local/bin/datumctl
      env: null
      installHint: "It can be installed by: go install go.datum.net/datumctl@latest"
      interactiveMode: IfAvailable
      provideClusterInfo: false
`;
      await Deno.writeTextFile(kubeconfig, text);
      return text;
    },
    run: (words, who = ADA, options = {}) =>
      whenPrinted(
        printedAddress,
        (address) => signInByHttp(cloud, address, who),
        (onStderr) =>
          world.run(`auth import --keyring file --browser-command true ${words}`, {
            ...options,
            env: { HOME: home, ...options.env },
            onStderr,
          }),
      ),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

Deno.test("an entry of Datum's own datumctl is signed in to and runs this program afterwards", async () => {
  await using there = await openVendorHome();
  const { world } = there;
  await there.configure(ADA);
  const path = await there.keep({ [`${ADA}@${world.cloud.authHost}`]: await there.signedIn(ADA) });
  const kept = await Deno.readTextFile(path);
  await there.entry(`--session=${ADA}@api`);
  const { stdout } = good(await there.run("--yes"));
  assert.match(stdout, /^datum-user +Datum's datumctl +\S+ +\S+ +datum-project-web +yes$/m);
  const { user } = parse(await Deno.readTextFile(world.kubeconfig)).users[0];
  assert.ok(user.exec.args.includes(`--session=${at(world, ADA)}`));
  assert.equal(user.exec.provideClusterInfo, true);
  assert.ok(user.exec.command !== "/usr/local/bin/datumctl");
  assert.equal(await Deno.readTextFile(path), kept);
  assert.match((await there.run("")).stdout, /^ada@example\.com@api +Datum's datumctl/m);
});

Deno.test("its refresh token is taken over where the person agrees", async () => {
  await using there = await openVendorHome();
  const { world } = there;
  await there.configure(ADA);
  await there.keep({ [`${ADA}@${world.cloud.authHost}`]: await there.signedIn(ADA) });
  await there.entry();
  const { stdout, stderr } = good(await there.run("--yes --take-over"));
  assert.match(stdout, /Took over the sign-in of ada@example\.com/);
  assert.match(stderr, /Datum's datumctl has to sign in again/);
  assert.match(await Deno.readTextFile(world.kubeconfig), new RegExp(`--session=${at(world, ADA)}`));
  assert.ok(await world.ok("auth get-token --output=token"));
});

Deno.test("an entry of one person is not rewritten for another who signs in", async () => {
  await using there = await openVendorHome();
  const { world } = there;
  await there.configure(ADA);
  await there.keep({ [`${ADA}@${world.cloud.authHost}`]: { client_id: world.cloud.clientId } });
  const before = await there.entry();
  const ran = await there.run("--yes", GRACE);
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /was signed in as ada@example\.com, but grace@example\.com signed in now/);
  assert.equal(await Deno.readTextFile(world.kubeconfig), before);
});

Deno.test("a service account's key becomes a session, and the active one stays", async () => {
  await using there = await openVendorHome();
  const { world } = there;
  const { cloud, sandbox } = world;
  good(await world.login(GRACE));
  await there.configure("robot@example.com");
  const { type: _, ...account } = await cloud.addServiceAccount();
  await there.keep({
    [`robot@example.com@${cloud.authHost}`]: {
      hostname: cloud.authHost,
      api_hostname: cloud.apiHost,
      credential_type: "service_account",
      service_account: account,
      token: {},
    },
  });
  const { stdout, stderr } = good(await there.run(`--yes --certificate-authority ${cloud.caFile}`));
  assert.match(stdout, /Signed in as /);
  assert.ok(!(stdout + stderr).includes("PRIVATE KEY"));
  assert.equal(await sandbox.store.active(), at(world, GRACE));
  const { sessions } = await sandbox.store.list();
  assert.ok(sessions.some(({ kind }) => String(kind) === "service-account"));
});

Deno.test("what an older version of it keeps, a list of its users, is found as well", async () => {
  await using there = await openVendorHome();
  const { cloud } = there.world;
  const key = `${ADA}@${cloud.authHost}`;
  await there.keep({ known_users: [key], active_user: key, [key]: await there.signedIn(ADA) });
  await there.entry();
  const [found] = JSON.parse(good(await there.run("-o json")).stdout);
  assert.equal(found.importable, true);
  assert.equal(found.email, ADA);
  assert.equal(found.hostname, cloud.authHost);
  assert.match(found.refreshToken.place, /credentials\.json/);
});

Deno.test("what is damaged or hostile there is left out", async () => {
  await using there = await openVendorHome();
  const { world } = there;
  const home = `${world.sandbox.folder}/vendor-home/.datumctl`;
  await Deno.writeTextFile(
    `${home}/config`,
    "sessions: [{name: x, user-key: y, endpoint: {auth-hostname: 'a b'}}, 7, &a [*a]]",
  );
  assert.match(good(await there.run("")).stderr, /Nothing of other programs/);
  await Deno.writeTextFile(
    `${home}/config`,
    "sessions: [{name: x, user-key: y, endpoint: {auth-hostname: 'a b'}}]",
  );
  await Deno.writeTextFile(`${home}/credentials.json`, "{");
  assert.match(good(await there.run("")).stdout, /^x +Datum's datumctl .*no: its sign-in host "a b"/m);
});

Deno.test("DataChain's token becomes a session, and a logout takes it out of its file", async () => {
  await using world = await openStudioWorld();
  const { home, ok, run, store, studio } = world;
  good(await world.login(["--export-datachain", "--name", "laptop"]));
  const path = `${home}/.config/datachain/config`;
  const text = await Deno.readTextFile(path);
  const words = ["auth", "import", "--keyring", "file", "--yes"];
  assert.match(
    good(await run(words)).stdout,
    /^datachain +DataChain .*no: the session \S+ is signed in there already$/m,
  );
  const [session] = (await store.list()).sessions;
  assert.ok(session !== undefined);
  await store.remove(session, { timeout: 5_000 });
  const token = /^token = "(.+)"$/m.exec(text)?.[1] ?? "";
  await Deno.writeTextFile(path, `${text}# mine\n`);
  const { stdout, stderr } = good(await run([...words, "--certificate-authority", studio.caFile]));
  assert.match(stdout, /Stored DataChain's token as the session/);
  assert.ok(!(stdout + stderr).includes(token));
  assert.equal((await ok(["auth", "token"])).trim(), token);
  assert.equal(await Deno.readTextFile(path), `${text}# mine\n`);
  const [imported] = (await store.list()).sessions;
  assert.equal(imported?.exportedTo, path);
  good(await run(["logout"]));
  assert.ok(!(await Deno.readTextFile(path)).includes(token));
});

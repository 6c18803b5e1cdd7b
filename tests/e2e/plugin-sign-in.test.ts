/** Proves the sign-in that kubectl's plugin begins by itself: who is asked, how often, and who never is. */

import assert from "node:assert/strict";
import { approveDeviceByHttp, leadsTo, signInByHttp } from "../cloud/browser.ts";
import { expireSession, sessionFile } from "../e2e/expired-session.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { printedAddress } from "../when-printed.ts";
import { kubectl } from "./kubectls.ts";
import { openPanes, type Pane, type Panes, panesAtHand } from "./panes.ts";
import { type Running, testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const API = "client.authentication.k8s.io/v1";

const noKeyring = absentPrograms().length > 0;
// deno-lint-ignore no-console
if (noKeyring) console.error("skipped: a plugin's sign-in with a locked keyring, for there is none here");

/** A world in which every opened browser is written down, and nothing else happens in it. */
interface Stage {
  readonly world: World;
  readonly session: string;
  readonly panes: Panes;
  /** The addresses that browsers were started with, oldest first. */
  opened(): Promise<string[]>;
  /** Waits until that many browsers were started in all; the issuer's address that the last one came to. */
  openedUpTo(count: number): Promise<string>;
  /** The person in the browser at that address. */
  walk(address: string, email?: string): Promise<Response>;
  /** A plugin call as client-go makes it. */
  plugin(interactive: boolean | undefined, env?: Record<string, string | undefined>): Running;
}

function test(
  name: string,
  run: (stage: Stage) => Promise<void>,
  options?: Parameters<typeof testInWorld>[2],
): void {
  testInWorld(name, async (world) => {
    await using panes = openPanes(world);
    const browser = `${world.home}/browser`;
    await Deno.writeTextFile(browser, '#!/bin/sh\necho "$1" >> "$0.opened"\n', { mode: 0o700 });
    const opened = async () => {
      const text = await Deno.readTextFile(`${browser}.opened`).catch(() => "");
      return text.split("\n").slice(0, -1);
    };
    const session = `${ADA}@${world.cloud.apiHost}`;
    const led = new Map<string, Promise<string>>();
    await run({
      world,
      panes,
      session,
      opened,
      async openedUpTo(count) {
        for (const most = performance.now() + 60_000; (await opened()).length < count;) {
          assert.ok(performance.now() < most, `there were not ${count} browsers within 60 s`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        const all = await opened();
        assert.equal(all.length, count);
        const last = all.at(-1) ?? "";
        if (!led.has(last)) led.set(last, leadsTo(last));
        return await led.get(last) ?? "";
      },
      walk: (address, email = ADA) => signInByHttp(world.cloud, address, email),
      plugin(interactive, env = {}) {
        const info = JSON.stringify({ kind: "ExecCredential", apiVersion: API, spec: { interactive } });
        return world.start(
          world.binary,
          ["auth", "get-token", `--output=${API}`, `--session=${session}`],
          {
            env: {
              BROWSER: browser,
              ...interactive === undefined ? {} : { KUBERNETES_EXEC_INFO: info },
              ...env,
            },
            timeout: 120_000,
          },
        );
      },
    });
  }, options);
}

/** Signs Ada in and makes her session one that the issuer no longer renews; resets what was counted. */
const expiredSession = ({ world, session }: Stage) =>
  expireSession(world, async () => {
    world.cloud.revokeAll(ADA);
    const listed = JSON.parse(await world.ok(["auth", "list", "-o", "json"]));
    assert.ok(listed.some(({ name }: { name: string }) => name === session));
  });

/** Writes the kubeconfig while Ada is signed in, then ends her session. */
async function expiredKubeconfig(stage: Stage, flags: readonly string[] = []): Promise<void> {
  assert.equal((await stage.world.login(ADA)).code, 0);
  await stage.world.ok(["auth", "update-kubeconfig", "--project", "web", ...flags]);
  await expiredSession(stage);
}

function kubectlPanes({ world, panes }: Stage, count: number, env = {}): Promise<Pane[]> {
  const browser = { BROWSER: `${world.home}/browser`, ...env };
  return Promise.all(
    Array.from({ length: count }, () => panes.open([kubectl, "get", "namespaces"], browser)),
  );
}

const byHand = (session: string) => `datumctl login --profile ${session}`;

function reasonOf(stdout: string): string {
  return JSON.parse(stdout).reason;
}

// ---- kubectl in terminals ----

const inTerminals = { ignore: kubectl === "" || !panesAtHand };

test(
  "ten kubectl in ten terminals, session expired: one browser, one sign-in, ten answers",
  async (stage) => {
    const { world: { cloud } } = stage;
    await expiredKubeconfig(stage);
    const panes = await kubectlPanes(stage, 10);
    const address = await stage.openedUpTo(1);
    assert.equal(new URL(address).searchParams.get("login_hint"), ADA);
    for (const pane of panes) await pane.shows(/Open this address to sign in|Waiting for the sign-in/);
    assert.equal((await stage.walk(address)).status, 200);
    for (const pane of panes) {
      assert.equal(await pane.ended(), 0, await pane.text());
      assert.match(await pane.text(), /^project-web +Active/m);
    }
    assert.equal((await stage.opened()).length, 1);
    assert.equal(cloud.counts().authorization, 1);
    assert.equal(cloud.counts()["token:authorization_code"], 1);
    assert.ok((cloud.counts()["token:refresh_token"] ?? 0) <= 1, "one refresh told that the session is over");
  },
  inTerminals,
);

for (const how of ["Ctrl-C", "SIGKILL"] as const) {
  test(
    `a sign-in abandoned by ${how}: a clear error for all who waited, and no further browser`,
    async (stage) => {
      const { world, session } = stage;
      await expiredKubeconfig(stage);
      const panes = await kubectlPanes(stage, 10);
      await stage.openedUpTo(1);
      for (const pane of panes) await pane.shows(/Open this address to sign in|Waiting for the sign-in/);
      const holder = await findAsync(
        panes,
        async (pane) => /Open this address/.test(await pane.text()),
      );
      if (how === "Ctrl-C") await holder.press("C-c");
      else await killSigningIn(world);
      for (const pane of panes) {
        assert.notEqual(await pane.ended(), 0);
        // Ctrl-C ends the kubectl that it is pressed in.
        if (how === "Ctrl-C" && pane === holder) continue;
        const text = await pane.text();
        assert.equal(text.match(/^error: /gm)?.length, 1, text);
        assert.ok(text.includes("so datumctl does not ask again yet"), text);
        assert.ok(text.includes(byHand(session)), text);
      }
      const [later] = await kubectlPanes(stage, 1);
      assert.notEqual(await later?.ended(), 0);
      assert.ok((await later?.text())?.includes(byHand(session)));
      assert.equal((await stage.opened()).length, 1, "no further browser");

      assert.equal((await world.login(ADA, ["--profile", session])).code, 0);
      const [after] = await kubectlPanes(stage, 1);
      assert.equal(await after?.ended(), 0, "signing in by hand mends it at once");
    },
    inTerminals,
  );
}

test("interactiveMode Never in a terminal: the line to run at once, and no browser", async (stage) => {
  await expiredKubeconfig(stage, ["--exec-interactive-mode", "Never"]);
  const [pane] = await kubectlPanes(stage, 1);
  assert.ok(pane !== undefined);
  assert.notEqual(await pane.ended(), 0);
  const text = await pane.text();
  assert.equal(text.match(/^error: /gm)?.length, 1, text);
  assert.ok(text.includes(`Sign in again: ${byHand(stage.session)}\n`), text);
  assert.deepEqual(await stage.opened(), []);
}, inTerminals);

test("over SSH, where no browser can open, the terminal shows a device code that works", async (stage) => {
  const { world: { cloud } } = stage;
  await expiredKubeconfig(stage);
  const [pane] = await kubectlPanes(stage, 1, {
    BROWSER: undefined,
    SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22",
  });
  assert.ok(pane !== undefined);
  await pane.shows(/device code, because this is an SSH session/);
  await pane.shows(/user_code=\S+\s/);
  const address = printedAddress(await pane.text());
  assert.ok(address !== undefined);
  await approveDeviceByHttp(cloud, address, ADA);
  assert.equal(await pane.ended(), 0);
  assert.match(await pane.text(), /^project-web +Active/m);
  assert.equal(cloud.counts()["token:authorization_code"], 0);
}, inTerminals);

// ---- below a full-screen program ----

/** Programs that show a screen of their own and run `$@` below it, its stdout into a file, until a key is pressed. */
const FULL_SCREENS: Readonly<Record<string, (result: string) => readonly string[]>> = {
  "a shell that reads keys": (result) => [
    ...["/bin/sh", "-c"],
    `printf '\\033[?1049h\\033[2J\\033[Hmy pods\\r\\n  web-0  Running\\r\\n'; stty raw -echo; ` +
    `"$@" >${result}; echo $? >${result}.code; dd bs=1 count=1 >/dev/null 2>&1; stty sane; printf '\\033[?1049l'`,
    "sh",
  ],
  "a curses program": (result) => [
    ...["python3", "-c"],
    "import curses, subprocess, sys\n" +
    "def main(screen):\n" +
    '  screen.addstr(0, 0, "my pods"); screen.addstr(1, 2, "web-0  Running"); screen.refresh()\n' +
    "  with open(sys.argv[1], 'wb') as out: code = subprocess.call(sys.argv[2:], stdout=out)\n" +
    "  open(sys.argv[1] + '.code', 'w').write(f'{code}\\n'); screen.getch()\n" +
    "curses.wrapper(main)\n",
    result,
  ],
};

const hasCurses = (() => {
  try {
    return new Deno.Command("python3", { args: ["-c", "import curses"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
})();
if (!hasCurses) {
  // deno-lint-ignore no-console
  console.error("skipped: a sign-in below a curses program, for there is no python3 with curses here");
}

for (const [name, argv] of Object.entries(FULL_SCREENS)) {
  test(
    `below ${name} a browser comes up, kubectl gets its answer, and the screen stays as it was`,
    async (stage) => {
      const { world } = stage;
      await expiredKubeconfig(stage);
      const result = `${world.temporary}/result`;
      const open = () =>
        stage.panes.open([...argv(result), kubectl, "get", "namespaces"], {
          BROWSER: `${world.home}/browser`,
        });
      const finished = async () => {
        for (;;) {
          const code = await Deno.readTextFile(`${result}.code`).catch(() => "");
          if (code.endsWith("\n")) return Number(code);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const pane = await open();
      await pane.shows(/^ {2}web-0 {2}Running/m);
      const screen = await pane.text();
      const address = await stage.openedUpTo(1);
      // Long enough for whatever would be written beside the browser's start.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      assert.equal(await pane.text(), screen);
      await stage.walk(address);
      assert.equal(await finished(), 0);
      assert.match(await Deno.readTextFile(result), /^project-web +Active/m);
      assert.equal(await pane.text(), screen);
      await pane.press("q");
      assert.equal(await pane.ended(), 0);

      // What no sign-in mends is not written across it, either.
      await Deno.remove(`${result}.code`);
      await Deno.remove((await sessionFile(world)).replace(/json$/, "key"));
      const spec = { interactive: true };
      const again = await stage.panes.open(
        [...argv(result), world.binary, "auth", "get-token", `--output=${API}`, `--session=${stage.session}`],
        { KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion: API, spec }) },
      );
      await again.shows(/^ {2}web-0 {2}Running/m);
      assert.equal(await finished(), 4);
      assert.equal(await again.text(), screen);
      assert.equal(reasonOf(await Deno.readTextFile(result)), "KEYRING_ITEM_MISSING");
      await again.press("q");
      assert.equal((await stage.opened()).length, 1);
    },
    { ignore: inTerminals.ignore || (name === "a curses program" && !hasCurses) },
  );
}

// ---- the plugin alone ----

test("a session that expired and one that is gone from here are both signed in to again", async (stage) => {
  const { world } = stage;
  await expiredSession(stage);
  const expired = stage.plugin(true);
  await stage.walk(await stage.openedUpTo(1));
  const first = await expired.finished;
  assert.equal(first.code, 0, first.stderr);
  assert.equal(JSON.parse(first.stdout).kind, "ExecCredential");
  assert.match(first.stderr, /^The session of ada@example\.com has expired\.\nOpen this address/);
  const again = await stage.plugin(false).finished;
  assert.equal(again.stdout, first.stdout, "the renewed session serves those who cannot ask");

  // This cloud's hosts do not follow from the session's name, so nobody can tell where to sign in.
  await world.ok(["logout", ADA]);
  const gone = await stage.plugin(true).finished;
  assert.equal(gone.code, 4);
  assert.equal(reasonOf(gone.stdout), "NOT_SIGNED_IN");
  assert.ok(gone.stderr.includes(byHand(stage.session)), gone.stderr);
  assert.equal((await stage.opened()).length, 1);
});

test("a missing session named by e-mail and api host is asked for at that host's issuer", async (stage) => {
  const asked: string[] = [];
  // Stands in the way to the real host, and says which one that was.
  using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of proxy) {
      const buffer = new Uint8Array(1024);
      const length = await connection.read(buffer) ?? 0;
      asked.push(new TextDecoder().decode(buffer.subarray(0, length)).split(" HTTP/")[0] ?? "");
      await connection.write(
        new TextEncoder().encode("HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n"),
      );
      connection.close();
    }
  })().catch(() => {});
  const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.addr.port}` };
  const info = (interactive: boolean) =>
    JSON.stringify({ kind: "ExecCredential", apiVersion: API, spec: { interactive } });
  const call = (name: string, interactive: boolean) =>
    stage.world.datumctl(["auth", "get-token", `--output=${API}`, `--session=${name}`], {
      env: { ...env, KUBERNETES_EXEC_INFO: info(interactive) },
    });
  for (const name of ["ada@example.com@api.datum.net", "work", "ada@example.com", "a@b@api.example.com@x"]) {
    const finished = await call(name, false);
    assert.equal(finished.code, 4, finished.stderr);
    assert.equal(reasonOf(finished.stdout), "NOT_SIGNED_IN");
  }
  for (const name of ["work", "ada@example.com", "@api.datum.net", "ada@example.com@datum.net"]) {
    const finished = await call(name, true);
    assert.equal(finished.code, 4, finished.stderr);
    assert.equal(reasonOf(finished.stdout), "NOT_SIGNED_IN");
  }
  assert.deepEqual(asked, [], "a name that does not tell sends nobody anywhere");
  const told = await call("ada@example.com@api.datum.net", true);
  assert.equal(reasonOf(told.stdout), "NETWORK");
  assert.match(told.stderr, /^Nobody is signed in as ada@example\.com@api\.datum\.net\.\n/);
  assert.ok(asked.length > 0 && asked.every((line) => line === "CONNECT auth.datum.net:443"), asked.join());
  proxy.close();
  await serving;
});

test("somebody else in the browser: IDENTITY_MISMATCH, and everything stays as it was", async (stage) => {
  const { world, session } = stage;
  await expiredSession(stage);
  const file = await sessionFile(world);
  const before = JSON.parse(await Deno.readTextFile(file));
  const config = await Deno.readTextFile(`${world.config}/config.json`);
  const running = stage.plugin(true);
  const page = await stage.walk(await stage.openedUpTo(1), "grace@example.com");
  assert.doesNotMatch(await page.text(), /Signed in/, "nor does the browser say that it worked");
  const { code, stdout, stderr } = await running.finished;
  assert.equal(code, 1);
  assert.equal(reasonOf(stdout), "IDENTITY_MISMATCH");
  for (const named of [ADA, "grace@example.com", "Nothing was stored"]) {
    assert.ok(stderr.includes(named), stderr);
  }
  // But that the issuer refused to renew it.
  const { renewalRefused, ...after } = JSON.parse(await Deno.readTextFile(file));
  assert.ok(renewalRefused !== undefined);
  assert.deepEqual(after, before);
  assert.equal(await Deno.readTextFile(`${world.config}/config.json`), config);
  assert.deepEqual(
    JSON.parse(await world.ok(["auth", "list", "-o", "json"])).map(({ name }: { name: string }) => name),
    [session],
  );
  assert.ok((world.cloud.counts().revocation ?? 0) > 0, "what was granted to nobody's use is taken back");

  // From another process, whose parent was told nothing yet: no second browser either.
  const info = JSON.stringify({ kind: "ExecCredential", apiVersion: API, spec: { interactive: true } });
  const next = await world.start("/bin/sh", [
    ...["-c", '"$@"; exit $?', "sh", world.binary, "auth", "get-token", `--session=${session}`],
  ], { env: { KUBERNETES_EXEC_INFO: info, BROWSER: `${world.home}/browser` } }).finished;
  assert.notEqual(next.code, 0);
  assert.match(next.stderr, /^error: /);
  assert.equal((await stage.opened()).length, 1);
});

test("where nobody can be asked, each call fails at once with the exact line to run", async (stage) => {
  await expiredSession(stage);
  for (const interactive of [false, undefined]) {
    const { code, stdout, stderr } = await stage.plugin(interactive).finished;
    assert.equal(code, 4, stderr);
    assert.equal(reasonOf(stdout), "SESSION_EXPIRED");
    assert.ok(JSON.parse(stdout).message.endsWith(` Sign in again: ${byHand(stage.session)}`), stdout);
  }
  // Interactive, says kubectl; but there is neither a terminal nor a browser.
  const nobody = await stage.plugin(true, {
    BROWSER: undefined,
    SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22",
  }).finished;
  assert.equal(nobody.code, 4, nobody.stderr);
  assert.equal(reasonOf(nobody.stdout), "SESSION_EXPIRED");
  assert.deepEqual(await stage.opened(), []);
  assert.equal(stage.world.cloud.counts().authorization, 0);
});

test("an outage, a lost key and a damaged file open no browser", async (stage) => {
  const { world } = stage;
  await expiredSession(stage);
  const expect = async (reason: string, exit: number) => {
    await forgetFailures(world);
    const { code, stdout, stderr } = await stage.plugin(true).finished;
    assert.equal(reasonOf(stdout), reason, stderr);
    assert.equal(code, exit);
  };
  await world.cloud.setFaults({ token: { status: 503 } });
  await expect("NETWORK", 6);
  await world.cloud.setFaults({ down: ["issuer"] });
  await expect("NETWORK", 6);
  await world.cloud.setFaults({ token: { status: 400, json: { error: "invalid_client" } } });
  await expect("ISSUER_ERROR", 1);
  await world.cloud.setFaults({});
  const file = await sessionFile(world);
  const key = await Deno.readTextFile(file.replace(/json$/, "key"));
  await Deno.remove(file.replace(/json$/, "key"));
  await expect("KEYRING_ITEM_MISSING", 4);
  await Deno.writeTextFile(file.replace(/json$/, "key"), key, { mode: 0o600 });
  await Deno.writeTextFile(file, "{");
  await expect("STORAGE", 1);
  assert.deepEqual(await stage.opened(), []);
});

test("a locked keyring opens no browser", async (stage) => {
  await expiredSession(stage);
  await stage.world.keyring?.lock();
  const { code, stdout, stderr } = await stage.plugin(true).finished;
  assert.equal(reasonOf(stdout), "KEYRING_LOCKED", stderr);
  assert.equal(code, 4);
  assert.deepEqual(await stage.opened(), []);
}, { keyring: "real", ignore: noKeyring });

test("what a program that cannot ask was told does not keep an interactive kubectl from asking", async (stage) => {
  const { world, session } = stage;
  await expiredSession(stage);
  // One parent that calls its plugin again and again, as k9s does.
  const info = JSON.stringify({ kind: "ExecCredential", apiVersion: API, spec: { interactive: false } });
  const script = 'for i in 1 2 3 4 5; do "$@"; done; exit 0';
  const loop = ["-c", script, "sh", world.binary, "auth", "get-token", `--session=${session}`];
  const env = { KUBERNETES_EXEC_INFO: info };
  const before = await world.start("/bin/sh", loop, { env }).finished;
  assert.equal(before.stderr.match(/^error: /gm)?.length, 1, before.stderr);
  assert.equal(before.stdout.match(/SESSION_EXPIRED/g)?.length, 5);
  assert.equal(world.cloud.counts()["token:refresh_token"], 1, "and asks the issuer once");

  const running = stage.plugin(true);
  await stage.walk(await stage.openedUpTo(1));
  assert.equal((await running.finished).code, 0);
  const after = await world.start("/bin/sh", loop, { env }).finished;
  assert.equal(after.stdout.match(/"kind":"ExecCredential"/g)?.length, 5, "and mends the other at once");
});

test("signing in by hand ends the cool-down", async (stage) => {
  const { world, session } = stage;
  await expiredSession(stage);
  const given = stage.plugin(true);
  await stage.openedUpTo(1);
  given.kill("SIGTERM");
  const { code, stdout } = await given.finished;
  assert.equal(code, 130);
  assert.equal(reasonOf(stdout), "INTERRUPTED");
  const cooling = await stage.plugin(true).finished;
  assert.equal(cooling.code, 4);
  // On stdout alone: this parent has been told already.
  assert.ok(cooling.stdout.includes("so datumctl does not ask again yet"), cooling.stdout);
  assert.ok(cooling.stdout.includes(byHand(session)), cooling.stdout);

  assert.equal((await world.login(ADA, ["--profile", session])).code, 0);
  await expiredSession(stage);
  const anew = stage.plugin(true);
  await stage.walk(await stage.openedUpTo(2));
  assert.equal((await anew.finished).code, 0, "the next expiry may ask at once");
});

test("an edited session file does not say where, or as which client, a plugin's sign-in goes", async (stage) => {
  const { world } = stage;
  await expiredSession(stage);
  const file = await sessionFile(world);
  const session = JSON.parse(await Deno.readTextFile(file));
  const edited = { ...session, authHost: "evil.example", apiHost: "evil.example", clientId: "evil" };
  await Deno.writeTextFile(file, JSON.stringify(edited));
  const running = stage.plugin(true);
  const address = new URL(await stage.openedUpTo(1));
  assert.equal(address.host, world.cloud.authHost);
  assert.equal(address.searchParams.get("client_id"), world.cloud.clientId);
  await stage.walk(address.href);
  assert.equal((await running.finished).code, 0);
});

async function forgetFailures(world: World): Promise<void> {
  for (const path of await world.files()) if (path.endsWith(".failure")) await Deno.remove(path);
}

/** Kills the one datumctl of this world that waits for its browser: it alone listens. */
async function killSigningIn(world: World): Promise<void> {
  const listening = new Set<string>();
  for (const table of ["tcp", "tcp6"]) {
    for (const line of (await Deno.readTextFile(`/proc/net/${table}`).catch(() => "")).split("\n")) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === "0A") listening.add(`socket:[${fields[9]}]`);
    }
  }
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readLinkSync(`/proc/${name}/exe`) !== await Deno.realPath(world.binary)) continue;
      const environment = Deno.readTextFileSync(`/proc/${name}/environ`);
      if (!environment.includes(`HOME=${world.home}\0`)) continue;
      const sockets = [...Deno.readDirSync(`/proc/${name}/fd`)].map(({ name: fd }) =>
        Deno.readLinkSync(`/proc/${name}/fd/${fd}`)
      );
      if (sockets.some((socket) => listening.has(socket))) found.push(Number(name));
    } catch {
      // Gone meanwhile.
    }
  }
  assert.equal(found.length, 1, "one process listens for the browser");
  Deno.kill(found[0] ?? 0, "SIGKILL");
}

async function findAsync<T>(all: readonly T[], matches: (one: T) => Promise<boolean>): Promise<T> {
  for (const one of all) if (await matches(one)) return one;
  throw new Error("none of them matches");
}

/** Proves sign-in at Studio: what goes wrong leaves nothing, there is one session for each host, and how one ends. */

import assert from "node:assert/strict";
import { AppError, type ErrorCode } from "../../../src/errors.ts";
import { ESCAPES } from "../../cloud/forgeries.ts";
import type { Studio, StudioFaults } from "../../cloud/studio.ts";
import { printedError } from "../../expect-error.ts";
import { modeOf } from "../../scratch.ts";
import { openStudioWorld, stored, type StudioWorld } from "../studio-world.ts";

const LOGIN = "/api/device-login";
const LOGOUT = "/api/device-logout";
const DAY = 24 * 3600_000;

async function nothingStored({ store, home, studio }: StudioWorld, what: string): Promise<void> {
  assert.deepEqual(await store.list(), { sessions: [], damaged: [] }, what);
  assert.deepEqual(studio.tokens(), [], `${what}: a token lives on`);
  assert.deepEqual([...Deno.readDirSync(home)], [], what);
}

interface Failure {
  readonly faults?: StudioFaults;
  readonly onCode?: (studio: Studio, code: string) => void;
  readonly flags?: readonly string[];
  readonly code: ErrorCode;
  readonly says: RegExp;
}

const SAID = "The moon is wrong";
const FAILURES: Readonly<Record<string, Failure>> = {
  "no server": { faults: { down: ["issuer"] }, code: "NETWORK", says: /127\.0\.0\.1:\d+/ },
  "a refusal with a reason": {
    flags: ["--team", "no-such-team"],
    code: "ISSUER_ERROR",
    says: /status 400, Team no-such-team not found/,
  },
  "status 500 when asked for a code": {
    faults: { device_authorization: { status: 500, json: { detail: SAID } } },
    code: "NETWORK",
    says: /The moon is wrong/,
  },
  "a redirect when asked for a code": {
    faults: { device_authorization: { redirectTo: "https://stranger.example/" } },
    code: "NETWORK",
    says: /redirect, which is not followed/,
  },
  "a web page when asked for a code": {
    faults: { device_authorization: { body: "html" } },
    code: "NETWORK",
    says: /web page|text\/html/,
  },
  "no user code": {
    faults: { deviceAnswer: { user_code: null } },
    code: "NETWORK",
    says: /it holds no readable user_code/,
  },
  "escapes in the code": {
    faults: { deviceAnswer: { user_code: ESCAPES } },
    code: "NETWORK",
    says: /it holds no readable user_code/,
  },
  "a token address elsewhere": {
    faults: { deviceAnswer: { token_uri: "https://stranger.example/token" } },
    code: "INVALID_TOKEN",
    says: /the secret code is sent to no other host/,
  },
  "silence when asked for a code": {
    faults: { device_authorization: { slow: 60_000 } },
    flags: ["--request-timeout", "1s"],
    code: "NETWORK",
    says: /did not answer/,
  },
  "a declined sign-in": {
    onCode: (studio, code) => studio.deny(code),
    code: "ACCESS_DENIED",
    says: /declined at 127\.0\.0\.1:\d+ \(access_denied\)/,
  },
  "a code that ran out": {
    onCode: (studio, code) => studio.expire(code),
    code: "TIMEOUT",
    says: /expired .*\(authorization_expired\)/,
  },
  "nobody who confirms": {
    onCode: () => {},
    // Long enough to have got a code, however busy the machine is.
    flags: ["--timeout", "8s"],
    code: "TIMEOUT",
    says: /Nobody finished the sign-in within 8 s/,
  },
  "a refusal while polling": {
    faults: { token: { status: 403, json: { detail: `${SAID}${ESCAPES}` } } },
    code: "ISSUER_ERROR",
    says: /status 403, The moon is wrong/,
  },
  "a redirect while polling": {
    faults: { token: { redirectTo: "https://stranger.example/" } },
    code: "NETWORK",
    says: /redirect, which is not followed/,
  },
  "no token in the answer": {
    faults: { token: { json: { token: "x" } } },
    code: "NETWORK",
    says: /it holds no access_token/,
  },
  "a token that no header can carry": {
    faults: { token: { json: { access_token: "a\r\nb" } } },
    code: "INVALID_TOKEN",
    says: /access_token that cannot be used/,
  },
  "status 500 while polling, for good": {
    faults: { token: { status: 500, json: { detail: SAID } } },
    code: "NETWORK",
    says: /status 500, The moon is wrong/,
  },
  "silence while polling": {
    faults: { token: { slow: 60_000 } },
    flags: ["--timeout", "3s"],
    code: "NETWORK",
    says: /did not answer in time/,
  },
};

Deno.test("every failure of a sign-in is told with Studio's own words, in bounded time, and leaves nothing", async () => {
  await Promise.all(
    Object.entries(FAILURES).map(async ([what, { faults = {}, onCode, flags = [], code, says }]) => {
      await using world = await openStudioWorld();
      const { studio } = world;
      await studio.setFaults(faults);
      const ran = await world.login(["-v", "--error-format", "json", ...flags], {
        onCode: (shown) => onCode === undefined ? studio.approve(shown) : onCode(studio, shown),
      });
      printedError(ran, { code, message: says }, what);
      assert.equal(ran.stdout, "", what);
      assert.doesNotMatch(ran.stderr, /\p{Cc}(?<!\n)/u, what);
      for (const { value } of studio.secrets()) assert.ok(!ran.stderr.includes(value), what);
      await nothingStored(world, what);
    }),
  );
});

Deno.test("wrong words are told before anything is asked", async () => {
  await using world = await openStudioWorld();
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["--scopes", "EXPERIMENTS,OTHERS,more"], /Studio has no scopes "OTHERS", "more"/],
    [["--expires-in", "0"], /not a positive whole number of days/],
    [["--expires-in", "soon"], /not a positive whole number of days/],
    [["--team", " "], /--team "" cannot be a name/],
    [["--name", "a\u001b[2Jb"], /--name .* cannot be a name/],
    [["--client-id", "1"], /--client-id is not for the provider studio/],
    [["--profile", "a b"], /cannot be a session's name/],
    [["--timeout", "0s"], /--timeout takes/],
    [["-H", "http://studio.example.com"], /is not an https address/],
  ];
  for (const [flags, says] of cases) {
    const ran = await world.login(["--error-format", "json", ...flags]);
    printedError(ran, { code: "USAGE", message: says });
  }
  assert.deepEqual(world.studio.requests(), []);
  await nothingStored(world, "usage");
});

Deno.test("a token that cannot be kept is revoked again", async () => {
  await using world = await openStudioWorld();
  const { lock } = await world.store.paths(`my-token@${world.host}`);
  // A folder in the lock's place.
  await Deno.mkdir(lock, { recursive: true });
  const { code, stderr } = await world.login(["--name", "my-token"]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Cannot lock/);
  await nothingStored(world, "no room");
  assert.equal(world.studio.requests().at(-1)?.path, LOGOUT);
});

Deno.test("a place that cannot be written is told before anything is asked", async () => {
  await using world = await openStudioWorld();
  await Deno.writeTextFile(`${world.home}/.config`, "a file");
  const { code, stderr } = await world.login(["--export-datachain"]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Cannot create the folder .*datachain/);
  assert.deepEqual(world.studio.requests(), []);
});

Deno.test("Ctrl-C ends the wait with 130 and leaves nothing", async () => {
  await using world = await openStudioWorld();
  const controller = new AbortController();
  const { code } = await world.login([], {
    interrupted: controller.signal,
    onCode: () => controller.abort(new AppError("INTERRUPTED", "Interrupted.")),
  });
  assert.equal(code, 130);
  await nothingStored(world, "interrupted");
});

Deno.test("address and code are shown with -q too; a browser is opened with both, unless asked not to", async () => {
  await using world = await openStudioWorld();
  const opened = `${world.home}/opened`;
  const script = `${world.home}/browser`;
  await Deno.writeTextFile(script, `#!/bin/sh\necho "$1" >> ${opened}\n`, { mode: 0o755 });
  const quiet = await world.login(["-q", "--browser-command", script]);
  assert.equal(quiet.code, 0, quiet.stderr);
  const [, address, code] =
    /(https:\S+\/auth\/device-login)\s[^]*code:\s+([A-Z]{4}-[A-Z]{4})\s/.exec(quiet.stderr) ??
      assert.fail(quiet.stderr);
  assert.equal(await Deno.readTextFile(opened), `${address}?code=${code}\n`);
  assert.doesNotMatch(quiet.stderr, /Waiting|lasts until/);
  for (const flag of ["--no-open", "--no-browser"]) {
    const manual = await world.login(["--force", flag, "--browser-command", script]);
    assert.equal(manual.code, 0, manual.stderr);
    assert.match(manual.stderr, /enter the code:\s+\S+/);
  }
  assert.equal((await Deno.readTextFile(opened)).split("\n").length, 2, "it was opened once");
});

Deno.test("a browser that fails to start is told of, and the code does as well", async () => {
  await using world = await openStudioWorld();
  const cases = [["/no/such/browser", /No browser came up: .*\/no\/such\/browser/], [
    "false",
    /No browser came up: "false" ended with exit code 1/,
  ]] as const;
  for (const [command, says] of cases) {
    const { code, stderr } = await world.login(["--force", "--browser-command", command]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, says);
  }
});

Deno.test("there is one session for each host: refused before any request, replaced with --force", async () => {
  await using world = await openStudioWorld();
  const { studio, host, store } = world;
  const first = await world.login(["--name", "one", "--team", "data-team", "--scopes", " datasets ,MODELS"]);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^Signed in at 127\.0\.0\.1:\d+ with the token "one"\.\n$/);
  const session = await stored(store, `one@${host}`);
  assert.deepEqual(
    [String(session.kind), session.team, session.issuer, session.user.name, session.scopes],
    ["studio", "data-team", studio.url, "one", ["datasets", "MODELS"]],
  );
  assert.equal(session.expires, new Date(world.sandbox.time + 365 * DAY).toISOString());
  assert.equal(session.tokenExpires, session.expires);
  assert.ok(!JSON.stringify(session).includes(studio.tokens()[0]?.token ?? "?"));

  studio.resetRequests();
  for (const flags of [[], ["--profile", "other"], ["-H", studio.url.toUpperCase()]]) {
    const again = await world.login(["--error-format", "json", ...flags]);
    printedError(again, {
      code: "USAGE",
      message: /already signed in at \S+, with the token "one"/,
      hint: /datumctl logout one@127\.0\.0\.1:\d+; or add --force/,
    });
  }
  assert.deepEqual(studio.requests(), []);

  const forced = await world.login(["--force", "--name", "two"]);
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stderr, /The token "one" that was here before is revoked/);
  assert.deepEqual((await store.list()).sessions.map(({ name, team }) => [name, team]), [[
    `two@${host}`,
    undefined,
  ]]);
  assert.deepEqual(studio.tokens().map(({ name }) => name), ["two"]);
  assert.deepEqual(studio.requests().map(({ path }) => path), [LOGIN, `${LOGIN}/token`, LOGOUT]);

  await studio.setFaults({ revocation: { status: 500 } });
  const unrevoked = await world.login(["--force", "-q", "--name", "three", "--profile", "work"]);
  assert.equal(unrevoked.code, 0, unrevoked.stderr);
  assert.match(unrevoked.stderr, /"two" that was here before is still valid at \S+ until 20\d\d-\S+Z: .*500/);
  await studio.setFaults({});
  const named = await world.login(["--force"]);
  assert.equal(named.code, 0, named.stderr);
  assert.deepEqual(
    (await store.list()).sessions.map(({ name }) => name),
    ["work"],
    "a given name stays",
  );
});

Deno.test("what fails after the token was stored is told, and the session stays", async () => {
  await using world = await openStudioWorld();
  const { studio, store, host } = world;
  const path = `${world.home}/.config/datachain/config`;
  const unexported = await world.login(["--name", "one", "--export-datachain"], {
    onCode(code) {
      Deno.writeTextFileSync(path, "[broken");
      studio.approve(code);
    },
  });
  assert.equal(unexported.code, 1);
  assert.match(unexported.stderr, /"one@\S+" is signed in and stored, but not exported: .*not valid TOML/);
  assert.doesNotMatch(unexported.stdout, /config/);
  assert.equal(await world.ok(["auth", "token"]), `${studio.tokens()[0]?.token}\n`);

  await Deno.remove((await store.paths(`one@${host}`)).key);
  const { code, stderr } = await world.login(["--force", "--name", "two"]);
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /"one" that was here before cannot be opened, so it is not revoked. It may still be valid until/,
  );
  assert.deepEqual((await store.list()).sessions.map(({ name }) => name), [`two@${host}`]);
});

Deno.test("a name of somebody else's session is refused before any request", async () => {
  await using world = await openStudioWorld();
  await world.sandbox.add({ name: "work" });
  const { code, stderr } = await world.login(["--profile", "work", "--provider", "studio"]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /The session "work" belongs to ada@example\.com at /);
  assert.deepEqual(world.studio.requests(), []);
});

Deno.test("the stored host is signed in to again, and another host is another session", async () => {
  await using world = await openStudioWorld();
  await using other = await openStudioWorld();
  const nowhere = { env: { DATACHAIN_STUDIO_URL: "" } };
  await world.login(["--name", "a"]);
  const again = await world.login(["--force", "--name", "b"], nowhere);
  assert.equal(again.code, 0, again.stderr);
  const authority = await Deno.readTextFile(world.studio.caFile) +
    await Deno.readTextFile(other.studio.caFile);
  const both = `${world.home}/both.pem`;
  await Deno.writeTextFile(both, authority);
  const second = await world.login(
    ["-H", other.studio.url, "--certificate-authority", both, "--name", "c"],
    { onCode: (code) => other.studio.approve(code) },
  );
  assert.equal(second.code, 0, second.stderr);
  const names = (await world.store.list()).sessions.map(({ name }) => name);
  assert.deepEqual(names.sort(), [`b@${world.host}`, `c@${other.host}`].sort());
  assert.equal(await world.ok(["auth", "token"]), `${other.studio.tokens()[0]?.token}\n`);
  assert.equal(
    await world.ok(["auth", "token", "--profile", `b@${world.host}`]),
    `${world.studio.tokens()[0]?.token}\n`,
  );
});

Deno.test("logout: revoked; known no more; refused; not reached; and kept where that was asked", async () => {
  await using world = await openStudioWorld();
  const { studio, store } = world;
  const cases: readonly {
    readonly faults?: StudioFaults;
    readonly before?: () => void;
    readonly flags?: readonly string[];
    readonly exit: number;
    readonly says: RegExp;
    readonly kept?: true;
    readonly valid: boolean;
  }[] = [
    { exit: 0, says: /^Revoked and removed here: one@\S+ at 127\.0\.0\.1:\d+\.\n$/, valid: false },
    {
      before: () => studio.revoke(),
      exit: 0,
      says: /^Revoked or expired there already; removed/,
      valid: false,
    },
    {
      faults: { revocation: { status: 500, json: { detail: SAID } } },
      exit: 6,
      says: /still valid at \S+ until 20\d\d-\S+Z: .*500/,
      valid: true,
    },
    { faults: { down: ["issuer"] }, exit: 6, says: /still valid at \S+ until 20\d\d/, valid: true },
    { faults: { revocation: { body: "html" } }, exit: 6, says: /still valid at/, valid: true },
    {
      faults: { revocation: { status: 503 } },
      flags: ["--keep"],
      exit: 6,
      says: /stays signed in/,
      kept: true,
      valid: true,
    },
  ];
  for (const { faults = {}, before, flags = [], exit, says, kept, valid } of cases) {
    const login = await world.login(["--force", "--name", "one"]);
    assert.equal(login.code, 0, login.stderr);
    const [token] = studio.tokens().slice(-1);
    before?.();
    await studio.setFaults(faults);
    studio.resetRequests();
    const { code, stdout, stderr } = await world.run(["auth", "logout", ...flags]);
    assert.equal(code, exit, stderr);
    assert.match(exit === 0 ? stdout : stderr, says);
    await studio.setFaults({});
    assert.equal(studio.tokens().some((one) => one.token === token?.token), valid);
    assert.equal((await store.list()).sessions.length, kept ? 1 : 0);
    for (const { headers } of studio.requests()) {
      assert.equal(headers.authorization, `token ${token?.token}`);
    }
    studio.revoke();
  }
});

Deno.test("auth token and auth team are Studio's; other sessions are told what they have", async () => {
  await using world = await openStudioWorld();
  assert.equal((await world.run(["auth", "token"])).code, 4);
  await world.sandbox.add({ name: "work" });
  await world.run(["auth", "switch", "work"]);
  for (const words of [["auth", "token"], ["auth", "team", "a"]]) {
    const { code, stdout, stderr } = await world.run(words);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /is for DataChain Studio, but the session "work" belongs to the provider datum/);
    assert.match(
      stderr,
      words[1] === "token" ? /datumctl auth get-token/ : /datumctl login --provider studio/,
    );
  }
  await world.login(["--team", "data-team", "--team", "ml-team"]);
  assert.equal(await world.ok(["auth", "team"]), "");
  assert.match(await world.ok(["auth", "team", "ml-team"]), /^Default team of \S+: ml-team\n$/);
  assert.equal(await world.ok(["auth", "team"]), "ml-team\n");
  assert.equal((await world.run(["auth", "team", " "])).code, 2);
  assert.equal((await world.run(["auth", "team", "--local"])).code, 4);
  assert.equal(await world.ok(["auth", "token"]), `${world.studio.tokens()[0]?.token}\n`);
  assert.match(await world.ok(["whoami"]), /Team:\s+ml-team/);
});

/** Command lines that would hand a token to a Kubernetes API. */
const KUBERNETES_LINES = [
  "auth update-kubeconfig --server https://127.0.0.1:1 --skip-validation",
  "get organizations",
  "api-resources --project x",
];

Deno.test("Studio's token goes to no Kubernetes API", async () => {
  await using world = await openStudioWorld();
  await world.login();
  world.studio.resetRequests();
  for (const line of KUBERNETES_LINES) {
    const { code, stderr } = await world.run(line.split(" "));
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--profile NAME/);
  }
  assert.deepEqual(world.studio.requests(), []);
});

Deno.test("kubectl is not handed Studio's token, whatever its session's file says; a person is", async () => {
  await using world = await openStudioWorld();
  await world.login(["--profile", "mine"]);
  const [{ token } = { token: "" }] = world.studio.tokens();
  const { file } = await world.store.paths("mine");
  const text = await Deno.readTextFile(file);
  const exec = (interactive: boolean) => ({
    BROWSER: "true",
    KUBERNETES_EXEC_INFO: JSON.stringify({
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1",
      spec: { interactive },
    }),
  });
  const output = "--output=client.authentication.k8s.io/v1";
  for (const fields of [{}, { kind: "user", provider: "oidc" }, { kind: "workload", provider: "datum" }]) {
    await Deno.writeTextFile(file, JSON.stringify({ ...JSON.parse(text), ...fields }));
    for (
      const [words, env] of [
        [[output], {}],
        [[output, "--session=mine"], exec(false)],
        [[output, `--active-for=${world.host}`], exec(true)],
        [[], exec(true)],
        [["--force-refresh", "--token=access"], exec(false)],
      ] as const
    ) {
      const { code, stdout, stderr } = await world.run(["auth", "get-token", ...words], { env });
      assert.equal(code, 2, stderr);
      assert.equal(JSON.parse(stdout).reason, "USAGE");
      assert.match(
        stdout,
        /"mine\\" belongs to DataChain Studio; its token cannot be used with a Kubernetes API.*--profile NAME/,
      );
      assert.ok(!stdout.includes(token) && !stderr.includes(token));
    }
    assert.equal(await world.ok(["auth", "get-token", "-o", "token"], { env: exec(false) }), `${token}\n`);
  }
  world.sandbox.time += 400 * DAY;
  const over = await world.run(["auth", "get-token"], { env: exec(true) });
  assert.equal(over.code, 2, "and nobody is asked to sign in for it");
});

Deno.test("an edited kind and provider send Studio's token nowhere else, and keep nobody from its revocation", async () => {
  await using world = await openStudioWorld();
  await world.login(["--profile", "mine"]);
  const { file } = await world.store.paths("mine");
  const stored = JSON.parse(await Deno.readTextFile(file));
  const edited = { ...stored, kind: "user", provider: "datum", exportedTo: file };
  await Deno.writeTextFile(file, JSON.stringify(edited));
  world.studio.resetRequests();
  for (const line of KUBERNETES_LINES) {
    const { code, stderr } = await world.run(line.split(" "));
    assert.equal(code, 2, stderr);
  }
  assert.deepEqual(world.studio.requests(), []);
  assert.match(await world.ok(["logout"]), /^Revoked and removed here/);
  assert.deepEqual(world.studio.tokens(), []);
});

Deno.test("the end is warned of a week ahead, once a day, not with -q; after it there is only the way back", async () => {
  await using world = await openStudioWorld();
  const { sandbox, studio, host } = world;
  await world.login(["--name", "brief", "--expires-in", "30"]);
  const warnings = async (...words: string[]) => {
    const { code, stderr } = await world.run(words);
    assert.equal(code, 0, stderr);
    return [...stderr.matchAll(/^warning: .*/gm)].map(([line]) => line);
  };
  sandbox.time += 22 * DAY;
  assert.deepEqual(await warnings("auth", "token"), []);
  sandbox.time += 1.5 * DAY;
  assert.deepEqual(await warnings("auth", "token", "-q"), []);
  const [line, ...more] = await warnings("auth", "token");
  assert.deepEqual(more, []);
  assert.match(line ?? "", /"brief@\S+" expires in 7 days, on 20\d\d/);
  assert.match(line ?? "", /datumctl login --profile brief@\S+ --provider studio --hostname \S+ --force/);
  assert.deepEqual(await warnings("auth", "list"), []);
  assert.deepEqual(await warnings("auth", "get-token"), []);
  sandbox.time += DAY;
  assert.equal((await warnings("whoami")).length, 1);
  assert.equal((await warnings("auth", "team")).length, 0);

  sandbox.time += 6 * DAY;
  printedError(await world.run(["auth", "token", "--error-format", "json"]), {
    code: "SESSION_EXPIRED",
    hint: /datumctl login --profile brief@\S+ --provider studio --hostname 127\.0\.0\.1:\d+ --force/,
  });
  assert.match(await world.ok(["auth", "list", "-o", "wide"]), /Z \(expired\)/);
  // It is not signed in any more: nothing has to be forced, and the name stays.
  const again = await world.login(["--name", "brief"]);
  assert.equal(again.code, 0, again.stderr);
  assert.equal((await world.ok(["auth", "list", "-o", "name"])).trim(), `brief@${host}`);
  assert.equal(studio.tokens().length, 1);
});

Deno.test("the export has url, token and team, is private, and keeps all else of the file", async () => {
  await using world = await openStudioWorld();
  const { studio, home } = world;
  const path = `${home}/.config/datachain/config`;
  const table = async () => (await Deno.readTextFile(path)).split("\n");
  await Deno.mkdir(`${home}/.config/datachain`, { recursive: true });
  await Deno.writeTextFile(
    path,
    '# mine\n[core]\nverbose = true # why\n\n[studio] # here\nurl = "https://old"\n',
    {
      mode: 0o644,
    },
  );
  const { code, stdout, stderr } = await world.login(["--export-datachain", "--team", "data-team"]);
  assert.equal(code, 0, stderr);
  assert.ok(stdout.includes(path), stdout);
  const token = () => studio.tokens()[0]?.token;
  assert.deepEqual(await table(), [
    ...["# mine", "[core]", "verbose = true # why", "", "[studio] # here"],
    ...[`url = "${studio.url}"`, `token = "${token()}"`, 'team = "data-team"', ""],
  ]);
  assert.equal(await modeOf(path), 0o600);
  await world.ok(["auth", "team", "ml-team"]);
  assert.ok((await table()).includes('team = "ml-team"'));

  const replaced = await world.login(["--force", "--export-datachain"]);
  assert.equal(replaced.code, 0, replaced.stderr);
  assert.ok((await table()).includes(`token = "${token()}"`));
  assert.ok(!(await table()).some((line) => line.startsWith("team")), "no team, no key");

  const bare = await world.login(["--force"]);
  assert.equal(bare.code, 0, bare.stderr);
  assert.ok(!(await table()).some((line) => line.startsWith("token")), "the old token went");
  await world.login(["--force", "--export-datachain", "--team", "data-team"]);
  assert.ok((await table()).includes('team = "data-team"'));
  await world.ok(["logout"]);
  assert.deepEqual(await table(), [
    ...["# mine", "[core]", "verbose = true # why", "", "[studio] # here"],
    ...[`url = "${studio.url}"`, ""],
  ]);
});

Deno.test("a Studio below a path is signed in to, asked and signed out of there", async () => {
  await using world = await openStudioWorld({ below: "/apps/studio" });
  const { studio, host } = world;
  const slash = { env: { DATACHAIN_STUDIO_URL: `${studio.url}/` } };
  const { code, stderr } = await world.login(["--name", "one", "--export-datachain"], slash);
  assert.equal(code, 0, stderr);
  const again = await world.login();
  assert.equal(again.code, 2, "the same Studio, however it is written");
  const other = await world.login([], { env: { DATACHAIN_STUDIO_URL: `https://${host}` } });
  assert.notEqual(other.code, 2, "another path is another Studio");
  assert.ok(studio.requests().some(({ path }) => path === "/api/device-login"));
  const forced = await world.run([
    ...["login", "--hostname", `${studio.url}/`, "--provider", "studio", "--force", "--name", "two"],
    ...["--keyring", "file", "--browser-command", "true", "--export-datachain"],
  ]);
  assert.equal(forced.code, 0, forced.stderr);
  assert.deepEqual(studio.tokens().map(({ name }) => name), ["two"]);
  const config = await Deno.readTextFile(`${world.home}/.config/datachain/config`);
  assert.match(config, new RegExp(`^url = "${studio.url}"$`, "m"));
  assert.equal(await world.ok(["auth", "token"]), `${studio.tokens()[0]?.token}\n`);
  world.sandbox.time += 400 * 24 * 3600_000;
  const over = await world.run(["auth", "token"]);
  assert.match(over.stderr, new RegExp(`--hostname ${studio.url} --force\n`));
  world.sandbox.time -= 400 * 24 * 3600_000;
  await world.ok(["logout"]);
  assert.deepEqual(studio.tokens(), []);
});

Deno.test("the folder of a project's export is where DataChain's own variables put it", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  const elsewhere = await world.folder("elsewhere");
  const linked = `${world.home}/linked`;
  await Deno.symlink(elsewhere, linked);
  const flags = ["--local", "--export-datachain", "--force"];
  const rows: [env: Record<string, string>, copy: string, ignored: string][] = [
    [{ DATACHAIN_ROOT_DIR: linked }, `${elsewhere}/.datachain`, "*\n"],
    [{ DATACHAIN_DIR: elsewhere, DATACHAIN_ROOT_DIR: linked }, elsewhere, "config\n.config.datumctl-*\n"],
    [{ DATACHAIN_DIR: "dc" }, `${folder}/dc`, "config\n.config.datumctl-*\n"],
  ];
  for (const [env, copy, ignored] of rows) {
    const { code, stdout, stderr } = await world.login(flags, { folder, env: { HOME: world.home, ...env } });
    assert.equal(code, 0, stderr);
    assert.ok(stdout.includes(`${copy}/config`), stdout);
    assert.match(await Deno.readTextFile(`${copy}/config`), /token = "isat_/);
    assert.equal(await Deno.readTextFile(`${copy}/.gitignore`), ignored);
    await world.ok(["logout", "--local"], { folder });
    assert.doesNotMatch(await Deno.readTextFile(`${copy}/config`), /token/);
  }
  await Deno.remove(`${elsewhere}/.datachain`, { recursive: true });
  await Deno.symlink(folder, `${elsewhere}/.datachain`);
  const env = { HOME: world.home, DATACHAIN_ROOT_DIR: elsewhere };
  const refused = await world.login(flags, { folder, env });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /\.datachain: it is not a plain folder/);
});

Deno.test("somebody else's token stays in the file, and a file that is no TOML stops the sign-in first", async () => {
  await using world = await openStudioWorld();
  const path = `${world.home}/custom/config`;
  const env = { DATACHAIN_GLOBAL_CONFIG_DIR: `${world.home}/custom`, HOME: world.home };
  const exported = await world.login(["--export-datachain"], { env });
  assert.equal(exported.code, 0, exported.stderr);
  await Deno.writeTextFile(path, '[studio]\ntoken = "another"\n');
  await world.ok(["logout"]);
  assert.equal(await Deno.readTextFile(path), '[studio]\ntoken = "another"\n');
  await Deno.writeTextFile(path, "[studio\ntoken = ");
  world.studio.resetRequests();
  const broken = await world.login(["--export-datachain"], { env });
  assert.equal(broken.code, 1, broken.stderr);
  assert.match(broken.stderr, /it is not valid TOML/);
  assert.deepEqual(world.studio.requests(), []);
});

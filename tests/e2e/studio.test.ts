/** Proves with the compiled binary that sign-in at Studio works: the examples word for word, Chromium, folders, the export. */

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { findProgram } from "../../src/system/processes.ts";
import { startStudio, type Studio, type StudioOptions } from "../cloud/studio.ts";
import { absentPrograms, startKeyring } from "../keyring/gnome-keyring.ts";
import { modeOf } from "../scratch.ts";
import { binaryUnderTest } from "./world.ts";

/** A finished run, and what it was given. */
interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the program is run. */
interface RunOptions {
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs the program by way of these words. */
  readonly through?: readonly string[];
  /** Told, once, of the code that is shown; it is confirmed unless given. */
  readonly onCode?: (code: string, address: string, child: Deno.ChildProcess) => void;
}

/** A person's home on a machine that trusts the studio; dispose of it. */
interface Home extends AsyncDisposable {
  readonly home: string;
  readonly config: string;
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Runs it, and it must end well; its stdout. */
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
}

async function openHome(studio: Studio): Promise<Home> {
  const binary = await binaryUnderTest();
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "datumctl-studio-" }));
  const run: Home["run"] = async (args, { folder = home, env = {}, through = [], onCode } = {}) => {
    const [program = binary, ...words] = [...through, binary, ...args];
    const child = new Deno.Command(program, {
      args: words,
      cwd: folder,
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        HOME: home,
        DATUMCTL_KEYRING: "file",
        BROWSER: "true",
        SSL_CERT_FILE: studio.caFile,
        DATUMCTL_PROVIDER: "studio",
        DATACHAIN_STUDIO_URL: studio.url,
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    const stdout = new Response(child.stdout).text();
    let stderr = "";
    let told = false;
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += part;
      const [, address = "", code] = /open:\s+(https:\S+)\s+and enter the code:\s+(\S+)\s/.exec(stderr) ?? [];
      if (code === undefined || told) continue;
      told = true;
      if (onCode === undefined) studio.approve(code);
      else onCode(code, address, child);
    }
    const { code } = await child.status;
    clearTimeout(timer);
    return { code, stdout: await stdout, stderr };
  };
  return {
    home,
    config: `${home}/.config/datumctl`,
    run,
    async ok(args, options) {
      const { code, stdout, stderr } = await run(args, options);
      assert.equal(code, 0, `datumctl ${args.join(" ")}: ${stderr}`);
      return stdout;
    },
    [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }),
  };
}

/** A test with a studio whose codes are polled for every second, and one home. */
function testAtStudio(
  name: string,
  test: (studio: Studio, home: Home) => Promise<void>,
  { ignore = false, ...options }: StudioOptions & { readonly ignore?: boolean } = {},
): void {
  Deno.test({
    name,
    ignore,
    fn: async () => {
      await using studio = await startStudio({ interval: 1, ...options });
      await using home = await openHome(studio);
      await test(studio, home);
    },
  });
}

const LIFE = { expires_in_days: 365 };

/** The examples of the vendor's page, and what Studio is sent for each. */
const EXAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "auth login": LIFE,
  "auth login --scopes EXPERIMENTS,DATASETS": { scopes: ["EXPERIMENTS", "DATASETS"], ...LIFE },
  "auth login --name my-token": { token_name: "my-token", ...LIFE },
  "auth login --no-open": LIFE,
  "auth login --local": LIFE,
  "auth login --team data-team": { team_names: ["data-team"], ...LIFE },
  "auth login --team data-team --team ml-team": { team_names: ["data-team", "ml-team"], ...LIFE },
  "auth login --expires-in 90": { expires_in_days: 90 },
  "auth login --team data-team --expires-in 30 --name short-term-token": {
    token_name: "short-term-token",
    team_names: ["data-team"],
    expires_in_days: 30,
  },
};

Deno.test("the vendor's examples work word for word, and send what they say", async () => {
  await Promise.all(
    Object.entries(EXAMPLES).map(async ([line, asked]) => {
      await using studio = await startStudio({ interval: 1 });
      await using home = await openHome(studio);
      const { code, stdout, stderr } = await home.run(line.split(" "));
      assert.equal(code, 0, `${line}: ${stderr}`);
      const [token] = studio.tokens();
      assert.ok(token !== undefined, line);
      assert.match(
        stdout,
        new RegExp(`^Signed in at 127\\.0\\.0\\.1:\\d+ with the token "${token.name}"\\.\n$`),
      );
      const [login, ...polls] = studio.requests();
      assert.deepEqual([login?.method, login?.path], ["POST", "/api/device-login"]);
      assert.deepEqual(login?.body, { client_name: "datumctl", ...asked }, line);
      assert.ok(
        polls.length > 0 && polls.every(({ path, body }) => path.endsWith("/token") && body !== undefined),
      );
      assert.equal(await home.ok(["auth", "token"]), `${token.token}\n`, line);
      const team = line.split("--team ").length === 2 ? "data-team\n" : "";
      assert.equal(await home.ok(["auth", "team"]), team, line);
      const local = [...Deno.readDirSync(home.home)].some(({ name }) => name === ".datumctl");
      assert.equal(local, line.includes("--local"), line);
    }),
  );
});

testAtStudio(
  "a second sign-in is refused before any request, and logout ends the first",
  async (studio, home) => {
    await home.ok(["auth", "login", "-v"]);
    studio.resetRequests();
    const again = await home.run(["auth", "login"]);
    assert.equal(again.code, 2, again.stderr);
    assert.match(again.stderr, /already signed in at \S+.*\n.*datumctl logout \S+; or add --force/);
    assert.deepEqual(studio.requests(), []);
    assert.match(await home.ok(["auth", "logout"]), /^Revoked and removed here/);
    assert.deepEqual(studio.tokens(), []);
    assert.equal(await home.ok(["auth", "list", "-o", "json"]), "[]\n");
  },
);

testAtStudio("Ctrl-C while waiting ends with 130, and nothing is stored", async (studio, home) => {
  const { code, stdout } = await home.run(["auth", "login", "--local"], {
    onCode: (_, __, child) => child.kill("SIGINT"),
  });
  assert.deepEqual([code, stdout], [130, ""]);
  assert.deepEqual(studio.tokens(), []);
  assert.equal(await home.ok(["auth", "list", "-o", "json"]), "[]\n");
});

const CHROMIUM = findProgram("chromium", Deno.env.get("PATH"));
// deno-lint-ignore no-console -- a skipped test says so
if (CHROMIUM === undefined) console.error("skipped: no browser test of Studio here without chromium");

testAtStudio(
  "Chromium enters the code on Studio's page, with -q and --no-open; one declines",
  async (studio, home) => {
    const browser = await chromium.launch({
      executablePath: CHROMIUM ?? "",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    });
    try {
      for (const [button, exit] of [["abort", 1], ["confirm", 0]] as const) {
        let walk: Promise<void> | undefined;
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        const page = await context.newPage();
        const { code, stdout, stderr } = await home.run(["login", "-q", "--no-open"], {
          onCode: (shown, address) => {
            walk = (async () => {
              await page.goto(address);
              await page.click('button[value="ada@example.com"]');
              await page.locator("input[name=user_code][type=text]").pressSequentially(shown.toLowerCase());
              await page.click("button");
              await page.click(`button[name=${button}]`);
            })();
          },
        });
        await walk;
        await context.close();
        assert.equal(code, exit, stderr);
        assert.match(
          exit === 0 ? stdout : stderr,
          exit === 0 ? /^Signed in at/ : /declined at .*access_denied/,
        );
        assert.equal(studio.tokens().length, exit === 0 ? 1 : 0);
      }
      assert.equal(studio.tokens()[0]?.owner, "ada@example.com");
    } finally {
      await browser.close();
    }
  },
  { ignore: CHROMIUM === undefined },
);

const canMount = await new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" })
  .output().then(({ success }) => success, () => false);
// deno-lint-ignore no-console -- a skipped test says so
if (!canMount) console.error("skipped: no read-only folder can be mounted here (unshare -m)");

testAtStudio("a read-only folder is told before anything is asked", async (studio, home) => {
  const folder = `${home.home}/project`;
  await Deno.mkdir(folder);
  const mount = 'mount -t tmpfs -o ro none "$0" && cd "$0" && exec "$@"';
  const { code, stderr } = await home.run(["auth", "login", "--local"], {
    through: ["unshare", "-m", "sh", "-c", mount, folder],
  });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Cannot create the folder \S+project\/\.datumctl: the file system is read-only/);
  assert.deepEqual(studio.requests(), []);
}, { ignore: !canMount });

testAtStudio(
  "a folder by its link is the folder itself; one that cannot be read is passed by",
  async (studio, home) => {
    const folder = `${home.home}/project`;
    await Deno.mkdir(`${folder}/inner`, { recursive: true });
    await Deno.symlink(folder, `${home.home}/link`);
    await home.ok(["auth", "login", "--local"], { folder: `${home.home}/link` });
    const token = `${studio.tokens()[0]?.token}\n`;
    for (const at of [folder, `${folder}/inner`, `${home.home}/link/inner`]) {
      assert.equal(await home.ok(["auth", "token"], { folder: at }), token, at);
    }
    assert.match(
      await home.ok(["whoami"], { folder: `${folder}/inner` }),
      new RegExp(`the project folder ${folder}\n`),
    );
    // Somebody else on this machine: our folder is closed to them, and in nobody's way.
    await Deno.chmod(home.home, 0o755);
    const stranger = await home.run(["whoami"], {
      folder: `${folder}/inner`,
      env: { HOME: "/no/such/home" },
      through: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
    });
    assert.equal(stranger.code, 4, stranger.stderr);
    assert.match(stranger.stderr, /Nobody is signed in here/);
  },
  { ignore: findProgram("setpriv", Deno.env.get("PATH")) === undefined },
);

const KEYRING = absentPrograms().length === 0;
// deno-lint-ignore no-console -- a skipped test says so
if (!KEYRING) console.error(`skipped: no real keyring here without ${absentPrograms().join(", ")}`);

testAtStudio("the key of a folder's session is in the keyring under both names", async (studio, home) => {
  const keyring = await startKeyring();
  assert.ok(keyring !== undefined);
  try {
    const folder = `${home.home}/my project`;
    await Deno.mkdir(folder);
    const options = { folder, env: { ...keyring.env, HOME: home.home, DATUMCTL_KEYRING: "system" } };
    await home.ok(["auth", "login", "--local", "--name", "mine"], options);
    assert.equal(await home.ok(["auth", "token"], options), `${studio.tokens()[0]?.token}\n`);
    const account = `mine@${new URL(studio.url).host} in ${folder}`;
    const lookup = () =>
      new Deno.Command("secret-tool", {
        args: ["lookup", "service", "datumctl", "account", account],
        env: keyring.env,
        clearEnv: true,
      }).output();
    assert.equal((await lookup()).stdout.length > 40, true);
    await home.ok(["logout", "--local"], options);
    assert.equal((await lookup()).stdout.length, 0);
  } finally {
    await keyring.stop();
  }
}, { ignore: !KEYRING });

/** Whether a module is there for Python. */
const hasModule = (name: string) =>
  new Deno.Command("python3", { args: ["-c", `import ${name}`], stdout: "null", stderr: "null" })
    .output().then(({ success }) => success, () => false);

const datachain = await hasModule("datachain");
const python = datachain || await hasModule("tomllib");

/** Reads the file as DataChain does, where that is installed; else by Python's own TOML. */
const READ = datachain
  ? `
import json
from datachain.config import Config, ConfigLevel
print(json.dumps(Config(ConfigLevel.GLOBAL).read()["studio"]))
`
  : `
import json, sys, tomllib
print(json.dumps(tomllib.load(open(sys.argv[1], "rb"))["studio"]))
`;
// deno-lint-ignore no-console -- a skipped test says so
if (!python) console.error("skipped: nothing here reads the export as Python does (python3 with tomllib)");

const reader = datachain ? "DataChain itself" : "Python's tomllib, for want of DataChain itself,";

testAtStudio(`${reader} reads from the export what Studio gave`, async (studio, home) => {
  const path = `${home.home}/.config/datachain/config`;
  const line = ["auth", "login", "--team", "data-team", "--export-datachain"];
  assert.ok((await home.ok(line)).includes(path));
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", READ, path],
    env: { HOME: home.home, XDG_CONFIG_HOME: "" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
    url: studio.url,
    token: studio.tokens()[0]?.token,
    team: "data-team",
  });
  assert.equal(await modeOf(path), 0o600);
}, { ignore: !python });

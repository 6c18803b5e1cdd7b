/** Proves which browser is started and how, and that a web address is all that it is ever handed. */

import assert from "node:assert/strict";
import {
  browserCommands,
  type BrowserEnvironment,
  browserObstacle,
  openBrowser,
  splitWords,
} from "../../src/system/browser.ts";
import { asJson } from "../as-json.ts";
import { expectError } from "../expect-error.ts";
import { assertMissing, inScratch, writeScript } from "../scratch.ts";

const URL_ = "https://auth.example/authorize?client_id=1&state=a%20b&scope=openid";

function place(
  variables: Record<string, string> = {},
  { os = "linux", release = "6.1.0-13-amd64", files = [] as string[], programs = [] as string[] } = {},
): BrowserEnvironment {
  return {
    os,
    release: () => release,
    variable: (name) => variables[name],
    exists: (path) => Promise.resolve(files.includes(path)),
    isProgram: (name) => programs.includes(name),
  };
}

/** The text of a file that another process is about to put in place. */
async function awaited(path: string): Promise<string> {
  while (true) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text !== "") return text;
  }
}

Deno.test("what is not a web address is never handed to a browser", () => {
  for (
    const url of ["file:///etc/passwd", "--help", "javascript:alert(1)", "https://a b", "https://a\n", ""]
  ) {
    assert.throws(() => browserCommands(url, "firefox", place()), TypeError, url);
  }
});

Deno.test("a --browser-command without words or with an open quote is USAGE", () => {
  for (const command of ["", "  ", "firefox 'x", 'firefox "x', '"" x']) {
    expectError(() => browserCommands(URL_, command, place()), "USAGE", command);
  }
});

Deno.test("splitWords() follows the shell's quoting and expands nothing", () => {
  const cases: [string, string[]][] = [
    ["firefox", ["firefox"]],
    ["  firefox \t--new-tab  ", ["firefox", "--new-tab"]],
    [`'/opt/my browser/run' "a b"c ''`, ["/opt/my browser/run", "a bc", ""]],
    [`a\\ b "q\\"q" 'b\\c' "b\\c" $HOME *.x \`id\``, ["a b", 'q"q', "b\\c", "b\\c", "$HOME", "*.x", "`id`"]],
  ];
  for (const [text, words] of cases) assert.deepEqual(splitWords(text, false), words);
});

Deno.test("splitWords() leaves the backslashes of a Windows path alone", () => {
  const text = `"C:\\Program Files\\Mozilla Firefox\\firefox.exe" -P it's`;
  assert.deepEqual(splitWords(text, true), ["C:\\Program Files\\Mozilla Firefox\\firefox.exe", "-P", "it's"]);
});

Deno.test("the address takes the place of each %s, or the last word, as one word", () => {
  const of = (url: string, command: string) => browserCommands(url, command, place()).commands;
  assert.deepEqual(of(URL_, "firefox -P work"), [["firefox", "-P", "work", URL_]]);
  assert.deepEqual(of(URL_, "chromium --app=%s --new"), [["chromium", `--app=${URL_}`, "--new"]]);
  assert.deepEqual(of(URL_, "x %s %s"), [["x", URL_, URL_]]);
});

Deno.test("the command comes alone; $BROWSER comes before the system's way", () => {
  const linux = [["xdg-open", URL_], ["gio", "open", URL_], ["x-www-browser", URL_]];
  const own = place({ BROWSER: "lynx '%s'" });
  assert.deepEqual(browserCommands(URL_, "firefox", own), { commands: [["firefox", URL_]] });
  assert.deepEqual(browserCommands(URL_, undefined, own), { commands: [["lynx", URL_], ...linux] });
  assert.deepEqual(browserCommands(URL_, undefined, place()), { commands: linux });
  assert.deepEqual(browserCommands(URL_, undefined, place({ BROWSER: "'" })), {
    commands: linux,
    problem: "one of its quotes is not closed",
  });
});

Deno.test("without a command the opener of macOS, Windows or WSL gets the address", () => {
  const of = (where: BrowserEnvironment) => browserCommands(URL_, undefined, where).commands;
  assert.deepEqual(of(place({}, { os: "darwin" })), [["/usr/bin/open", URL_]]);
  const windows = place({ SystemRoot: "D:\\Win" }, { os: "windows" });
  assert.deepEqual(of(windows), [["D:\\Win\\System32\\rundll32.exe", "url.dll,FileProtocolHandler", URL_]]);
  const named = place({ WSL_DISTRO_NAME: "Debian" });
  const kernel = place({}, { release: "5.15.90.1-microsoft-standard-WSL2" });
  for (const wsl of [named, kernel]) {
    assert.deepEqual(of(wsl).slice(0, 2), [
      ["wslview", URL_],
      ["/mnt/c/Windows/System32/rundll32.exe", "url.dll,FileProtocolHandler", URL_],
    ]);
  }
});

Deno.test("a program's path with blanks needs no quotes, with arguments or without", () => {
  const path = "/opt/my browser/run it";
  const where = place({}, { programs: [path, "firefox"] });
  for (
    const [text, words] of [
      [path, [path, URL_]],
      [`  ${path}  `, [path, URL_]],
      [`${path} -P 'a b' %s`, [path, "-P", "a b", URL_]],
      [`'${path}' x`, [path, "x", URL_]],
      ["/opt/my\\ browser/run\\ it x", [path, "x", URL_]],
      ["firefox /opt/my browser/run it", ["firefox", "/opt/my", "browser/run", "it", URL_]],
      ["/opt/other browser/run", ["/opt/other", "browser/run", URL_]],
    ] as const
  ) {
    assert.deepEqual(browserCommands(URL_, text, where).commands, [words], text);
    const variable = place({ BROWSER: text }, { programs: [path, "firefox"] });
    assert.deepEqual(browserCommands(URL_, undefined, variable).commands[0], words, text);
  }
  const program = "C:\\Program Files\\Mozilla Firefox\\firefox.exe";
  const windows = place({ BROWSER: `${program} -P work` }, { os: "windows", programs: [program] });
  assert.deepEqual(browserCommands(URL_, undefined, windows).commands[0], [program, "-P", "work", URL_]);
  expectError(() => browserCommands(URL_, `${path} 'x`, where));
});

/** What a shell reads, and what it might. */
const SHELLS = "'\"$`();|\\{}!<>*^~ \t";

Deno.test("no shell reads anything in the address but the same address", async () => {
  await inScratch(async (folder) => {
    await writeScript(
      `${folder}/browser`,
      `printf '%s\n' "$@" >"${folder}/new"; mv "${folder}/new" "${folder}/seen"`,
    );
    const traps = [
      `$(touch\${IFS}${folder}/x)`,
      `;touch\${IFS}${folder}/x;`,
      `\`touch ${folder}/x\``,
      SHELLS,
    ];
    for (const trap of [...traps, `";touch ${folder}/x;"`, `';touch ${folder}/x;'`, `|touch ${folder}/x`]) {
      for (const url of [`https://auth.example/${trap}`, `https://auth.example/a?b=${trap}`]) {
        const meant = new URL(url);
        for (const script of [`"%s"`, "%s", `'\\''%s'\\''`, `-- "$(echo %s)"`]) {
          const command = `sh -c '${folder}/browser ${script}'`;
          assert.deepEqual(asJson(await openBrowser(meant.href, { command, patience: 10_000 })), {
            opened: true,
            program: "sh",
          });
          const [seen = ""] = (await awaited(`${folder}/seen`)).trimEnd().split("\n").slice(-1);
          await Deno.remove(`${folder}/seen`);
          const got = new URL(seen);
          assert.equal(decodeURIComponent(got.pathname), decodeURIComponent(meant.pathname), command);
          assert.deepEqual([...got.searchParams], [...meant.searchParams]);
          await assertMissing(`${folder}/x`);
        }
      }
    }
  });
});

Deno.test("an address with several parameters is not put into a shell's text, where & ends a command", async () => {
  const reason = "the address holds a &, so %s must be a word of its own";
  const url = "https://auth.example/?a=1&reboot";
  for (const command of ["sh -c 'x %s'", `sh -c 'x "%s"'`]) {
    assert.deepEqual(await openBrowser(url, { command }), { opened: false, reason });
    const variable = browserCommands(url, undefined, place({ BROWSER: command }));
    assert.deepEqual([variable.commands[0]?.[0], variable.problem], ["xdg-open", reason]);
  }
  for (const command of ["x %s", "x --app=%s", `sh -c 'x "$0"'`]) {
    assert.equal(browserCommands(url, command, place()).commands.length, 1);
  }
});

Deno.test("browserObstacle() names SSH without a display, containers and codespaces, and nothing else", async () => {
  const ssh = { SSH_CONNECTION: "10.0.0.1 5 10.0.0.2 22" };
  const cases: [BrowserEnvironment, RegExp | undefined][] = [
    [place(), undefined],
    [place({ DISPLAY: ":0" }), undefined],
    [place(ssh), /SSH session without a display/],
    [place({ SSH_TTY: "/dev/pts/1" }, { os: "darwin" }), /SSH/],
    [place({ ...ssh, DISPLAY: "localhost:10.0" }), undefined],
    [place({ ...ssh, WAYLAND_DISPLAY: "wayland-0" }), undefined],
    [place({}, { files: ["/.dockerenv"] }), /container/],
    [place({ DISPLAY: ":0" }, { files: ["/run/.containerenv"] }), /container/],
    [place({ CODESPACES: "true", DISPLAY: ":0" }), /codespace/],
  ];
  for (const [where, expected] of cases) {
    const obstacle = await browserObstacle(where);
    if (expected === undefined) assert.equal(obstacle, undefined);
    else assert.match(obstacle ?? "", expected);
  }
});

Deno.test("a browser that is absent or fails at once is an outcome with its reason", async () => {
  await inScratch(async (folder) => {
    assert.deepEqual(await openBrowser(URL_, { command: "no-such-browser -x" }), {
      opened: false,
      reason: `"no-such-browser -x" is not installed`,
    });
    await writeScript(`${folder}/broken`, "exit 3");
    assert.deepEqual(await openBrowser(URL_, { command: `${folder}/broken`, patience: 10_000 }), {
      opened: false,
      reason: `"${folder}/broken" ended with exit code 3`,
    });
  });
});

Deno.test("a browser gets the address as one argument, and a named environment without the rest of ours", async () => {
  await inScratch(async (folder) => {
    await writeScript(
      `${folder}/browser`,
      `env >"${folder}/env"; printf '%s' "$#:$1" >"${folder}/new"; mv "${folder}/new" "${folder}/seen"`,
    );
    Deno.env.set("DATUMCTL_SECRET_OF_OURS", "x");
    try {
      const command = `${folder}/browser`;
      assert.deepEqual(asJson(await openBrowser(URL_, { command, patience: 10_000 })), {
        opened: true,
        program: command,
      });
    } finally {
      Deno.env.delete("DATUMCTL_SECRET_OF_OURS");
    }
    assert.equal(await awaited(`${folder}/seen`), `1:${URL_}`);
    const env = await Deno.readTextFile(`${folder}/env`);
    assert.match(env, /^PATH=/m);
    assert.doesNotMatch(env, /SECRET_OF_OURS/);
  });
});

Deno.test("a $BROWSER that fails or is missing is named, and gives way to the system's browser", async () => {
  await inScratch(async (folder) => {
    await writeScript(`${folder}/broken`, "exit 1");
    const missing = `${folder}/no such browser`;
    const path = Deno.env.get("PATH") ?? "";
    for (
      const [BROWSER, said] of [
        [`${folder}/broken`, `"${folder}/broken" ended with exit code 1 (BROWSER)`],
        [missing, `"${missing}" is not installed (BROWSER)`],
        ["no-such-browser -x", `"no-such-browser -x" is not installed (BROWSER)`],
        ["'", "one of its quotes is not closed (BROWSER)"],
      ] as const
    ) {
      const where = place({ BROWSER });
      Deno.env.set("PATH", folder);
      try {
        assert.deepEqual(await openBrowser(URL_, { environment: where, patience: 10_000 }), {
          opened: false,
          reason: said,
        });
        await writeScript(
          `${folder}/xdg-open`,
          `printf '%s' "$1" >"${folder}/new"; /bin/mv "${folder}/new" "${folder}/seen"`,
        );
        assert.deepEqual(await openBrowser(URL_, { environment: where, patience: 10_000 }), {
          opened: true,
          program: "xdg-open",
          fallbackReason: said,
        });
      } finally {
        Deno.env.set("PATH", path);
      }
      assert.equal(await awaited(`${folder}/seen`), URL_);
      await Deno.remove(`${folder}/seen`);
      await Deno.remove(`${folder}/xdg-open`);
    }
  });
});

Deno.test("Ctrl-C for our process group does not reach the browser", async () => {
  await inScratch(async (folder) => {
    await writeScript(
      `${folder}/browser`,
      `echo $$ >"${folder}/new"; mv "${folder}/new" "${folder}/pid"; exec sleep 20`,
    );
    const module = new URL("../../src/system/browser.ts", import.meta.url).href;
    await Deno.writeTextFile(
      `${folder}/main.js`,
      `import { openBrowser } from "${module}";
       await openBrowser("https://a.example/", { command: "${folder}/browser", patience: 1 });
       setInterval(() => {}, 1000);`,
    );
    const ours = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-config", `${folder}/main.js`],
      detached: true,
    }).spawn();
    const browser = Number(await awaited(`${folder}/pid`));
    Deno.kill(-ours.pid, "SIGINT");
    assert.equal((await ours.status).signal, "SIGINT");
    // Had it been reached, it would be gone, or a zombie that nobody has reaped yet.
    assert.match(await Deno.readTextFile(`/proc/${browser}/stat`), /^\d+ \(\S+\) [^ZX]/);
    Deno.kill(browser, "SIGKILL");
  });
});

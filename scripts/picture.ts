/**
 * `deno task picture`: the picture of the README, real commands in a real terminal against a local cloud. With a folder's
 * path it draws every scene there instead, in a light theme and in a dark one, as SVG and, where Chromium is, as PNG.
 */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { chromium } from "playwright-core";
import { findProgram } from "../src/system/processes.ts";
import { shellLine } from "../src/text.ts";
import { openWorld, type World } from "../tests/e2e/world.ts";
import { ROOT } from "./compile.ts";
import { kubectlPath } from "./npm-packages.ts";
import { terminalSvg, type Theme } from "./picture/terminal-svg.ts";

const COLUMNS = 104;

/** What is typed, and what the terminal shows then. */
type Show = (typed: string, program: string, args: readonly string[]) => Promise<string>;

/** Runs programs in a terminal of that many columns, which script(1) makes. */
function showIn(world: World): Show {
  return async (typed, program, args) => {
    // Nothing is asked: nobody sits there.
    const line = `stty cols ${COLUMNS}; ${shellLine([program, ...args])} < /dev/null`;
    const { stdout } = await world.start("script", ["-qec", line, "/dev/null"], {
      env: { TERM: "xterm-256color" },
    }).finished;
    return `\u001b[2m$\u001b[0m \u001b[1m${typed}\u001b[0m\n${named(world, stdout)}`;
  };
}

/** The picture shows Datum Cloud's own names where the local cloud has addresses. */
function named({ cloud, home, kubeconfig }: World, text: string): string {
  return text.replaceAll(`-${cloud.apiHost}`, "").replaceAll(cloud.apiHost, "api.datum.net")
    .replaceAll(kubeconfig, "~/.kube/config").replaceAll(home, "~")
    // deno-lint-ignore no-control-regex -- the address is followed by the end of its look
    .replace(/https:\/\/[^\s\u001b]*authorize[^\s\u001b]*/g, "https://auth.datum.net/oauth/v2/authorize?…")
    .replaceAll("\r\n", "\n");
}

/** A sign-in as its person sees it. */
async function signIn(world: World): Promise<string> {
  const script = `${world.home}/login`;
  const line = shellLine([world.binary, "login", ...world.loginFlags]);
  await Deno.writeTextFile(
    script,
    `#!/bin/sh\nexec script -qec ${shellLine([`stty cols 1000; ${line} < /dev/null`])} /dev/null\n`,
    { mode: 0o700 },
  );
  const { signInByHttp } = await import("../tests/cloud/browser.ts");
  let walked = false;
  const { code, stdout } = await world.start(script, [], {
    env: { TERM: "xterm-256color" },
    onStdout(soFar) {
      // deno-lint-ignore no-control-regex -- as above
      const [address] = /https:\/\/[^\s\u001b]*authorize[^\s\u001b]*(?=[\s\u001b])/.exec(soFar) ?? [];
      if (address === undefined || walked) return;
      walked = true;
      void signInByHttp(world.cloud, address, "ada@example.com").then((answer) => answer.body?.cancel());
    },
  }).finished;
  if (code !== 0) throw new Error(`login ended with ${code}: ${stdout}`);
  return `\u001b[2m$\u001b[0m \u001b[1mdatumctl login\u001b[0m\n${named(world, stdout)}`;
}

async function readme(world: World, kubectl: string): Promise<string> {
  const show = showIn(world);
  const login = (await signIn(world)).replace(/^(?:Credentials:|Whoever|Next:|To see).*\n/gm, "");
  const update = await show(
    "datumctl auth update-kubeconfig --project web",
    world.binary,
    ["auth", "update-kubeconfig", "--project", "web"],
  );
  const get = await show("kubectl get namespaces", kubectl, ["get", "namespaces"]);
  return [login, update, get].map((text) => text.trimEnd()).join("\n\n");
}

/** Every scene, by its name. */
async function scenes(world: World, kubectl: string): Promise<ReadonlyMap<string, string>> {
  const show = showIn(world);
  const own = async (...words: readonly string[]) =>
    await show(shellLine(["datumctl", ...words]), world.binary, words);
  const found = new Map([["login", await signIn(world)]]);
  await world.login("grace@example.com");
  found.set("auth-list", await own("auth", "list"));
  await world.ok(["auth", "switch", "ada@example.com"]);
  await world.ok(["ctx", "use", "acme/web"]);
  found.set("ctx-list", `${await own("ctx", "list")}\n${await own("ctx")}\n${await own("whoami")}`);
  found.set("get", `${await own("get", "namespaces")}\n${await own("describe", "namespace", "default")}`);
  found.set(
    "error",
    `${await own("get", "nothing")}\n${await own("logn")}\n${await own("ctx", "use", "x/y")}`,
  );
  found.set(
    "update-kubeconfig",
    `${await own("auth", "update-kubeconfig", "--project", "web", "--dry-run")}\n${await own(
      "auth",
      "update-kubeconfig",
      "--project",
      "web",
    )}`,
  );
  found.set("kubectl", await show("kubectl get namespaces", kubectl, ["get", "namespaces"]));
  found.set("help", await own("--help"));
  found.set("login-help", await own("login", "--help"));
  found.set("doctor", await own("doctor"));
  return found;
}

async function drawAll(folder: string, texts: ReadonlyMap<string, string>): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const executablePath = findProgram("chromium", Deno.env.get("PATH"));
  const browser = executablePath === undefined
    ? undefined
    : await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    for (const [name, text] of texts) {
      for (const theme of ["light", "dark"] as const satisfies readonly Theme[]) {
        const path = `${folder}/${name}-${theme}`;
        const svg = terminalSvg(text, { columns: COLUMNS, label: name, theme });
        await Deno.writeTextFile(`${path}.svg`, svg);
        if (browser !== undefined) {
          const page = await browser.newPage({ viewport: { width: 920, height: 600 } });
          await page.setContent(`<body style="margin: 0">${svg}</body>`);
          await page.screenshot({ path: `${path}.png`, fullPage: true });
          await page.close();
        }
        console.log(path);
      }
    }
  } finally {
    await browser?.close();
  }
}

if (import.meta.main) {
  const kubectl = await kubectlPath("v35");
  await using world = await openWorld();
  if (world === undefined || kubectl === undefined) throw new Error("There is no kubectl for this machine.");
  const [folder] = Deno.args;
  if (folder !== undefined) await drawAll(folder, await scenes(world, kubectl));
  else {
    const label = "A terminal: datumctl login, auth update-kubeconfig, and kubectl get namespaces";
    const svg = terminalSvg(await readme(world, kubectl), { columns: COLUMNS, label, theme: "auto" });
    await Deno.writeTextFile(`${ROOT}docs/terminal.svg`, svg);
    console.log("docs/terminal.svg");
  }
}

/** Proves in a real Chromium that the sign-in works from what was printed, and that its pages are good ones. */

import assert from "node:assert/strict";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { findProgram } from "../../src/system/processes.ts";
import { openWorld, type World } from "./world.ts";

const CHROMIUM = findProgram("chromium", Deno.env.get("PATH"));
// deno-lint-ignore no-console -- a skipped test says so
if (CHROMIUM === undefined) console.error("skipped: no browser tests here without chromium");

/** Where the pictures of the pages are left for somebody to look at; nowhere unless it is set. */
const PICTURES = Deno.env.get("DATUMCTL_TEST_PICTURES");

const ARGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

interface Look {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: "light" | "dark";
}

const LOOKS: readonly Look[] = [
  { width: 360, height: 640, colorScheme: "light" },
  { width: 360, height: 640, colorScheme: "dark" },
  { width: 1280, height: 720, colorScheme: "light" },
  { width: 1280, height: 720, colorScheme: "dark" },
];

/** A tab, and all that the browser's log says of it. */
interface Tab {
  readonly page: Page;
  /** Console lines that complain, policy violations among them, and uncaught errors, each with its address. */
  readonly complaints: { readonly at: string; readonly text: string }[];
  /** The address of every request. */
  readonly requests: string[];
}

async function openTab(browser: Browser, { width, height, colorScheme }: Look): Promise<Tab> {
  const context: BrowserContext = await browser.newContext({
    // The cloud's authority is the test's own; what is tested is what datumctl serves.
    ignoreHTTPSErrors: true,
    viewport: { width, height },
    colorScheme,
  });
  const page = await context.newPage();
  const complaints: { at: string; text: string }[] = [];
  const requests: string[] = [];
  page.on("console", (line) => {
    const { url } = line.location();
    if (line.type() === "error" || line.type() === "warning") complaints.push({ at: url, text: line.text() });
  });
  page.on("pageerror", (error) => complaints.push({ at: page.url(), text: error.message }));
  context.on("request", (request) => requests.push(request.url()));
  return { page, complaints, requests };
}

async function withBrowser(test: (world: World, browser: Browser) => Promise<void>): Promise<void> {
  await using world = await openWorld();
  assert.ok(world !== undefined);
  const browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: ARGS });
  try {
    await test(world, browser);
  } finally {
    await browser.close();
  }
}

/** What a page looks like to somebody, measured in the browser. */
interface Measured {
  /** By how many pixels the page is wider than the window. */
  readonly overflow: number;
  /** Every text with the contrast to what is painted behind it. */
  readonly texts: readonly { readonly text: string; readonly contrast: number }[];
  /** All text that lies wholly in the window. */
  readonly inView: string;
}

// Contrast as WCAG 2.2 defines it. A script in text, because it runs in the browser and not here.
const MEASURE = `(() => {
  const numbers = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const over = ([r, g, b, alpha = 1], [r2, g2, b2]) =>
    [[r, r2], [g, g2], [b, b2]].map(([top, below]) => top * alpha + below * (1 - alpha));
  const behind = (element) => {
    if (element === null) return [255, 255, 255];
    const color = numbers(getComputedStyle(element).backgroundColor);
    return (color[3] ?? 1) === 1 ? color : over(color, behind(element.parentElement));
  };
  const luminance = (color) => {
    const [r, g, b] = color.map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  const texts = [];
  let inView = "";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = node.data.trim();
    if (text === "") continue;
    const ground = behind(node.parentElement);
    const ink = over(numbers(getComputedStyle(node.parentElement).color), ground);
    texts.push({ text, contrast: contrast(ink, ground) });
    const range = document.createRange();
    range.selectNodeContents(node);
    const { top, left, right, bottom } = range.getBoundingClientRect();
    if (top >= 0 && left >= 0 && right <= innerWidth && bottom <= innerHeight) inView += text + " ";
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  return { overflow: scrollWidth - clientWidth, texts, inView };
})()`;

/** Holds a page of ours to what every page of ours owes, and leaves a picture of it. */
async function judge(tab: Tab, issuer: string, look: Look, name: string): Promise<Measured> {
  const { page, complaints, requests } = tab;
  const where = `${name} at ${look.width} pixels, ${look.colorScheme}`;
  if (PICTURES !== undefined) {
    await Deno.mkdir(PICTURES, { recursive: true });
    await page.screenshot({ path: `${PICTURES}/${name}-${look.width}-${look.colorScheme}.png` });
  }
  const measured: Measured = await page.evaluate(MEASURE);
  assert.ok(measured.overflow <= 0, `${where} scrolls sideways by ${measured.overflow} pixels`);
  assert.ok(measured.texts.length >= 5, `${where} has almost no text`);
  for (const { text, contrast } of measured.texts) {
    assert.ok(contrast >= 4.5, `${where}: the contrast of "${text}" is ${contrast.toFixed(2)}`);
  }
  // The test issuer's own pages lack an icon; and Chromium says of the failure page what its status is.
  const status = /^Failed to load resource: the server responded with a status of 400/;
  const ours = complaints.filter(({ at, text }) =>
    !at.startsWith(issuer) && !(name !== "success" && at === page.url() && status.test(text))
  );
  assert.deepEqual(ours, [], where);
  const origins = [issuer, new URL(page.url()).origin];
  const foreign = requests.filter((url) =>
    !url.startsWith("data:") && !origins.includes(new URL(url).origin)
  );
  assert.deepEqual(foreign, [], where);
  assert.ok(requests.length >= 3, "the browser's requests were not seen");
  return measured;
}

const NAME = { name: "ada@example.com", press: `button[value="ada@example.com"]` } as const;
const CANCEL = `button[name="cancel"]`;

Deno.test({
  name: "Chromium signs in from the address that login printed, and shows who signed in and what comes next",
  ignore: CHROMIUM === undefined,
  async fn() {
    await withBrowser(async (world, browser) => {
      for (const look of LOOKS) {
        const tab = await openTab(browser, look);
        const login = world.startLogin();
        await tab.page.goto(await login.address);
        await tab.page.click(NAME.press);
        await tab.page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/datumctl\/auth\/callback\?/);
        const { code, stdout, stderr } = await login.finished;
        assert.equal(code, 0, stderr);
        assert.match(stdout, /^Signed in as ada@example\.com at /);
        const { inView } = await judge(tab, world.cloud.issuer, look, "success");
        assert.match(inView, /You are signed in.*You can close this tab and go back to your terminal/);
        assert.match(inView, /ada@example\.com/);
        assert.match(inView, new RegExp(world.cloud.apiHost));
        assert.match(inView, /datumctl auth update-kubeconfig --project PROJECT_ID/);
        await tab.page.context().close();
      }
      const sessions = JSON.parse(await world.ok(["auth", "list", "-o", "json"]));
      assert.equal(sessions.length, 1, "the same person at the same server is one session");
    });
  },
});

/** A Chromium as somebody's `--browser-command` starts it, once it has come up; dispose of it. */
async function chromiumOf(folder: string): Promise<Browser & AsyncDisposable> {
  for (;;) {
    const text = await Deno.readTextFile(`${folder}/DevToolsActivePort`).catch(() => "");
    const [port] = text.split("\n");
    if (port !== undefined && text.includes("\n")) {
      const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
      return Object.assign(browser, {
        async [Symbol.asyncDispose]() {
          const session = await browser.newBrowserCDPSession();
          await session.send("Browser.close").catch(() => {});
          // It writes into its folder to the last.
          while ((await processList()).includes(folder)) {
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        },
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The command lines of all processes of this machine, as everybody here can read them. */
async function processList(): Promise<string> {
  let text = "";
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name)) text += await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "") + "\n";
  }
  return text;
}

Deno.test({
  name: "Chromium as --browser-command is led to the issuer once, with no secret in the process list",
  ignore: CHROMIUM === undefined || Deno.build.os !== "linux",
  async fn() {
    await using world = await openWorld();
    assert.ok(world !== undefined);
    const folder = `${world.temporary}/chromium`;
    const flags = [
      ...ARGS,
      "--ignore-certificate-errors",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
    ];
    let shown = "";
    const login = world.startLogin(["--browser-command", `${CHROMIUM} ${flags.join(" ")} %s`], {
      onStderr: (soFar) => shown = soFar,
    });
    const issuers = new URL(await login.address);
    await using browser = await chromiumOf(folder);
    const list = await processList();
    const [oneTime = ""] = /http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}/.exec(list) ?? [];
    assert.notEqual(oneTime, "", "the browser's own command line has it");
    for (const name of ["state", "nonce", "code_challenge"]) {
      const secret = issuers.searchParams.get(name) ?? assert.fail(name);
      assert.ok(!list.includes(secret), name);
    }
    const [context] = browser.contexts();
    const page = context?.pages()[0] ?? await context?.waitForEvent("page") ?? assert.fail("no page");
    await page.waitForURL((url) => url.origin === issuers.origin);

    const look = LOOKS[0] ?? assert.fail();
    const late = await context?.newPage() ?? assert.fail("no tab");
    await late.setViewportSize(look);
    const answer = await late.goto(oneTime);
    assert.equal(answer?.status(), 410);
    const { inView, overflow, texts } = await late.evaluate(MEASURE) as Measured;
    assert.match(
      inView,
      /This address was opened before.*another program on this machine did.*Go back to your terminal/,
    );
    assert.ok(overflow <= 0 && texts.every(({ contrast }) => contrast >= 4.5));
    assert.equal(shown.match(/^warning: The address that the browser was started with/gm)?.length, 1, shown);

    // A tab behind another one is not painted, and what is waited for there never shows.
    await late.close();
    await page.bringToFront();
    await page.click(NAME.press);
    await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/datumctl\/auth\/callback\?/);
    assert.match(await page.content(), /You are signed in/);
    const { code, stdout, stderr } = await login.finished;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Signed in as ada@example\.com at /);
  },
});

Deno.test({
  name: "a declined sign-in and a forged ID token show their reason and the next step",
  ignore: CHROMIUM === undefined,
  async fn() {
    await withBrowser(async (world, browser) => {
      const cases = [
        { name: "declined", forgery: undefined, press: CANCEL, words: /declined.*ACCESS_DENIED/s },
        { name: "forged", forgery: "nonce", press: NAME.press, words: /nonce.*INVALID_TOKEN/s },
      ] as const;
      for (const { name, forgery, press, words } of cases) {
        for (const look of LOOKS) {
          await world.cloud.setFaults(forgery === undefined ? {} : { forgery });
          const tab = await openTab(browser, look);
          const login = world.startLogin();
          await tab.page.goto(await login.address);
          await tab.page.click(press);
          await tab.page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/datumctl\/auth\/callback\?/);
          assert.equal((await login.finished).code, 1);
          const { inView } = await judge(tab, world.cloud.issuer, look, name);
          assert.match(inView, words);
          assert.match(inView, /What to do/);
          assert.match(inView, /Nothing was stored/);
          assert.doesNotMatch(await tab.page.content(), /signed in as|you are signed in/i);
          await tab.page.context().close();
        }
      }
      assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n");
    });
  },
});

Deno.test({
  name: "a device code is approved in Chromium, typed by hand at the address without it",
  ignore: CHROMIUM === undefined,
  async fn() {
    await withBrowser(async (world, browser) => {
      const shown = Promise.withResolvers<{ readonly address: string; readonly code: string }>();
      const login = world.startLogin(["--no-browser"], {
        onStderr(soFar) {
          const [, address, code] = /open:\s+(https:\S+)\s+and enter the code:\s+(\S+)\s/.exec(soFar) ?? [];
          if (address !== undefined && code !== undefined) shown.resolve({ address, code });
        },
      });
      const { address, code } = await shown.promise;
      assert.doesNotMatch(address, /\?/);
      const { page } = await openTab(browser, { width: 360, height: 640, colorScheme: "light" });
      await page.goto(address);
      await page.locator("input[name=user_code][type=text]").pressSequentially(code.toLowerCase());
      await page.click("button");
      await page.click("button[name=confirm]");
      await page.click(NAME.press);
      await page.getByText("Your device is connected").waitFor();
      const finished = await login.finished;
      assert.equal(finished.code, 0, finished.stderr);
      assert.match(finished.stdout, /^Signed in as ada@example\.com at /);
    });
  },
});

/** Proves in a real Chromium that no page of the site is wider than the screen, and that all of it can be read. */

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { buildSite } from "../../scripts/site.ts";
import { PAGES } from "../../scripts/site/pages.ts";
import { findProgram } from "../../src/system/processes.ts";
import { scratchFolder } from "../scratch.ts";

const CHROMIUM = findProgram("chromium", Deno.env.get("PATH"));

/** Where the pictures of the pages are left for somebody to look at; nowhere unless it is set. */
const PICTURES = Deno.env.get("DATUMCTL_TEST_PICTURES");

/** What a page looks like in the browser. */
interface Look {
  /** How many pixels it is wider than the screen. */
  readonly overhang: number;
  /** The contrast of each text that was looked at with what is behind it (WCAG 2.2, 1.4.3). */
  readonly contrasts: readonly number[];
}

// Runs in the page.
const LOOK = `(() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map((part) => {
      const x = part / 255;
      return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!/, 0\\)$/.test(backgroundColor)) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const contrasts = [...document.querySelectorAll("p, a, code, th, td, h1, h2, li")].map((element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
  return { overhang: document.documentElement.scrollWidth - innerWidth, contrasts };
})()`;

Deno.test({
  name: "every page of the site fits a telephone and a desk, light and dark, without a script",
  ignore: CHROMIUM === undefined,
  async fn() {
    await using folder = await scratchFolder();
    await buildSite(`${folder.path}/site`);
    const browser = await chromium.launch({
      executablePath: CHROMIUM ?? "",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
    });
    try {
      for (const width of [360, 1280]) {
        for (const colorScheme of ["light", "dark"] as const) {
          const context = await browser.newContext({
            viewport: { width, height: 900 },
            colorScheme,
            javaScriptEnabled: true,
          });
          const page = await context.newPage();
          for (const { file } of PAGES) {
            await page.goto(`file://${folder.path}/site/${file}`);
            const { overhang, contrasts } = await page.evaluate<Look>(LOOK);
            const where = `${file} at ${width}, ${colorScheme}`;
            assert.ok(overhang <= 0, `${where} is ${overhang} px too wide`);
            assert.ok(
              contrasts.length > 20 && Math.min(...contrasts) >= 4.5,
              `${where}: ${Math.min(...contrasts)}`,
            );
            assert.equal(await page.locator("nav a:visible").count() > 0, width > 800, where);
            assert.equal(await page.locator(".menu summary:visible").count(), width > 800 ? 0 : 1, where);
            if (PICTURES !== undefined) {
              await page.screenshot({ path: `${PICTURES}/site-${file}-${width}-${colorScheme}.png` });
            }
          }
          await context.close();
        }
      }
    } finally {
      await browser.close();
    }
  },
});

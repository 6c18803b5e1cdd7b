/** Proves that the pages are closed to everything foreign, escaped, readable in both schemes, and complete. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { failurePage, strayPage, successPage } from "../../src/oauth/result-page.ts";

const NASTY = `"><script src=//evil.example></script><img onerror='x'>&amp;\u202e\u001b[31m`;

const PAGES: [string, () => Promise<Response>][] = [
  ["success", () => successPage({ who: NASTY, where: NASTY, next: NASTY })],
  ["failure", () => failurePage(new AppError("ISSUER_ERROR", NASTY, { hint: NASTY }))],
  ["stray", () => strayPage(400)],
];

for (const [name, make] of PAGES) {
  Deno.test(`the ${name} page forbids everything but its own style, which has the hash that the policy names`, async () => {
    const response = await make();
    const html = await response.text();
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? "";
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style)));
    assert.equal(
      response.headers.get("content-security-policy"),
      `default-src 'none'; style-src 'sha256-${btoa(String.fromCharCode(...digest))}'; img-src data:; ` +
        `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("referrer-policy"), "no-referrer");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  });

  Deno.test(`the ${name} page holds no script, no foreign resource, no inline style and no raw text of an issuer`, async () => {
    const html = await (await make()).text();
    assert.doesNotMatch(html, /<script|<img|\son\w+=['"]|\sstyle=|\u202e/);
    assert.ok(!html.includes("\u001b"));
    assert.deepEqual([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url), ["data:,"]);
    assert.doesNotMatch(html, /url\(|@import/);
  });

  Deno.test(`the ${name} page has a language, a title, one heading of the first order and its landmarks`, async () => {
    const html = await (await make()).text();
    assert.match(html, /^<!doctype html>\n<html lang="en">/);
    assert.match(html, /<title>[^<]+<\/title>/);
    for (const tag of ["header", "main", "footer", "h1"]) assert.equal(html.split(`<${tag}`).length, 2);
    assert.match(html, /name="viewport" content="width=device-width, initial-scale=1"/);
  });
}

Deno.test("the success page says who, where, and what to type next", async () => {
  const html =
    await (await successPage({ who: "ada@example.com", where: "api.datum.net", next: "datumctl ctx" }))
      .text();
  const text = html.replace(/<[^>]+>/g, "");
  for (
    const words of [
      "ada@example.com",
      "api.datum.net",
      "datumctl ctx",
      "You can close this tab and go back to your terminal",
    ]
  ) {
    assert.ok(text.includes(words), words);
  }
});

Deno.test("a 405 names the method that is allowed", async () => {
  assert.equal((await strayPage(405)).headers.get("allow"), "GET");
});

Deno.test("every pair of ink and ground has a contrast of at least 4.5:1, light and dark", async () => {
  const html = await (await strayPage(404)).text();
  const schemes = [...html.matchAll(/--ground[\s\S]*?--bad-wash: #\w{6}/g)].map(([block]) =>
    Object.fromEntries([...block.matchAll(/--([\w-]+): (#\w{6})/g)].map(([, name, colour]) => [name, colour]))
  );
  assert.equal(schemes.length, 2);
  const channel = (value: number) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = (colour = "") =>
    [1, 3, 5].map((at) => channel(parseInt(colour.slice(at, at + 2), 16) / 255))
      .reduce((sum, value, index) => sum + value * ([0.2126, 0.7152, 0.0722][index] ?? 0), 0);
  for (const scheme of schemes) {
    for (
      const [ink, ground] of [
        ["ink", "ground"],
        ["ink", "card"],
        ["ink", "well"],
        ["soft", "card"],
        ["soft", "ground"],
        ["good", "good-wash"],
        ["bad", "bad-wash"],
      ] as const
    ) {
      const [light = 0, dark = 0] = [luminance(scheme[ink]), luminance(scheme[ground])].sort((a, b) => b - a);
      const contrast = (light + 0.05) / (dark + 0.05);
      assert.ok(contrast >= 4.5, `${ink} on ${ground}: ${contrast.toFixed(2)}`);
    }
  }
});

/** The pages that a browser shows at the end of a sign-in: who signed in, or what failed and what to do. */

import { sha256 } from "../encoding.ts";
import type { AppError } from "../errors.ts";
import { printable } from "../text.ts";

/** The texts of the success page. They may come from an issuer and are escaped. */
export interface SignedInLabels {
  /** E-mail or name of the person. */
  readonly who: string;
  /** The host they signed in to. */
  readonly where: string;
  /** The next command that fits, for typing in the terminal. */
  readonly next?: string | undefined;
}

/** The page after a verified sign-in. */
export function successPage({ who, where, next }: SignedInLabels): Promise<Response> {
  return page(200, "Signed in", "good", [
    `<h1>You are signed in</h1>`,
    `<p class="lead">You can close this tab and go back to your terminal.</p>`,
    `<dl>`,
    `<div><dt>Signed in as</dt><dd>${escapeHtml(who)}</dd></div>`,
    `<div><dt>Server</dt><dd>${escapeHtml(where)}</dd></div>`,
    `</dl>`,
    ...(next === undefined ? [] : [
      `<section aria-labelledby="next"><h2 id="next">Next, in your terminal</h2>`,
      `<pre><code>${breakable(next)}</code></pre></section>`,
    ]),
  ]);
}

/** The page after a sign-in that failed; nothing was stored. */
export function failurePage(error: AppError): Promise<Response> {
  return page(400, "Sign-in failed", "bad", [
    `<h1>The sign-in did not work</h1>`,
    `<p class="lead">${escapeHtml(error.message)}</p>`,
    ...(error.hint === undefined ? [] : [
      `<section aria-labelledby="next"><h2 id="next">What to do</h2><p>${
        escapeHtml(error.hint)
      }</p></section>`,
    ]),
    `<p class="note">Nothing was stored. Your terminal says the same; you can close this tab.</p>`,
    `<p class="note">Code: <code>${error.code}</code></p>`,
  ]);
}

const STRAY = {
  400: [
    "This is not the sign-in that is under way",
    "The address does not belong to the sign-in that your terminal waits for.",
  ],
  404: ["Nothing is here", "This address only receives the end of a sign-in."],
  405: ["This cannot be sent here", "This address only receives the end of a sign-in."],
  409: ["This sign-in is over", "Its answer arrived before. Your terminal says how it went."],
  410: [
    "This address was opened before",
    "It leads to the sign-in once. If you did not open it before, another program on this machine did.",
  ],
  421: ["Wrong host", "This address only receives the end of a sign-in, under its own name."],
} as const;

/** The page for a request that is not the expected answer, or comes too late; it says nothing about the sign-in. */
export function strayPage(status: keyof typeof STRAY): Promise<Response> {
  const [title, lead] = STRAY[status];
  return page(status, title, "bad", [
    `<h1>${title}</h1>`,
    `<p class="lead">${lead}</p>`,
    `<p class="note">Go back to your terminal; it shows the address to open.</p>`,
  ], status === 405 ? { allow: "GET" } : {});
}

const MARKS = {
  good: `<path d="M14.5 24.5l6.5 6.5 13-14"/>`,
  bad: `<path d="M24 14v13M24 33.5v.5"/>`,
} as const;

async function page(
  status: number,
  title: string,
  mark: keyof typeof MARKS,
  main: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const html = [
    `<!doctype html>`,
    `<html lang="en">`,
    `<head>`,
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="color-scheme" content="light dark">`,
    `<title>${title} · datumctl</title>`,
    `<link rel="icon" href="data:,">`,
    `<style>${STYLE}</style>`,
    `</head>`,
    `<body>`,
    `<header><span class="prompt" aria-hidden="true">&gt;_</span> datumctl</header>`,
    `<main class="${mark}">`,
    `<svg class="mark" viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="22"/>${
      MARKS[mark]
    }</svg>`,
    ...main,
    `</main>`,
    `<footer>This page was served by datumctl on your own machine.</footer>`,
    `</body>`,
    `</html>`,
    ``,
  ].join("\n");
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": await contentSecurityPolicy(),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cross-origin-opener-policy": "same-origin",
      ...more,
    },
  });
}

/** Nothing may load or run except the one style, identified by its hash, and the empty icon. */
async function contentSecurityPolicy(): Promise<string> {
  const digest = await sha256(STYLE);
  const hash = btoa(String.fromCharCode(...digest));
  return [
    `default-src 'none'`,
    `style-src 'sha256-${hash}'`,
    `img-src data:`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join("; ");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return printable(text, 1000).replace(/[&<>"']/g, (char) => ESCAPES[char] ?? "");
}

/** A command that breaks between its words, not at its hyphens, and is still copied as one line. */
function breakable(command: string): string {
  return command.split(" ").map((word) => `<span>${escapeHtml(word)}</span>`).join(" ");
}

const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f8; --card: #ffffff; --line: #d9dde5; --ink: #171b26; --soft: #545c6e;
  --well: #f1f3f7; --good: #0b7a4b; --good-wash: #e2f5ec; --bad: #b3261e; --bad-wash: #fdeae8;
  --shadow: 0 1px 2px rgb(23 27 38 / 6%), 0 12px 32px rgb(23 27 38 / 8%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1219; --card: #181c26; --line: #2d3444; --ink: #eef0f5; --soft: #a5adbd;
    --well: #10141c; --good: #4fd69c; --good-wash: #12342a; --bad: #ff9b92; --bad-wash: #3d1d1d;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 16px 40px rgb(0 0 0 / 35%);
  }
}
* { box-sizing: border-box; margin: 0; }
html { height: 100%; }
body {
  min-height: 100%; display: flex; flex-direction: column; align-items: center; gap: 1.5rem;
  padding: clamp(1rem, 4vw, 2rem); background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
header { align-self: stretch; font-weight: 650; letter-spacing: -0.01em; }
.prompt {
  display: inline-block; margin-right: 0.4rem; padding: 0.1rem 0.4rem; border-radius: 0.4rem;
  background: var(--ink); color: var(--ground); font: 700 0.8rem/1.5 ui-monospace, Menlo, Consolas, monospace;
}
main {
  width: 100%; max-width: 38rem; margin-block: auto; padding: clamp(1.5rem, 6vw, 2.75rem);
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem; box-shadow: var(--shadow);
  overflow-wrap: anywhere;
}
.mark { width: 3.25rem; height: 3.25rem; display: block; margin-bottom: 1.25rem; }
.mark circle { stroke: none; }
.mark path { fill: none; stroke-width: 3.5; stroke-linecap: round; stroke-linejoin: round; }
.good .mark circle { fill: var(--good-wash); } .good .mark path { stroke: var(--good); }
.bad .mark circle { fill: var(--bad-wash); } .bad .mark path { stroke: var(--bad); }
h1 { font-size: clamp(1.5rem, 1.2rem + 1.6vw, 1.9rem); line-height: 1.2; letter-spacing: -0.02em; text-wrap: balance; }
.lead { margin-top: 0.6rem; font-size: 1.075rem; color: var(--soft); }
.bad .lead { color: var(--ink); }
dl { margin-top: 1.75rem; border-top: 1px solid var(--line); }
dl div { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 0.1rem 1rem; padding: 0.8rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); }
dd { font-weight: 600; }
section { margin-top: 1.75rem; }
h2 { font-size: 0.95rem; font-weight: 600; color: var(--soft); }
section p { margin-top: 0.4rem; }
pre {
  margin-top: 0.6rem; padding: 0.8rem 1rem; background: var(--well); border: 1px solid var(--line);
  border-radius: 0.6rem; white-space: pre-wrap;
}
code { font: 0.925rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
pre span { display: inline-block; max-width: 100%; }
.note { margin-top: 1.25rem; font-size: 0.925rem; color: var(--soft); }
.note + .note { margin-top: 0.35rem; }
footer { font-size: 0.875rem; color: var(--soft); text-align: center; }
@media (max-width: 30rem) { dl div { grid-template-columns: minmax(0, 1fr); } }
`;

/** The issuer's pages: plain forms that work in a browser without script and for the walker in browser.ts. */

import type { User } from "./users.ts";

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f4f4f2; color: #1c1c1a; }
  main { max-width: 22rem; margin: 12vh auto; padding: 1.5rem; background: #fff; border-radius: .75rem; }
  h1 { font-size: 1.25rem; margin: 0 0 1rem; }
  button, input { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem .8rem; margin: .25rem 0;
    border: 1px solid #c8c8c4; border-radius: .5rem; background: #fff; text-align: left; }
  button { cursor: pointer; }
  button:hover, button:focus { border-color: #1c1c1a; }
  input { text-transform: uppercase; letter-spacing: .1em; }
  small { color: #6a6a66; }
`;

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
<main>
<h1>${escape(title)}</h1>
${content}
</main>
</html>
`;
}

/** Where the person says who they are; `hint` comes first. */
export function choosePage(action: string, users: readonly User[], hint: string | undefined): string {
  const ordered = users.toSorted((a, b) => Number(b.email === hint) - Number(a.email === hint));
  const buttons = ordered.map((user) =>
    `<button name="user" value="${escape(user.email)}">${escape(user.name)}<br><small>${
      escape(user.email)
    }</small></button>`
  );
  return page(
    "Who is signing in?",
    `<form method="post" action="${escape(action)}">
${buttons.join("\n")}
<button name="cancel" value="yes">Cancel</button>
</form>`,
  );
}

/** Where the code shown by a device is typed in. */
export function deviceCodePage(
  action: string,
  xsrf: string,
  code: string,
  problem: string | undefined,
): string {
  return page(
    "Connect a device",
    `${problem === undefined ? "" : `<p role="alert">${escape(problem)}</p>`}
<form method="post" action="${escape(action)}">
<input type="hidden" name="xsrf" value="${escape(xsrf)}">
<input type="text" name="user_code" value="${escape(code)}" aria-label="Code" autocomplete="off">
<button>Continue</button>
</form>`,
  );
}

/** Where the person confirms that the code is the one their device shows. */
export function deviceConfirmPage(action: string, xsrf: string, code: string): string {
  return page(
    "Does your device show this code?",
    `<p><strong>${escape(code)}</strong></p>
<form method="post" action="${escape(action)}">
<input type="hidden" name="xsrf" value="${escape(xsrf)}">
<input type="hidden" name="user_code" value="${escape(code)}">
<button name="confirm" value="yes">Yes, continue</button>
<button name="abort" value="yes">Cancel</button>
</form>`,
  );
}

/** A page that says something and asks nothing. */
export function messagePage(title: string, text: string): string {
  return page(title, `<p>${escape(text)}</p>`);
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The walk of a browser through the issuer's pages, by fetch alone: for tests that need no Chromium. */

/** How far a walk may go before it is called a loop. */
const MOST_HOPS = 20;

/** What the walker must know of the cloud. */
export interface Walked {
  readonly caPem: string;
}

/** What the person does. */
export interface Walk {
  /** Cancels instead of choosing a user. */
  readonly cancel?: boolean;
  readonly signal?: AbortSignal;
  /** The browser's cookies, kept from walk to walk when the same array is given again. */
  readonly cookies?: Cookie[];
}

/**
 * Opens the authorization URL, chooses the user and follows the redirect back to the client's loopback address,
 * as a browser does. Returns that address's answer; throws with the page's words when the issuer shows an error.
 */
export async function signInByHttp(
  cloud: Walked,
  authorizationUrl: string,
  email: string,
  options: Walk = {},
): Promise<Response> {
  return (await walk(cloud, authorizationUrl, email, options)).response;
}

/**
 * Opens the device page with the code, confirms it and chooses the user. Throws with the page's words when the
 * device was not connected.
 */
export async function approveDeviceByHttp(
  cloud: Walked,
  verificationUriComplete: string,
  email: string,
  options: Walk = {},
): Promise<void> {
  const { text } = await walk(cloud, verificationUriComplete, email, options);
  if (!options.cancel && !text.includes("Your device is connected")) {
    throw new Error(`The issuer says: ${words(text)}`);
  }
}

/** As {@link signInByHttp}, but returns the redirect to the client without following it. */
export async function authorizeByHttp(
  cloud: Walked,
  authorizationUrl: string,
  email: string,
  options: Walk = {},
): Promise<URL> {
  const { redirect } = await walk(cloud, authorizationUrl, email, options, false);
  if (redirect === undefined) throw new Error("The issuer did not redirect to the client.");
  return redirect;
}

/** The issuer's address that a browser comes to which was started with the one-time address of a sign-in. */
export async function leadsTo(oneTimeAddress: string): Promise<string> {
  const answer = await fetch(oneTimeAddress, { redirect: "manual" });
  await answer.body?.cancel();
  const location = answer.headers.get("location");
  if (answer.status !== 302 || location === null) {
    throw new Error(`It leads nowhere: status ${answer.status}`);
  }
  return location;
}

interface Arrival {
  readonly response: Response;
  readonly text: string;
  readonly redirect: URL | undefined;
}

async function walk(
  { caPem }: Walked,
  start: string,
  email: string,
  { cancel = false, signal, cookies = [] }: Walk,
  follow = true,
): Promise<Arrival> {
  using client = Deno.createHttpClient({ caCerts: [caPem] });
  const issuer = new URL(start).origin;
  let url = new URL(start);
  let form: URLSearchParams | undefined;

  for (let hop = 0; hop < MOST_HOPS; hop++) {
    if (url.origin !== issuer) {
      if (!follow) return { response: new Response(), text: "", redirect: url };
      const arrived = await fetch(url, { client, redirect: "manual", signal: signal ?? null });
      const text = await arrived.text();
      const body = arrived.status === 204 ? null : text;
      return {
        response: new Response(body, { status: arrived.status, headers: arrived.headers }),
        text,
        redirect: url,
      };
    }
    const response = await fetch(url, {
      client,
      redirect: "manual",
      signal: signal ?? null,
      method: form === undefined ? "GET" : "POST",
      headers: { accept: "text/html", cookie: cookieHeader(cookies, url) },
      body: form ?? null,
    });
    const text = await response.text();
    for (const line of response.headers.getSetCookie()) keepCookie(cookies, line, url);
    const location = response.headers.get("location");
    if (location !== null) {
      url = new URL(location, url);
      form = undefined;
      continue;
    }
    const next = fillIn(text, email, cancel);
    if (next === undefined || response.status >= 400) {
      if (response.status >= 400) throw new Error(`The issuer says: ${words(text)}`);
      return { response: new Response(text, { status: response.status }), text, redirect: undefined };
    }
    // A device page that shows its own form again has refused the code, or ended what was cancelled.
    if (/role="alert"/.test(text)) {
      if (cancel) return { response: new Response(text), text, redirect: undefined };
      throw new Error(`The issuer says: ${words(text)}`);
    }
    url = new URL(next.action, url);
    form = next.form;
  }
  throw new Error(`The sign-in did not end after ${MOST_HOPS} pages.`);
}

/** The page's form as this person fills it in; nothing when there is none. */
function fillIn(
  html: string,
  email: string,
  cancel: boolean,
): { readonly action: string; readonly form: URLSearchParams } | undefined {
  const opening = /<form [^>]*\bmethod="post"[^>]*>/.exec(html)?.[0];
  if (opening === undefined) return undefined;
  const form = new URLSearchParams();
  for (const [tag] of html.matchAll(/<input [^>]*>/g)) {
    // The stock pages of oidc-provider ask for any name and any password.
    const typed = ({ login: email, password: "any" } as Record<string, string>)[attribute(tag, "name")];
    form.set(attribute(tag, "name"), typed ?? attribute(tag, "value"));
  }
  const buttons = [...html.matchAll(/<button [^>]*>/g)].map(([tag]) => tag);
  const wanted = buttons.find((tag) =>
    cancel
      ? /name="(cancel|abort)"/.test(tag)
      : attribute(tag, "value") === email || attribute(tag, "name") === "confirm"
  );
  if (wanted === undefined && buttons.some((tag) => /\bname="/.test(tag))) {
    throw new Error(`The page has no button for ${email}.`);
  }
  if (wanted !== undefined) form.set(attribute(wanted, "name"), attribute(wanted, "value"));
  return { action: attribute(opening, "action"), form };
}

function attribute(tag: string, name: string): string {
  return unescape(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
}

function unescape(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))).replaceAll("&amp;", "&");
}

function words(html: string): string {
  return unescape(html.replace(/<style>[^]*?<\/style>|<title>[^]*?<\/title>|<[^>]*>/g, " ")).replace(
    /\s+/g,
    " ",
  ).trim();
}

/** One cookie, as far as the issuer's are. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

function keepCookie(cookies: Cookie[], line: string, url: URL): void {
  const [pair = "", ...attributes] = line.split(/;\s*/);
  const cut = pair.indexOf("=");
  const path = attributes.find((word) => /^path=/i.test(word))?.slice(5) ?? url.pathname;
  const cookie = { name: pair.slice(0, cut), value: pair.slice(cut + 1), path };
  const old = cookies.findIndex((kept) => kept.name === cookie.name && kept.path === cookie.path);
  if (old >= 0) cookies.splice(old, 1);
  if (cookie.value !== "") cookies.push(cookie);
}

function cookieHeader(cookies: readonly Cookie[], url: URL): string {
  return cookies.filter(({ path }) => url.pathname.startsWith(path)).map(({ name, value }) =>
    `${name}=${value}`
  )
    .join("; ");
}

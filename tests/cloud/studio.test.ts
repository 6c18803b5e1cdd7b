/** Proves the Studio of the tests: it refuses what a real one would, and a person can use its pages. */

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { findProgram } from "../../src/system/processes.ts";
import { openNetwork } from "../../src/system/network.ts";
import { approveDeviceByHttp } from "./browser.ts";
import { startStudio, type Studio, type StudioOptions } from "./studio.ts";

const CHROMIUM = findProgram("chromium", Deno.env.get("PATH"));
// deno-lint-ignore no-console -- a skipped test says so
if (CHROMIUM === undefined) console.error("skipped: Studio's page in a browser, without chromium");

type Ask = (path: string, body?: unknown, headers?: Record<string, string>) => Promise<{
  readonly status: number;
  readonly json: Record<string, unknown>;
}>;

function inStudio(
  name: string,
  test: (studio: Studio, ask: Ask) => Promise<void>,
  options: StudioOptions = {},
) {
  Deno.test(name, async () => {
    await using studio = await startStudio(options);
    using network = openNetwork(studio.caPem);
    await test(studio, async (path, body, headers = {}) => {
      const response = await network.fetch(path.startsWith("/") ? `${studio.url}${path}` : path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      return { status: response.status, json: await response.json() };
    });
  });
}

const REFUSED: readonly [string, unknown, number, RegExp][] = [
  ["text that is not JSON", "{", 400, /JSON/],
  ["a list", [], 400, /object/],
  ["no client_name", {}, 400, /client_name/],
  ["a scope that there is not", { client_name: "x", scopes: ["DATASETS", "ROOT"] }, 400, /ROOT/],
  ["scopes as a text", { client_name: "x", scopes: "DATASETS" }, 400, /scopes/],
  ["a team that there is not", { client_name: "x", team_names: ["nobody"] }, 400, /nobody/],
  ["no days", { client_name: "x", expires_in_days: 0 }, 400, /expires_in_days/],
  ["days as a text", { client_name: "x", expires_in_days: "90" }, 400, /expires_in_days/],
  ["a field that nobody knows", { client_name: "x", scope: "DATASETS" }, 400, /scope/],
];

inStudio("a login of a wrong shape is refused in words", async (studio, ask) => {
  for (const [name, body, status, words] of REFUSED) {
    const answer = await ask("/api/device-login", body);
    assert.equal(answer.status, status, name);
    assert.match(String(answer.json.detail), words, name);
  }
  const form = await ask("/api/device-login", "client_name=x", {
    "content-type": "application/x-www-form-urlencoded",
  });
  assert.equal(form.status, 415);
  assert.deepEqual(studio.waiting(), []);
  assert.equal((await ask("/api/elsewhere", {})).status, 404);
});

inStudio("a code is polled from pending to its one token, whose end a logout is", async (studio, ask) => {
  const login = await ask("/api/device-login", {
    client_name: "test",
    token_name: "mine",
    scopes: ["datasets"],
    team_names: ["ml-team"],
    expires_in_days: 2,
  });
  const { device_code, user_code, token_uri, verification_uri, token_name, expires_in } = login.json;
  assert.deepEqual([token_name, expires_in], ["mine", 900]);
  assert.match(String(user_code), /^[A-Z]{4}-[A-Z]{4}$/);
  assert.ok(String(verification_uri).startsWith(studio.url));
  assert.deepEqual(studio.waiting(), [user_code]);
  const poll = () => ask(String(token_uri), { code: device_code });
  assert.deepEqual(await poll(), { status: 400, json: { detail: "authorization_pending" } });

  studio.approve(String(user_code), "grace@example.com");
  const { status, json: { access_token: token } } = await poll();
  assert.equal(status, 200);
  assert.equal((await poll()).status, 400);
  const [kept] = studio.tokens();
  assert.ok(kept !== undefined && Math.abs(kept.expiresAt - Date.now() - 2 * 24 * 3600_000) < 60_000);
  assert.deepEqual({ ...kept, expiresAt: 0 }, {
    token,
    name: "mine",
    clientName: "test",
    scopes: ["datasets"],
    teams: ["ml-team"],
    expiresAt: 0,
    owner: "grace@example.com",
  });
  assert.deepEqual(studio.secrets().map(({ value }) => value), [device_code, token]);

  const logout = (authorization: string) => ask("/api/device-logout", undefined, { authorization });
  assert.equal((await logout(`Bearer ${token}`)).status, 401);
  assert.equal(studio.tokens().length, 1);
  assert.equal((await logout(`token ${token}`)).status, 200);
  assert.equal((await logout(`token ${token}`)).status, 401);
  assert.deepEqual(studio.tokens(), []);
});

inStudio(
  "a code that was declined or ran out says so, and cannot be answered any more",
  async (studio, ask) => {
    const begin = async () => (await ask("/api/device-login", { client_name: "test" })).json;
    const poll = async (device: Record<string, unknown>) =>
      (await ask(String(device.token_uri), { code: device.device_code })).json.detail;
    const [declined, late] = [await begin(), await begin()];
    studio.deny(String(declined.user_code));
    studio.expire(String(late.user_code));
    assert.equal(await poll(declined), "access_denied");
    assert.equal(await poll(late), "authorization_expired");
    assert.throws(() => studio.approve(String(late.user_code)), /run out/);
    assert.throws(() => studio.approve(String(declined.user_code)), /used/);
    await assert.rejects(
      approveDeviceByHttp(studio, `${late.verification_uri}?code=${late.user_code}`, "ada@example.com"),
      /run out/,
    );
  },
);

inStudio("every request is kept as it came, a failing one too", async (studio, ask) => {
  await studio.setFaults({ device_authorization: { status: 500, json: { detail: "on fire" }, times: 1 } });
  const body = { client_name: "test" };
  assert.deepEqual(await ask("/api/device-login", body), { status: 500, json: { detail: "on fire" } });
  assert.equal((await ask("/api/device-login", body)).status, 200);
  const [first] = studio.requests();
  assert.deepEqual([first?.method, first?.path, first?.body], ["POST", "/api/device-login", body]);
  assert.equal(first?.headers["content-type"], "application/json");
  assert.equal(studio.requests().length, 2);
  await studio.setFaults({ down: ["issuer"] });
  await assert.rejects(ask("/api/device-login", body), /refused|closed/);
  await studio.setFaults({});
  assert.equal((await ask("/api/device-login", body)).status, 200);
});

inStudio("a form without its own mark changes nothing", async (studio, ask) => {
  const { user_code } = (await ask("/api/device-login", { client_name: "test" })).json;
  using client = Deno.createHttpClient({ caCerts: [studio.caPem] });
  const send = (path: string, form: Record<string, string>, cookie = "") =>
    fetch(`${studio.url}${path}`, {
      client,
      method: "POST",
      redirect: "manual",
      headers: { cookie },
      body: new URLSearchParams(form),
    });
  const form = { user_code: String(user_code), confirm: "yes" };
  assert.match(await (await send("/auth/device-login", form)).text(), /Who is signing in/);
  const signedIn = await send("/auth/login", { user: "ada@example.com" });
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
  await signedIn.body?.cancel();
  const forged = await send("/auth/device-login", form, cookie);
  assert.equal(forged.status, 403);
  await forged.body?.cancel();
  assert.deepEqual(studio.waiting(), [user_code]);
});

for (const answer of ["confirm", "decline"] as const) {
  Deno.test({
    name: `in a browser a person mistypes the code, types it, and can ${answer}`,
    ignore: CHROMIUM === undefined,
    async fn() {
      await using studio = await startStudio();
      using network = openNetwork(studio.caPem);
      const login = await network.fetch(`${studio.url}/api/device-login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ client_name: "test" }),
      });
      const { user_code, verification_uri, token_uri, device_code } = await login.json();
      const browser = await chromium.launch({
        executablePath: CHROMIUM ?? "",
        args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      });
      try {
        const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
        await page.goto(verification_uri);
        await page.getByText("Ada Lovelace").click();
        await page.getByLabel("Code").fill("XXXX-YYYY");
        await page.getByRole("button", { name: "Continue" }).click();
        assert.match(await page.getByRole("alert").innerText(), /not known/);
        await page.getByLabel("Code").fill(user_code.toLowerCase().replace("-", ""));
        await page.getByRole("button", { name: "Continue" }).click();
        assert.equal(await page.locator("strong").innerText(), user_code);
        await page.getByRole("button", { name: answer === "confirm" ? "Yes, continue" : "Cancel" }).click();
        await page.getByRole("heading", { name: answer === "confirm" ? "connected" : "Declined" }).waitFor();
      } finally {
        await browser.close();
      }
      const poll = await network.fetch(token_uri, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ code: device_code }),
      });
      assert.equal(poll.status, answer === "confirm" ? 200 : 400);
      const { detail, access_token } = await poll.json();
      if (answer === "decline") assert.equal(detail, "access_denied");
      else assert.equal(studio.tokens()[0]?.token, access_token);
    },
  });
}

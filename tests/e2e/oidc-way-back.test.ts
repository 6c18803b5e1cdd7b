/** Proves how a sign-in to any issuer gets back: redirect URIs on localhost, device codes, a pasted address. */

import assert from "node:assert/strict";
import { approveDeviceByHttp, authorizeByHttp } from "../cloud/browser.ts";
import { startStockIssuer } from "../cloud/stock-issuer.ts";
import { printedAddress } from "../when-printed.ts";
import {
  ADA,
  bad,
  freePort,
  good,
  issuerFlags,
  native,
  OVER_SSH,
  testAtIssuer,
  walkAsAda,
} from "./issuer-stage.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { walkedLogin } from "./walked-login.ts";
import { openWorld, testInWorld } from "./world.ts";

Deno.test("a redirect URI on localhost is sent byte for byte, listened for on both families, and remembered", async (t) => {
  const port = freePort(8000);
  for (const uri of [`http://localhost:${port}`, `http://localhost:${port}/Some%2fwhere?tool=kube`]) {
    await t.step(uri, async () => {
      await using world = await openWorld();
      assert.ok(world !== undefined);
      // A web client's redirect URI is matched exactly, its port too.
      const client = native({ application_type: "web", redirect_uris: [uri] });
      await using issuer = await startStockIssuer({ clients: [client] });
      let strays: number[] = [];
      const run = (args: readonly string[]) =>
        walkedLogin(world, args, async (url) => {
          strays = await Promise.all(["127.0.0.1", "[::1]"].map(async (host) => {
            const response = await fetch(`http://${host}:${port}/`);
            await response.body?.cancel();
            return response.status;
          }));
          await walkAsAda(issuer, url);
        });
      good(await run([...issuerFlags(issuer), "--redirect-uri", uri]));
      // Asked under their own names both answer, and neither takes that for the sign-in.
      assert.deepEqual(strays.map((status) => status === 404 || status === 421), [true, true]);
      good(await run(["--profile", `${ADA}@${issuer.host}`]));
      assert.deepEqual(issuer.authorizations.map((asked) => asked.get("redirect_uri")), [uri, uri]);
    });
  }
});

testAtIssuer("a free port is put into a redirect URI without one, and a taken one is wrong usage", {
  clients: [native({ redirect_uris: ["http://localhost/back", "http://localhost:1/back"] })],
}, async ({ issuer, login }) => {
  good(await login(["--redirect-uri", "http://localhost/back"]));
  assert.match(issuer.authorizations[0]?.get("redirect_uri") ?? "", /^http:\/\/localhost:\d+\/back$/);
  using taken = Deno.listen({ hostname: "::1", port: 0 });
  const uri = `http://localhost:${taken.addr.port}/back`;
  bad(await login(["--redirect-uri", uri]), 2, /Port \d+ cannot be listened on/);
  bad(
    await login(["--redirect-uri", "http://localhost:9000/back", "--listen-port", "9001"]),
    2,
    /--listen-port 9001 contradicts the port 9000/,
  );
});

testInWorld("a device code: by itself over SSH, and from the endpoint that is named", async (world) => {
  const { cloud } = world;
  const run = (more: readonly string[], env: Record<string, string | undefined> = {}) =>
    walkedLogin(
      world,
      [
        "--issuer",
        cloud.issuer,
        "--client-id",
        cloud.clientId,
        "--certificate-authority",
        cloud.caFile,
        ...more,
      ],
      (url) => url.includes("user_code=") ? approveDeviceByHttp(cloud, url, ADA) : walkAsAda(cloud, url),
      { env },
    );
  bad(
    await run([], OVER_SSH),
    0,
    /Signing in with a device code, because this is an SSH session/,
    /enter the code/,
  );
  // The issuer does not say where; it is Zitadel's place, which only Datum is known to have.
  await cloud.setFaults({ discoveryAnswer: { device_authorization_endpoint: null } });
  bad(
    await run(["--no-browser"]),
    1,
    /offers no sign-in with a device code/,
    /--device-authorization-endpoint/,
  );
  const endpoint = `${cloud.issuer}/oauth/v2/device_authorization`;
  bad(await run(["--no-browser", "--device-authorization-endpoint", endpoint]), 0, /enter the code/);
  bad(await run(["--device-authorization-endpoint", "http://a.example/d"]), 2, /is not an https URL/);
});

testAtIssuer(
  "where the issuer refuses this client a device code that nobody asked for, the address is shown",
  {
    configuration: { features: { deviceFlow: { enabled: true } } },
  },
  async ({ login }) => {
    const finished = await login([], { env: OVER_SSH });
    bad(
      finished,
      0,
      /with a device code, because/,
      /Cannot ask for a device code: .* refused/,
      /No browser is opened here/,
    );
    bad(await login(["--no-browser"], { env: OVER_SSH }), 1, /Cannot ask for a device code/);
  },
);

testAtIssuer(
  "over SSH, where the issuer has no device code, the address is pasted back",
  {},
  async (stage) => {
    const { world, issuer, session } = stage;
    await using panes = openPanes(world);
    const pane = await panes.open([world.binary, "login", ...issuerFlags(issuer)], OVER_SSH);
    await pane.shows(/it is not shown/);
    const url = printedAddress(`${await pane.text()}\n`) ?? assert.fail("no address");
    assert.match(await pane.text(), /No browser is opened here, because this is an SSH session/);
    // The browser on the other machine ends at an address that it cannot open.
    const back = await authorizeByHttp(issuer, url, ADA);
    const paste = async (text: string) => {
      await pane.type(text);
      await pane.press("Enter");
    };
    await paste("hello");
    await pane.shows(/That is not an address/);
    const wrong = new URL(back);
    wrong.searchParams.set("state", "another");
    await paste(wrong.href);
    await pane.shows(/belongs to another sign-in/);
    await paste("http://127.0.0.1:1/callback?code=1");
    await pane.shows(/That is not the address that is needed/);
    await paste(back.href);
    assert.equal(await pane.ended(), 0);
    const shown = await pane.text();
    assert.match(shown, new RegExp(`Signed in as ${ADA} at`));
    assert.ok(!shown.includes(back.searchParams.get("code") ?? "code"), "what was pasted is not shown");

    // The listener stays open beside it: a forwarded port does as well. And Ctrl-C ends the wait.
    const other = await panes.open([world.binary, "login", "--profile", session], OVER_SSH);
    await other.shows(/it is not shown/);
    const again = printedAddress(`${await other.text()}\n`) ?? assert.fail("no address");
    await walkAsAda(issuer, again);
    assert.equal(await other.ended(), 0);
    const third = await panes.open([world.binary, "login", "--profile", session], OVER_SSH);
    await third.shows(/it is not shown/);
    await third.press("C-c");
    assert.equal(await third.ended(), 130);
  },
  !panesAtHand,
);

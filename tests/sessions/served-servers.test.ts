/** Proves which server a session's token may go to, and how the one that may not is refused. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { AppError } from "../../src/errors.ts";
import {
  acceptedBefore,
  askingServer,
  refuseOtherServer,
  servedServer,
} from "../../src/sessions/served-servers.ts";
import { originOf } from "../../src/sessions/server-origin.ts";
import type { Session } from "../../src/sessions/session.ts";
import { assertAppError } from "../expect-error.ts";
import { hostileText, RUNS } from "../fuzz.ts";
import { SESSION } from "./plain-session.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";
import { CLOUDFLEET } from "../../src/providers/cloudfleet/facts.ts";
import { CLOUDS } from "../clouds.ts";

const OIDCS: Session = {
  ...SESSION,
  provider: OIDC,
  name: "ada@example.com@id.example.com",
  apiHost: "id.example.com",
};
const TUNNEL = { origin: "https://tunnel.example.com" };
const WRONG = "WRONG_HOST";

/** The refusal of a cluster's fields; undefined where the token goes there. */
async function refusal(
  session: Session,
  fields: Record<string, unknown>,
  asked: Parameters<typeof refuseOtherServer>[3] = {},
): Promise<AppError | undefined> {
  try {
    await refuseOtherServer(CLOUDS, session, askingServer(fields), asked);
    return undefined;
  } catch (thrown) {
    assertAppError(thrown, { code: WRONG, exitCode: 4, retryable: false });
    return thrown;
  }
}

Deno.test("an address has one origin, or none where two programs could read two hosts", () => {
  const rows: readonly (readonly [address: string, origin: string | undefined])[] = [
    ["https://api.example.com", "https://api.example.com"],
    ["HTTPS://API.example.com:443/apis/x?y#z", "https://api.example.com"],
    ["https://api.example.com:8443/a\\b@c", "https://api.example.com:8443"],
    ["https://api.example.com?@other.example", "https://api.example.com"],
    ["api.example.com:6443", "https://api.example.com:6443"],
    ["localhost:8443/base", "https://localhost:8443"],
    ["http://127.0.0.1:80/", "http://127.0.0.1"],
    ["https://[::1]:6443", "https://[::1]:6443"],
    ["https://[0:0::1]:6443", "https://[::1]:6443"],
    ["https://under_score.example", "https://under_score.example"],
    ["https://api.example.com@other.example", undefined],
    ["https://api.example.com:443@other.example", undefined],
    ["https://api.example.com\\@other.example", undefined],
    ["https://api.example.com\\.other.example", undefined],
    ["https://api.example.com.", undefined],
    ["https://api.example.com%2eother.example", undefined],
    ["https://ap\u{131}.example.com", undefined],
    ["https://ⓐpi.example.com", undefined],
    ["https://2130706433", undefined],
    ["https://0x7f.1", undefined],
    ["https:api.example.com", undefined],
    ["https:///api.example.com", undefined],
    ["ftp://api.example.com", undefined],
    [" https://api.example.com", undefined],
    ["https://api.example.com\n.other.example", undefined],
    ["https://api.example.com:99999", undefined],
    ["", undefined],
  ];
  for (const [address, origin] of rows) assert.equal(originOf(address), origin, address);
});

Deno.test("no generated address has an origin whose host is not written in it", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "https://",
      "api.example.com",
      "@",
      "\\",
      "/",
      ":",
      ":443",
      "#",
      "?",
      "other.example",
      ".",
    ),
    hostileText,
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const address = parts.join("");
      const origin = originOf(address);
      if (origin === undefined) return;
      const { hostname } = new URL(origin);
      const [authority = ""] = address.toLowerCase().replace(/^https?:\/\//, "").split(/[/?#]/, 1);
      assert.ok(authority === hostname || authority.startsWith(`${hostname}:`) || hostname.startsWith("["));
    }),
    { numRuns: RUNS },
  );
});

Deno.test("a Datum's session serves its API host, and what was named for it", async () => {
  const own = { server: "https://api.example.com/apis/x/v1/projects/web/control-plane" };
  assert.equal(await refusal(SESSION, own), undefined);
  assert.equal(await refusal(SESSION, { server: "api.example.com" }), undefined);
  const tunnel = { server: "https://tunnel.example.com:443/apis" };
  const refused = await refusal(SESSION, tunnel);
  assert.equal(
    refused?.message,
    `The session "${SESSION.name}" serves api.example.com, but this kubeconfig leads to tunnel.example.com. ` +
      "No token goes there.",
  );
  assert.equal(
    refused.hint,
    "If you trust that server with this session, say so: datumctl auth update-kubeconfig " +
      `--server https://tunnel.example.com:443/apis --profile ${SESSION.name}`,
  );
  assert.equal(await refusal({ ...SESSION, servers: [TUNNEL] }, tunnel), undefined);
  assert.equal(await refusal({ ...SESSION, servers: [TUNNEL] }, own), undefined);
  for (
    const server of ["https://api.example.com:8443", "https://example.com", "https://sub.api.example.com"]
  ) {
    assert.ok(await refusal(SESSION, { server }), server);
  }
});

Deno.test("a control plane's path on another host is named with the project and that host", async () => {
  for (const api of ["miloapis.com/v1alpha1", "datumapis.com/v1alpha"]) {
    const server = `https://other.example:8443/apis/resourcemanager.${api}/projects/web/control-plane`;
    assert.match(
      (await refusal(SESSION, { server }))?.hint ?? "",
      /: datumctl auth update-kubeconfig --project web --hostname other\.example:8443 --profile /,
    );
  }
});

Deno.test("outside Datum nothing is compared until a server was named, but what names no session", async () => {
  for (const provider of [OIDC, CLOUDFLEET]) {
    const session = { ...OIDCS, provider };
    const server = "https://k8s.example.com:6443";
    const asked = { server, "insecure-skip-tls-verify": true, "proxy-url": "http://proxy.example" };
    assert.equal(await refusal(session, asked), undefined, String(provider));
    assert.match(
      (await refusal(session, { server }, { unnamed: true }))?.message ?? "",
      /serves no server yet/,
    );
    const named = { ...session, servers: [{ origin: "https://k8s.example.com:6443" }] };
    assert.equal(await refusal(named, { server }), undefined);
    assert.equal(await refusal(named, { server }, { unnamed: true }), undefined);
    const refused = await refusal(named, { server: "https://id.example.com" });
    assert.match(
      refused?.message ?? "",
      /serves k8s\.example\.com:6443, but this kubeconfig leads to id\.example\.com/,
    );
  }
});

Deno.test("the way there is the one that the server had when it was named", async () => {
  const rows: readonly (readonly [fields: Record<string, unknown>, word: string])[] = [
    [{ "insecure-skip-tls-verify": true }, "insecure-skip-tls-verify"],
    [{ "insecure-skip-tls-verify": "true" }, "insecure-skip-tls-verify"],
    [{ "proxy-url": "http://user:SECRET@proxy.example:3128" }, "http://proxy.example:3128"],
    [{ "proxy-url": "socks5://proxy.example:1080" }, "socks5://proxy.example:1080"],
    [{ "tls-server-name": "other.example" }, "other.example"],
    [{ "tls-server-name": "other.example", "proxy-url": "http://proxy.example" }, "http://proxy.example"],
  ];
  const own = { server: "https://api.example.com" };
  for (const session of [SESSION, { ...OIDCS, servers: [{ origin: "https://api.example.com" }] }]) {
    for (const [fields, word] of rows) {
      const refused = await refusal(session, { ...own, ...fields }, { cluster: "it's" });
      assert.ok(refused?.message.includes(word), `${word}: ${refused?.message}`);
      assert.match(refused?.hint ?? "", /update-kubeconfig --cluster 'it'\\''s' --no-switch --profile /);
      const named = servedServer(askingServer({ ...own, ...fields }), false);
      assert.ok(named !== undefined && !JSON.stringify(named).includes("SECRET"));
      const trusting = { ...session, servers: [named] };
      assert.equal(await refusal(trusting, { ...own, ...fields }), undefined, word);
      assert.equal(await refusal(trusting, own), undefined, "the straight way is no worse");
      for (const [others] of rows) {
        const both = { ...own, ...others };
        const covered = Object.entries(others).every(([name, value]) =>
          String((fields as Record<string, unknown>)[name]) === String(value)
        );
        assert.equal(
          (await refusal(trusting, both)) === undefined,
          covered,
          JSON.stringify([fields, others]),
        );
      }
    }
    for (const none of [undefined, null, "", false]) {
      const fields = { "insecure-skip-tls-verify": none, "proxy-url": none, "tls-server-name": none };
      assert.equal(await refusal(session, { ...own, ...fields }), undefined);
    }
    assert.equal(await refusal(session, { ...own, "tls-server-name": "API.example.com" }), undefined);
  }
});

Deno.test("no token goes over http, wherever and whatever was named", async () => {
  const server = "http://127.0.0.1:8080";
  assert.equal(servedServer(askingServer({ server }), true), undefined);
  for (const session of [SESSION, OIDCS, { ...OIDCS, servers: [{ origin: server }] }]) {
    for (const address of [server, "HTTP://api.example.com", "http://id.example.com"]) {
      const refused = await refusal(session, { server: address });
      assert.match(refused?.message ?? "", /over plain http/, address);
      assert.match(refused?.hint ?? "", /by its https address.* --server URL --profile /);
    }
  }
});

Deno.test("what a variable gives is led to another host by its own variable", async () => {
  const session = { ...SESSION, name: "env:DATUMCTL_TOKEN" };
  const refused = await refusal(session, { server: "https://other.example:8443/x" });
  assert.match(refused?.message ?? "", /^The session from DATUMCTL_TOKEN serves api\.example\.com, but /);
  assert.equal(refused?.hint, "Set DATUMCTL_API_HOSTNAME=other.example:8443 if that is where it belongs.");
});

Deno.test("no password and no query of an address is repeated", async () => {
  for (
    const server of ["https://u:SECRET@api.example.com/x", "https://x\\:SECRET@y", "https://ü/?token=SECRET"]
  ) {
    assert.ok(await refusal(SESSION, { server }), server);
  }
  for (const server of [undefined, null, 7, "", {}]) {
    assert.match((await refusal(SESSION, { server }))?.message ?? "", /leads to no server/);
  }
});

Deno.test("a server is known to accept only where it did", () => {
  const session = { servers: [{ ...TUNNEL, accepted: true as const }, { origin: "https://b.example" }] };
  assert.equal(acceptedBefore(session, "https://TUNNEL.example.com/base"), true);
  for (const address of ["https://b.example", "http://tunnel.example.com", "https://c.example", ""]) {
    assert.equal(acceptedBefore(session, address), false, address);
  }
  assert.equal(acceptedBefore({}, "https://b.example"), false);
});

/** Proves how sessions without a refresh token get their next one: by every token source, once for all who wait, kept or not. */

import assert from "node:assert/strict";
import { openFailureMemory } from "../../src/sessions/last-failure.ts";
import { freshToken } from "../../src/sessions/fresh-token.ts";
import type { IssuingSource } from "../../src/sessions/token-source.ts";
import type { SourceCredentials, TokenSource } from "../../src/sessions/source-credentials.ts";
import type { Session } from "../../src/sessions/session.ts";
import type { SessionStore } from "../../src/sessions/store.ts";
import type { TokenLimits, TokenRequest } from "../../src/sessions/token.ts";
import { parseServiceAccountKey } from "../../src/oauth/grants/service-account-key.ts";
import { saveMachine } from "../../src/sessions/save.ts";
import { pause } from "../../src/system/clock.ts";
import { type Cloud, startCloud } from "../cloud/cloud.ts";
import { addressVariables, githubVariables } from "../cloud/variables.ts";
import { type ExpectedError, expectRejection } from "../expect-error.ts";
import { assertMissing } from "../scratch.ts";
import { refuseSuccessors } from "../system/refuse-successors.ts";
import { CLIENT } from "./issuer.ts";
import { BOUND, openSandbox, type Sandbox } from "./sandbox.ts";
import { DATUM } from "../../src/providers/datum/facts.ts";
import { API_TOKEN, CLOUDFLEET } from "../../src/providers/cloudfleet/facts.ts";
import { PERSON, PERSONAL_ACCESS_TOKEN, SERVICE_ACCOUNT, WORKLOAD } from "../../src/providers/kinds.ts";
import { STUDIO_TOKEN } from "../../src/providers/studio/facts.ts";
import { CLOUDS } from "../clouds.ts";

const HOUR = 3600_000;
const AUDIENCE = "https://clusters.example.com";
/** The client id of the service account below. */
const ACCOUNT = "329000000000000099";

const KINDS: Readonly<Record<TokenSource["kind"], Session["kind"]>> = {
  "client-credentials": API_TOKEN,
  "service-account": SERVICE_ACCOUNT,
  "personal-access-token": PERSONAL_ACCESS_TOKEN,
  workload: WORKLOAD,
  fixed: STUDIO_TOKEN,
  "sign-in": PERSON,
};

/** A session with a token source, in a sandbox. */
interface Machine {
  readonly sandbox: Sandbox;
  readonly name: string;
  readonly file: string;
  readonly store: SessionStore;
  token(request?: TokenRequest, more?: Partial<TokenLimits>): ReturnType<typeof freshToken>;
}

/** Keeps a session of that token source. */
async function machine(
  sandbox: Sandbox,
  tokenSource: TokenSource,
  more: Partial<SourceCredentials> = {},
  env: Record<string, string> = {},
): Promise<Machine> {
  const place = sandbox.store.with({ host: { ...sandbox.store.host, env: (name) => env[name] } });
  const issuer = more.issuer ?? sandbox.issuer.url;
  const { session: { name } } = await saveMachine(
    place,
    {
      session: {
        provider: tokenSource.kind === "client-credentials" ? CLOUDFLEET : DATUM,
        kind: KINDS[tokenSource.kind],
        user: { subject: "machine-1" },
        scopes: [],
        organization: "acme",
      },
      credentials: {
        issuer,
        apiHost: "api.example.com",
        clientId: "id-1",
        subject: "machine-1",
        tokenSource,
        ...more,
      },
      label: "ci",
    },
    { wantedName: "ci", keyStores: ["file"], moveKey: false, activate: false },
    BOUND,
  );
  return {
    sandbox,
    name,
    store: place,
    file: (await sandbox.paths(name)).file,
    async token(request = {}, bound = {}) {
      const session = await place.read(name);
      assert.ok(session !== undefined);
      return await freshToken(place, session, request, sandbox.bound(bound));
    },
  };
}

/** A machine at the sandbox's own issuer, whose tokens are counted: access-1, access-2, … */
async function counted(): Promise<Machine & AsyncDisposable & { text: string; minted(): number }> {
  const sandbox = await openSandbox();
  let minted = 0;
  sandbox.issuer.respond = ({ parameters, headers }) => {
    assert.equal(parameters.get("grant_type"), "client_credentials");
    if (headers.get("authorization") !== `Basic ${btoa("id-1:SECRET-1")}`) {
      return Response.json({ error: "invalid_client" }, { status: 401 });
    }
    return Response.json({ access_token: `access-${++minted}`, token_type: "Bearer", expires_in: 3600 });
  };
  const tokenSource: TokenSource = {
    kind: "client-credentials",
    tokenEndpoint: sandbox.issuer.metadata.token_endpoint,
  };
  const it = await machine(sandbox, tokenSource, { clientSecret: "SECRET-1" });
  return {
    ...it,
    text: await Deno.readTextFile(it.file),
    minted: () => minted,
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

/** Moves the time of the machine and of the cloud together. */
async function later(sandbox: Sandbox, cloud: Cloud, milliseconds: number): Promise<void> {
  sandbox.time += milliseconds;
  await cloud.setFaults({ clockOffset: (sandbox.time - Date.now()) / 1000 });
}

async function serviceAccount(cloud: Cloud): Promise<IssuingSource> {
  const { keyId, privateKey, scope } = await parseServiceAccountKey(
    JSON.stringify(await cloud.addServiceAccount({ clientId: ACCOUNT })),
    "key.json",
  );
  return { kind: "service-account", keyId, privateKey, audience: cloud.issuer, scope };
}

// ---- every token source, at a real cloud ----

const SOURCES: readonly [
  what: string,
  tokenSource: (cloud: Cloud) => Promise<TokenSource> | TokenSource,
  counter: string,
][] = [
  ["a service account", serviceAccount, "token:jwt-bearer"],
  [
    "a personal access token",
    (cloud) => ({ kind: "personal-access-token", token: cloud.addPersonalAccessToken() }),
    "pat_exchange",
  ],
  ["a GitHub job", () => ({ kind: "workload", source: { kind: "github" }, audience: AUDIENCE }), "ci_token"],
  [
    "a GitHub job whose token is exchanged",
    (cloud) => ({
      kind: "workload",
      source: { kind: "github" },
      audience: cloud.issuer,
      exchange: { grant: "token-exchange" },
    }),
    "token:token-exchange",
  ],
];

for (const [what, sourceOf, counter] of SOURCES) {
  Deno.test(`${what}: a token is made, kept while it lasts, and made anew after it`, async () => {
    await using cloud = await startCloud({ accessTokenLife: 60 });
    await using sandbox = await openSandbox();
    const tokenSource = await sourceOf(cloud);
    const clientId = tokenSource.kind === "service-account" ? ACCOUNT : cloud.clientId;
    const place = {
      issuer: cloud.issuer,
      apiHost: cloud.apiHost,
      clientId,
      certificateAuthority: cloud.caPem,
    };
    const it = await machine(sandbox, tokenSource, place, githubVariables(cloud));
    const first = await it.token();
    assert.ok(first.expires > sandbox.time);
    assert.equal((await it.token()).token, first.token);
    assert.equal(cloud.counts()[counter], 1);
    assert.equal((await it.store.read(it.name))?.tokenExpires, new Date(first.expires).toISOString());
    // A minute more than its end, so that no slow machine makes GitHub's next one outlast it.
    await later(sandbox, cloud, first.expires - sandbox.time + 60_000);
    if (counter !== "ci_token") assert.notEqual((await it.token()).token, first.token);
    else await expectRejection(it.token(), "CLOCK_SKEW"); // GitHub's own clock stays
    assert.equal(cloud.counts()[counter], 2);
  });
}

Deno.test("where the issuer's endpoint is, is asked once and remembered", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  const place = { issuer: cloud.issuer, clientId: ACCOUNT, certificateAuthority: cloud.caPem };
  const it = await machine(sandbox, await serviceAccount(cloud), place);
  await it.token();
  await it.token({ force: true });
  assert.equal(cloud.counts().discovery, 1);
});

for (const [what, sourceOf] of SOURCES) {
  Deno.test(`${what}: a clock that is off by ten minutes is CLOCK_SKEW with both times, and nothing is lost`, async () => {
    await using cloud = await startCloud({ accessTokenLife: 60 });
    await using sandbox = await openSandbox();
    const tokenSource = await sourceOf(cloud);
    const place = {
      issuer: cloud.issuer,
      apiHost: cloud.apiHost,
      clientId: tokenSource.kind === "service-account" ? ACCOUNT : cloud.clientId,
      certificateAuthority: cloud.caPem,
    };
    const it = await machine(sandbox, tokenSource, place, githubVariables(cloud));
    const text = await Deno.readTextFile(it.file);
    for (const off of [600_000, -600_000]) {
      sandbox.time += off;
      await skewed(it.token(), off);
      assert.equal(await Deno.readTextFile(it.file), text);
      sandbox.time -= off;
    }
    assert.ok((await it.token()).token !== "");
  });
}

/** `CLOCK_SKEW` that names our time, and the server's that is so many milliseconds behind it. */
async function skewed(asked: Promise<unknown>, off: number): Promise<void> {
  const { message } = await expectRejection(asked, "CLOCK_SKEW");
  const [here = "", there = ""] = message.match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g) ?? [];
  assert.ok(Math.abs(Date.parse(here) - Date.parse(there) - off) < 10_000, message);
}

Deno.test("an API token is judged by the times that its tokens say", async () => {
  await using sandbox = await openSandbox();
  const { issuer } = sandbox;
  issuer.idLife = 60;
  let says = true;
  issuer.respond = async () => {
    const { id_token } = await issuer.tokens();
    const headers = { date: new Date(sandbox.time + issuer.ahead).toUTCString() };
    const token = says ? { access_token: id_token } : { access_token: "access-0", expires_in: 60 };
    return Response.json({ ...token, token_type: "Bearer" }, { headers });
  };
  const it = await machine(sandbox, {
    kind: "client-credentials",
    tokenEndpoint: issuer.metadata.token_endpoint,
  }, { clientSecret: "SECRET-1" });
  for (const off of [600_000, -600_000]) {
    issuer.ahead = -off;
    says = true;
    await skewed(it.token({ force: true }), off);
    says = false;
    assert.equal((await it.token({ force: true })).token, "access-0");
  }
});

Deno.test("an endpoint that has moved is looked for once more, and kept", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  const place = {
    issuer: cloud.issuer,
    apiHost: cloud.apiHost,
    clientId: ACCOUNT,
    certificateAuthority: cloud.caPem,
  };
  const account = await serviceAccount(cloud);
  for (const tokenEndpoint of [`${cloud.issuer}/gone`, `${sandbox.issuer.url}/gone`]) {
    const it = await machine(sandbox, { ...account, tokenEndpoint } as TokenSource, place);
    cloud.resetCounts();
    await it.token();
    await it.token({ force: true });
    assert.deepEqual([cloud.counts().discovery, cloud.counts()["token:jwt-bearer"]], [1, 2]);
  }
});

Deno.test("an endpoint that is gone for good fails as it did", async () => {
  await using other = await openSandbox();
  const { issuer } = other;
  issuer.respond = () => Response.json({ error: "not_found" }, { status: 410 });
  const tokenEndpoint = issuer.metadata.token_endpoint;
  const it = await machine(other, { kind: "client-credentials", tokenEndpoint }, {
    clientSecret: "SECRET-1",
  });
  await expectRejection(it.token(), "ISSUER_ERROR");
  assert.equal(issuer.requests.filter((path) => path === "/token").length, 1);
});

Deno.test("a workload's exchange proves its client as the issuer takes it, by either grant", async () => {
  await using sandbox = await openSandbox();
  const { issuer } = sandbox;
  const { id_token: JOB } = await issuer.tokens();
  issuer.respond = ({ parameters, headers }) =>
    !headers.has("authorization") && parameters.get("client_secret") === "SECRET-1"
      ? Response.json({ access_token: "access-1", token_type: "Bearer", expires_in: 3600 })
      : Response.json({ error: "invalid_client" }, { status: 401 });
  for (const grant of ["jwt-bearer", "token-exchange"] as const) {
    const tokenSource: TokenSource = {
      kind: "workload",
      source: { kind: "variable", name: "JOB" },
      audience: CLIENT,
      exchange: {
        grant,
        tokenEndpoint: issuer.metadata.token_endpoint,
        authMethods: ["client_secret_post"],
      },
    };
    const it = await machine(sandbox, tokenSource, { clientSecret: "SECRET-1" }, { JOB });
    assert.equal((await it.token({ force: true })).token, "access-1", grant);
  }
});

// ---- once for all who wait ----

Deno.test("20 at once on an expired token make one, and all get it", async () => {
  await using it = await counted();
  await it.token();
  it.sandbox.time += HOUR;
  const tokens = await Promise.all(Array.from({ length: 20 }, () => it.token()));
  assert.deepEqual([...new Set(tokens.map(({ token }) => token))], ["access-2"]);
  assert.equal(it.minted(), 2);
});

Deno.test("those who wait share the failure of the one who asked", async () => {
  await using it = await counted();
  const paths = await it.sandbox.paths(it.name);
  const failures = openFailureMemory(paths.failure, it.store.host.now);
  it.sandbox.issuer.respond = async () => {
    await pause(20);
    return Response.json({ error: "invalid_client" }, { status: 401 });
  };
  const errors = await Promise.all(
    Array.from({ length: 5 }, () => expectRejection(it.token({}, { failures }), "SESSION_REJECTED")),
  );
  assert.equal(new Set(errors.map(({ message }) => message)).size, 1);
  assert.equal(it.sandbox.issuer.requests.filter((path) => path === "/token").length, 1);
});

Deno.test("a token that cannot be kept is handed out all the same, and made again next time", async () => {
  await using it = await counted();
  {
    await using _full = await refuseSuccessors(it.file);
    assert.equal((await it.token()).token, "access-1");
    assert.equal(await Deno.readTextFile(it.file), it.text);
    assert.equal((await it.token()).token, "access-2");
  }
  assert.equal((await it.token()).token, "access-3");
  assert.equal((await it.token()).token, "access-3", "and kept from then on");
});

Deno.test("where no lock can be made, as on a read-only disk, a token is made without", async () => {
  await using it = await counted();
  const { lock } = await it.sandbox.paths(it.name);
  await Deno.remove(lock);
  await Deno.mkdir(lock);
  assert.equal((await it.token()).token, "access-1");
  assert.equal(await Deno.readTextFile(it.file), it.text);
});

Deno.test("a session that is removed while its token is made stays removed", async () => {
  await using it = await counted();
  const respond = it.sandbox.issuer.respond;
  it.sandbox.issuer.respond = async (request) => {
    await Deno.remove(it.file);
    return await respond?.(request);
  };
  assert.equal((await it.token()).token, "access-1");
  await assertMissing(it.file);
});

Deno.test("a machine's session that is removed while a process waits for its lock is NOT_SIGNED_IN", async () => {
  await using it = await counted();
  const session = await it.store.read(it.name);
  assert.ok(session !== undefined);
  const lock = await it.store.lock(it.name, 1_000);
  const waiting = expectRejection(it.token(), "NOT_SIGNED_IN");
  await pause(50);
  await it.store.remove(session, BOUND);
  lock.release();
  assert.match((await waiting).hint ?? "", /datumctl auth add-profile token ci acme id-1/);
  assert.equal(it.minted(), 0);
});

// ---- what goes wrong ----

Deno.test("of an issuer that is down a token that is still good is used; without one it is NETWORK", async () => {
  await using it = await counted();
  await it.token();
  const text = await Deno.readTextFile(it.file);
  it.sandbox.issuer.respond = () => new Response("fault", { status: 503 });
  it.sandbox.time += HOUR - 60_000;
  const { token, warning } = await it.token();
  assert.equal(token, "access-1");
  assert.match(warning ?? "", /The stored token is used/);
  it.sandbox.time += HOUR;
  await expectRejection(it.token(), { code: "NETWORK", retryable: true, message: /profile "ci"/ });
  assert.equal(await Deno.readTextFile(it.file), text);
});

Deno.test("a secret that is refused is SESSION_REJECTED, and names what renews the session", async () => {
  await using sandbox = await openSandbox();
  sandbox.issuer.respond = () => Response.json({ error: "invalid_grant" }, { status: 400 });
  const tokenEndpoint = sandbox.issuer.metadata.token_endpoint;
  await using cloud = await startCloud();
  const rows: [TokenSource, RegExp, Partial<SourceCredentials>][] = [
    [{ kind: "client-credentials", tokenEndpoint }, /auth add-profile token ci acme/, {
      clientSecret: "SECRET",
    }],
    [
      { ...await serviceAccount(cloud), tokenEndpoint } as TokenSource,
      /login --profile ci --credentials FILE/,
      {},
    ],
    [
      { kind: "personal-access-token", token: "dtmp_SECRET" },
      /login --profile ci --with-token/,
      { apiHost: cloud.apiHost, certificateAuthority: cloud.caPem },
    ],
  ];
  for (const [tokenSource, remedy, more] of rows) {
    const it = await machine(sandbox, tokenSource, more);
    const error = await expectRejection(it.token(), {
      code: "SESSION_REJECTED",
      exitCode: 4,
      message: /"ci"/,
      hint: remedy,
    });
    assert.doesNotMatch(`${error.message} ${error.hint}`, /SECRET/);
    const session = await it.store.read(it.name);
    assert.ok(session !== undefined);
    await it.store.remove(session, BOUND);
  }
});

for (
  const [status, error_description] of [
    [404, "Errors.AuthNKey.NotFound"],
    [404, "Errors.User.NotFound"],
    [400, "Errors.User.NotActive"],
  ] as const
) {
  Deno.test(`a key that ZITADEL does not accept, ${status} ${error_description}, is named, with the line for a new one`, async () => {
    await using sandbox = await openSandbox();
    await using cloud = await startCloud();
    const tokenSource = await serviceAccount(cloud);
    assert.ok(tokenSource.kind === "service-account");
    sandbox.issuer.respond = () => Response.json({ error: "invalid_request", error_description }, { status });
    const it = await machine(sandbox, {
      ...tokenSource,
      tokenEndpoint: sandbox.issuer.metadata.token_endpoint,
    });
    const error = await expectRejection(it.token(), "SESSION_REJECTED");
    assert.ok(error.message.includes(`does not accept the key ${tokenSource.keyId}, `), error.message);
    assert.ok(error.message.includes(error_description), error.message);
    assert.match(
      error.hint ?? "",
      /^Sign in with a current key: datumctl login --profile ci --credentials FILE/,
    );
    assert.deepEqual(sandbox.issuer.requests, ["/token"], "who says so much is there");
  });
}

Deno.test("a service account always sends a scope: its file's, byte for byte, else the usual ones", async () => {
  await using sandbox = await openSandbox();
  await using cloud = await startCloud();
  const { scope: own, ...bare } = await serviceAccount(cloud) as IssuingSource & { scope?: string };
  for (
    const [tokenSource, expected] of [[{ ...bare, scope: own }, own], [
      bare,
      "openid profile email offline_access",
    ]] as const
  ) {
    const sent: (string | null)[] = [];
    sandbox.issuer.respond = ({ parameters }) => {
      sent.push(parameters.get("scope"));
      return Response.json({ access_token: "a", refresh_token: "nobody keeps it" });
    };
    const tokenEndpoint = sandbox.issuer.metadata.token_endpoint;
    const it = await machine(sandbox, { ...tokenSource, tokenEndpoint } as TokenSource);
    await it.token({ force: true });
    assert.deepEqual(sent, [expected]);
    assert.ok(!(await Deno.readTextFile(it.file)).includes("nobody"));
  }
});

Deno.test("mintToken() is NO_ID_TOKEN when an ID token is wished for", async () => {
  await using it = await counted();
  await expectRejection(it.token({ kind: "id" }), "NO_ID_TOKEN");
});

Deno.test("a token that was given is used until it ends, whoever refuses it, and nobody makes another", async () => {
  await using sandbox = await openSandbox();
  const end = sandbox.time + HOUR;
  const given = { accessToken: "given", received: sandbox.time, accessTokenExpires: end };
  const it = await machine(sandbox, { kind: "fixed" }, given);
  for (const wish of [{}, { force: true }]) assert.equal((await it.token(wish)).token, "given");
  assert.match((await it.token({ minimumLife: 2 * HOUR })).warning ?? "", /--min-ttl/);
  sandbox.time = end;
  const error = await expectRejection(it.token(), "SESSION_EXPIRED");
  assert.ok(error.message.includes(new Date(end).toISOString()));
});

Deno.test("a profile that nobody has signed in to says how", async () => {
  await using sandbox = await openSandbox();
  const it = await machine(sandbox, { kind: "sign-in" });
  await expectRejection(it.token(), { code: "NOT_SIGNED_IN", hint: /datumctl login --profile ci/ });
});

// ---- CI jobs ----

Deno.test("a file's token is read again when it was replaced, and only an exchanged one is stored", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  const { gitlab } = cloud.ciIssuers;
  const path = `${sandbox.folder}/token`;
  const replace = async () => {
    const token = await gitlab.idToken(cloud.issuer);
    await Deno.writeTextFile(path, `${token}\n`);
    return token;
  };
  await replace();
  const source = { kind: "file", path } as const;
  const place = { issuer: cloud.issuer, clientId: cloud.clientId, certificateAuthority: cloud.caPem };
  const plain = await machine(sandbox, { kind: "workload", source, audience: cloud.issuer }, place);
  const text = await Deno.readTextFile(plain.file);
  await plain.token();
  const next = await replace();
  assert.equal((await plain.token()).token, next);
  assert.equal(await Deno.readTextFile(plain.file), text);

  const exchange = { grant: "token-exchange" } as const;
  const tokenSource = { kind: "workload", source, audience: cloud.issuer, exchange } as const;
  const exchanged = await machine(sandbox, tokenSource, place);
  const first = await exchanged.token();
  assert.equal((await exchanged.token()).token, first.token);
  await replace();
  assert.notEqual((await exchanged.token()).token, first.token);
  assert.equal(cloud.counts()["token:token-exchange"], 2);
  await Deno.remove(path);
  await expectRejection(exchanged.token(), { code: "NO_WORKLOAD_TOKEN", message: /does not exist/ });
});

Deno.test("a CI token that has ended, or is for somebody else, is not handed out", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  const { gitlab } = cloud.ciIssuers;
  const tokenSource = {
    kind: "workload",
    source: { kind: "variable", name: "JOB" },
    audience: AUDIENCE,
  } as const;
  const rows = [
    [await gitlab.idToken(AUDIENCE, { life: -1 }), "SESSION_REJECTED"],
    [await gitlab.idToken("another"), "INVALID_TOKEN"],
    ["no JWT", "INVALID_TOKEN"],
  ] as const;
  for (const [JOB, code] of rows) {
    const it = await machine(sandbox, tokenSource, at(cloud), { JOB });
    const { message, hint } = await expectRejection(it.token(), code);
    assert.match(message, /session "ci"/);
    assert.match(hint ?? "", /CI system/);
  }
});

const at = (cloud: Cloud) => ({
  issuer: cloud.issuer,
  apiHost: cloud.apiHost,
  clientId: cloud.clientId,
  certificateAuthority: cloud.caPem,
});

/** A token of a file, of a variable, of a file that the issuer exchanges; and the grant. */
const ELSEWHERE = [
  ["a file's token", "file", undefined],
  ["a variable's token", "variable", undefined],
  ["a file's token that the issuer exchanges", "file", "token-exchange"],
] as const;

for (const [what, kind, grant] of ELSEWHERE) {
  Deno.test(`${what} is judged by the clock of the server that it is for, and by ours with that one down`, async () => {
    await using cloud = await startCloud();
    await using sandbox = await openSandbox();
    const audience = grant === undefined ? AUDIENCE : cloud.issuer;
    const token = await cloud.ciIssuers.gitlab.idToken(audience, { life: 300 });
    const path = `${sandbox.folder}/token`;
    await Deno.writeTextFile(path, token);
    const source = kind === "file" ? { kind, path } : { kind, name: "JOB" };
    const exchange = grant === undefined ? {} : { exchange: { grant } };
    const it = await machine(
      sandbox,
      { kind: "workload", source, audience, ...exchange },
      at(cloud),
      { JOB: token },
    );
    const judge = grant === undefined ? "api" : "issuer";
    for (const [off, alone] of [[600_000, "SESSION_REJECTED"], [-600_000, "CLOCK_SKEW"]] as const) {
      sandbox.time += off;
      const log: string[] = [];
      await skewed(it.token({}, { log: (line) => log.push(line) }), off);
      const { host } = new URL(grant === undefined ? `https://${cloud.apiHost}` : cloud.issuer);
      assert.match(log.join("\n"), new RegExp(`^HEAD ${host}/ \\d{3} in \\d+ ms$`), "one question");
      await cloud.setFaults({ down: [judge] });
      const { message } = await expectRejection(it.token(), alone);
      assert.match(message, /The workload's token expired|the workload's token was issued at/);
      await cloud.setFaults({});
      sandbox.time -= off;
    }
    cloud.resetCounts();
    assert.ok((await it.token()).token !== "");
    if (grant === undefined) assert.equal(cloud.counts().total, 0, "nobody is asked about a good token");
  });
}

Deno.test("a token that really ended is SESSION_REJECTED, until its file holds another", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  const path = `${sandbox.folder}/token`;
  const write = async (life: number) =>
    await Deno.writeTextFile(path, await cloud.ciIssuers.gitlab.idToken(AUDIENCE, { life }));
  await write(-30);
  const source = { kind: "file", path } as const;
  const it = await machine(sandbox, { kind: "workload", source, audience: AUDIENCE }, at(cloud));
  const { message } = await expectRejection(it.token(), "SESSION_REJECTED");
  assert.match(message, /The workload's token expired at .* now\.$/);
  await write(300);
  assert.ok((await it.token()).token !== "");
});

/** Asks for the token that DATUMCTL_TOKEN holds, of that many seconds of life. */
async function tokenOfVariable(cloud: Cloud, sandbox: Sandbox, life: number) {
  const env: Record<string, string> = {
    DATUMCTL_TOKEN: await cloud.ciIssuers.gitlab.idToken(AUDIENCE, { life }),
    ...addressVariables(cloud),
  };
  const session = await CLOUDS.environmentSessions({ ...sandbox.store.host, env: (name) => env[name] })
    .fromVariables();
  assert.ok(session !== undefined);
  return await freshToken(sandbox.store, session, {}, sandbox.bound());
}

Deno.test("a token of DATUMCTL_TOKEN that ended is SESSION_EXPIRED", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  await expectRejection(tokenOfVariable(cloud, sandbox, -30), "SESSION_EXPIRED");
});

Deno.test("a token of DATUMCTL_TOKEN that ended by our clock alone is CLOCK_SKEW", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  sandbox.time += 600_000;
  await skewed(tokenOfVariable(cloud, sandbox, 300), 600_000);
});

Deno.test("a token of DATUMCTL_TOKEN is judged by our clock where the server's cannot be asked", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  sandbox.time += 600_000;
  await cloud.setFaults({ down: ["api"] });
  const expected: ExpectedError = { code: "SESSION_EXPIRED", message: /its token expired on/ };
  await expectRejection(tokenOfVariable(cloud, sandbox, 300), expected);
});

// ---- variables ----

Deno.test("of what variables give nothing is written, and a process asks for one token", async () => {
  await using cloud = await startCloud();
  await using sandbox = await openSandbox();
  const file = `${sandbox.folder}-key.json`;
  await Deno.writeTextFile(file, JSON.stringify(await cloud.addServiceAccount()), { mode: 0o600 });
  const env: Record<string, string> = {
    DATUMCTL_CREDENTIALS_FILE: file,
    DATUMCTL_HOSTNAME: cloud.authHost,
    DATUMCTL_API_HOSTNAME: cloud.apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: cloud.caFile,
  };
  const given = CLOUDS.environmentSessions({ ...sandbox.store.host, env: (name) => env[name] });
  const session = await given.fromVariables();
  assert.ok(session !== undefined);
  assert.equal(await given.fromVariables("env:DATUMCTL_CREDENTIALS_FILE"), session, "read once");
  const token = () => freshToken(sandbox.store, session, {}, sandbox.bound());
  const first = await token();
  assert.equal((await token()).token, first.token);
  assert.equal(cloud.counts()["token:jwt-bearer"], 1);
  assert.equal((await sandbox.store.open(session, BOUND)).key, undefined);
  assert.deepEqual([...Deno.readDirSync(sandbox.folder)], []);
  await Deno.remove(file);
});

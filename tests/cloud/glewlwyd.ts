/** Debian's `glewlwyd` as an issuer for tests: a server of its own, set up by its own administration's API. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { exportPKCS8, exportSPKI, generateKeyPair } from "jose";
import { findProgram } from "../../src/system/processes.ts";
import { makeCertificates } from "./certificates.ts";

const PROGRAM = findProgram("glewlwyd", "/usr/bin:/usr/local/bin");
const SCHEMA = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";

/** False, after a printed line, where the server is absent. */
export const glewlwydAtHand: boolean = PROGRAM !== undefined;

// deno-lint-ignore no-console
if (!glewlwydAtHand) console.error("skipped: sign-in at glewlwyd, for it is not installed here");

/** Who signs in there. */
export const PERSON = { username: "ada", email: "ada@example.com", password: "analytical engine" } as const;

/** A client to register. */
export interface GlewlwydClient {
  readonly id: string;
  /** Makes it a confidential one. */
  readonly secret?: string;
  /** Matched byte for byte. */
  readonly redirectUri: string;
}

/** A running server. */
export interface Glewlwyd extends AsyncDisposable {
  readonly issuer: string;
  readonly host: string;
  readonly caPem: string;
  readonly caFile: string;
  /** The person's browser: signs in, agrees to the scopes, and follows the redirect to the client. */
  signIn(authorizationUrl: string): Promise<Response>;
  /** What the server has logged. */
  log(): Promise<string>;
}

/** Starts a server on a port of 127.0.0.1, with refresh tokens that work once. */
export async function startGlewlwyd(clients: readonly GlewlwydClient[]): Promise<Glewlwyd> {
  const folder = await Deno.makeTempDir({ prefix: "glewlwyd-" });
  const port = freePort();
  const host = `127.0.0.1:${port}`;
  const certificates = await makeCertificates(new Date());
  const file = async (name: string, text: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
    return `${folder}/${name}`;
  };
  const caFile = await file("ca.pem", certificates.caPem);
  const database = new DatabaseSync(`${folder}/glewlwyd.db`);
  database.exec(await Deno.readTextFile(SCHEMA));
  database.close();
  const logFile = `${folder}/log`;
  const modules = ["user", "client", "plugin"].map((name) =>
    `${name}_module_path="/usr/lib/glewlwyd/${name}"`
  );
  const config = await file(
    "glewlwyd.conf",
    [
      ...[
        `port=${port}`,
        `bind_address="127.0.0.1"`,
        `external_url="https://${host}"`,
        `login_url="login.html"`,
      ],
      ...[`api_prefix="api"`, `log_mode="file"`, `log_level="WARNING"`, `log_file="${logFile}"`],
      ...[`cookie_secure=1`, `session_expiration=3600`, `session_key="SESSION"`, `login_api_enabled=true`],
      ...[`admin_session_authentication="cookie"`, `profile_session_authentication="cookie"`],
      ...[`admin_scope="g_admin"`, `profile_scope="g_profile"`, `hash_algorithm="SHA512"`, ...modules],
      `user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"`,
      ...[
        `use_secure_connection=true`,
        `secure_connection_key_file="${await file("key.pem", certificates.keyPem)}"`,
      ],
      `secure_connection_pem_file="${await file("cert.pem", certificates.certificatePem)}"`,
      `secure_connection_ca_file="${caFile}"`,
      `database={ type="sqlite3" path="${folder}/glewlwyd.db" }`,
      ``,
    ].join("\n"),
  );
  const child = new Deno.Command(PROGRAM ?? "", {
    args: [`--config-file=${config}`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const client = Deno.createHttpClient({ caCerts: [certificates.caPem] });
  const api = `https://${host}/api`;
  const issuer = `${api}/oidc`;
  const log = () => Deno.readTextFile(logFile).catch(() => "");
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await child.status;
    client.close();
    await Deno.remove(folder, { recursive: true });
  };

  /** A request of a browser that is signed in as somebody, or as nobody yet. */
  const ask = async (method: string, path: string, body: unknown, cookie = ""): Promise<Response> => {
    const response = await fetch(path.startsWith("/") ? api + path : path, {
      client,
      method,
      redirect: "manual",
      headers: { cookie, ...body === undefined ? {} : { "content-type": "application/json" } },
      body: body === undefined ? null : JSON.stringify(body),
    });
    assert.ok(
      response.status < 400,
      `glewlwyd: ${method} ${path}: ${response.status} ${await log()}`,
    );
    return response;
  };
  const sessionOf = async (username: string, password: string): Promise<string> => {
    const response = await ask("POST", "/auth/", { username, password });
    await response.body?.cancel();
    return response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  };
  const post = async (cookie: string, path: string, body: unknown, method = "POST") =>
    void await (await ask(method, path, body, cookie)).body?.cancel();

  try {
    await answering(`${api}/auth/`, client);
    const admin = await sessionOf("admin", "password");
    for (const name of ["email", "profile", "offline_access"]) {
      await post(admin, "/scope/", { name, display_name: name, description: name, password_required: false });
    }
    const scope = ["g_profile", "openid", "email", "profile", "offline_access"];
    await post(admin, "/user/", { ...PERSON, name: "Ada Lovelace", scope, enabled: true });
    for (const { id, secret, redirectUri } of clients) {
      await post(admin, "/client/", {
        client_id: id,
        name: id,
        confidential: secret !== undefined,
        ...secret === undefined ? {} : { client_secret: secret, password: secret },
        enabled: true,
        redirect_uri: [redirectUri],
        authorization_type: ["code", "refresh_token"],
        token_endpoint_auth_method: [secret === undefined ? "none" : "client_secret_basic"],
        scope: secret === undefined ? [] : ["openid"],
      });
    }
    const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
    await post(admin, "/mod/plugin/", {
      module: "oidc",
      name: "oidc",
      display_name: "OpenID Connect",
      order_rank: 0,
      enabled: true,
      parameters: {
        iss: issuer,
        "subject-type": "public",
        "jwt-type": "rsa",
        "jwt-key-size": "256",
        key: await exportPKCS8(privateKey),
        cert: await exportSPKI(publicKey),
        "access-token-duration": 3600,
        "refresh-token-duration": 1209600,
        "code-duration": 60,
        "refresh-token-rolling": true,
        "refresh-token-one-use": "always",
        "allow-non-oidc": false,
        "auth-type-code-enabled": true,
        "auth-type-code-revoke-replayed": true,
        "auth-type-token-enabled": false,
        "auth-type-password-enabled": false,
        "auth-type-client-enabled": false,
        "auth-type-refresh-enabled": true,
        "allowed-scope": scope.slice(1),
        "pkce-allowed": true,
        "pkce-required": true,
        "pkce-method-plain-allowed": false,
        "jwks-show": true,
        "email-claim": "mandatory",
        "name-claim": "mandatory",
        "introspection-revocation-allowed": true,
        "introspection-revocation-allow-target-client": true,
        "oauth-as-iss-id": true,
      },
    });
  } catch (thrown) {
    await stop();
    throw thrown;
  }

  return {
    issuer,
    host,
    caPem: certificates.caPem,
    caFile,
    log,
    async signIn(authorizationUrl) {
      const query = new URL(authorizationUrl).searchParams;
      const cookie = await sessionOf(PERSON.username, PERSON.password);
      await post(cookie, `/auth/grant/${query.get("client_id")}`, { scope: query.get("scope") }, "PUT");
      // What its login page adds once the person has agreed.
      const response = await ask("GET", `${authorizationUrl}&g_continue`, undefined, cookie);
      await response.body?.cancel();
      const location = response.headers.get("location") ?? "";
      assert.ok(!location.includes("login.html"), `glewlwyd is not content: ${location} ${await log()}`);
      return await fetch(location, { redirect: "manual" });
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Waits until the server answers at all. */
async function answering(url: string, client: Deno.HttpClient): Promise<void> {
  for (const most = performance.now() + 30_000;;) {
    try {
      await (await fetch(url, { client })).body?.cancel();
      return;
    } catch (error) {
      if (performance.now() > most) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

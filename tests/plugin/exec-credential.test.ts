/** Proves the contract with kubectl: which version is spoken, and the shape of what is printed. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import {
  chooseOutput,
  EXEC_API_VERSIONS,
  formatExecCredential,
  formatStatus,
  readExecInfo,
} from "../../src/plugin/exec-credential.ts";
import { AppError, CODES, type ErrorCode } from "../../src/errors.ts";
import { allowError, type ExpectedError, expectError } from "../expect-error.ts";

const [V1, V1BETA1] = EXEC_API_VERSIONS;

const info = (value: unknown) => readExecInfo(typeof value === "string" ? value : JSON.stringify(value));

Deno.test("what client-go sends is read, with and without a person", () => {
  // As kubectl 1.35 sends it.
  const text = `{"kind":"ExecCredential","apiVersion":"${V1}","spec":{"interactive":true}}`;
  assert.deepEqual(info(text), { apiVersion: V1, interactive: true, server: undefined });
  assert.deepEqual(info({ kind: "ExecCredential", apiVersion: V1BETA1, spec: { interactive: false } }), {
    apiVersion: V1BETA1,
    interactive: false,
    server: undefined,
  });
  const withCluster = {
    interactive: true,
    cluster: { server: "https://x", "certificate-authority-data": "AAAA" },
  };
  assert.equal(info({ kind: "ExecCredential", apiVersion: V1, spec: withCluster }).interactive, true);
});

Deno.test("anything but a plain true is not interactive", () => {
  for (
    const spec of [undefined, null, {}, [], "true", { interactive: "true" }, { interactive: 1 }, {
      Interactive: true,
    }]
  ) {
    assert.equal(info({ kind: "ExecCredential", apiVersion: V1, spec }).interactive, false);
  }
});

Deno.test("info of another kind, an unknown version, or no JSON at all is USAGE, safe to print", () => {
  const bad: unknown[] = [
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "1",
    {},
    { kind: "ExecCredential" },
    { kind: "Status", apiVersion: V1 },
    { kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v1alpha1" },
    { kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v2\u001b[2J\u202e" },
    { kind: "ExecCredential", apiVersion: ["client.authentication.k8s.io/v1"] },
    { kind: "ExecCredential", apiVersion: "x".repeat(10_000) },
  ];
  for (const value of bad) {
    const expected: ExpectedError = { code: "USAGE", message: /KUBERNETES_EXEC_INFO/ };
    const { message } = expectError(() => info(value), expected, JSON.stringify(value));
    assert.ok(message.length < 300);
  }
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
    allowError(() => readExecInfo(text), "USAGE");
  }));
});

Deno.test("what is printed is the bare token for -o token, else the caller's version, else -o's", () => {
  const v1 = { apiVersion: V1, interactive: false };
  const beta = { apiVersion: V1BETA1, interactive: false };
  assert.equal(chooseOutput("token", v1), "token");
  assert.equal(chooseOutput(V1, beta), V1BETA1);
  assert.equal(chooseOutput(undefined, beta), V1BETA1);
  assert.equal(chooseOutput(V1BETA1, undefined), V1BETA1);
  assert.equal(chooseOutput(undefined, undefined), "token");
});

Deno.test("an output that there is not is wrong usage, and those there are are named", () => {
  for (const output of ["", "json", "Token", "client.authentication.k8s.io/v1alpha1"]) {
    expectError(() => chooseOutput(output, undefined), { code: "USAGE", hint: /Available: token, / });
  }
});

Deno.test("the credential is one line of JSON with nothing but what client-go reads", () => {
  const text = formatExecCredential(V1, {
    token: "t",
    kind: "id",
    issued: 0,
    expires: Date.UTC(2026, 0, 2, 4) + 999,
  });
  assert.match(text, /^[^\n]+\n$/);
  assert.deepEqual(JSON.parse(text), {
    kind: "ExecCredential",
    apiVersion: V1,
    status: { expirationTimestamp: "2026-01-02T03:59:00Z", token: "t" },
  });
});

Deno.test("a failure is a metav1.Status whose reason is our code", () => {
  const status = JSON.parse(
    formatStatus(new AppError("SESSION_EXPIRED", "Over.", { hint: "Sign in again." })),
  );
  assert.deepEqual(status, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Over. Sign in again.",
    reason: "SESSION_EXPIRED",
    code: 401,
  });
  for (const code of Object.keys(CODES) as ErrorCode[]) {
    const text = formatStatus(new AppError(code, "x"));
    assert.match(text, /^[^\n]+\n$/);
    const { code: http, reason } = JSON.parse(text);
    assert.equal(reason, code);
    assert.ok([400, 401, 403, 500, 503].includes(http));
  }
});

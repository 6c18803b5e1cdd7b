/** Proves the one error type: its codes and exits, its three formats, and what is never printed. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import fc from "./fast-check.ts";
import { AppError, CODES, ERROR_FORMATS, type ErrorCode, formatError, toAppError } from "../src/errors.ts";
import { VERSION } from "../src/version.ts";

const codes = Object.keys(CODES) as ErrorCode[];
const anError = fc.record({
  code: fc.constantFrom(...codes),
  message: fc.string({ unit: "binary" }),
  hint: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
}).map(({ code, message, hint }) => new AppError(code, message, hint === undefined ? {} : { hint }));

Deno.test("CODES gives each code the exit that scripts rely on, and five alone are retryable", () => {
  const exits: Partial<Record<ErrorCode, number>> = {
    ...{
      USAGE: 2,
      NOT_SIGNED_IN: 4,
      SESSION_EXPIRED: 4,
      SESSION_REJECTED: 4,
      KEYRING_LOCKED: 4,
      NO_ID_TOKEN: 4,
      NO_WORKLOAD_TOKEN: 4,
    },
    ...{
      WRONG_HOST: 4,
      KEYRING_ITEM_MISSING: 4,
      IDENTITY_MISMATCH: 1,
      CLOCK_SKEW: 1,
      STORAGE: 1,
      NOT_FOUND: 1,
    },
    ...{
      FORBIDDEN: 5,
      NETWORK: 6,
      INTERRUPTED: 130,
      INVALID_TOKEN: 1,
      ISSUER_ERROR: 1,
      ACCESS_DENIED: 1,
      TIMEOUT: 1,
    },
  };
  for (const [code, exit] of Object.entries(exits)) assert.equal(CODES[code as ErrorCode].exit, exit, code);
  const retryable = codes.filter((code) => CODES[code].retryable);
  assert.deepEqual(retryable.toSorted(), ["BUSY", "INCOMPLETE", "KEYRING_TIMEOUT", "NETWORK", "TIMEOUT"]);
  for (const code of codes) assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
});

Deno.test("an error as JSON is one line that reads back whole", () => {
  fc.assert(fc.property(anError, (error) => {
    const text = formatError(error, "json");
    assert.match(text, /^[^\n\r]*\n$/);
    const { code, message, hint = "", retryable } = error;
    assert.deepEqual(JSON.parse(text), { error: { code, message, hint, retryable } });
  }));
});

Deno.test("an error as YAML reads back whole with a YAML parser", () => {
  fc.assert(fc.property(anError, (error) => {
    const { code, message, hint = "", retryable } = error;
    assert.deepEqual(parse(formatError(error, "yaml")), { error: { code, message, hint, retryable } });
  }));
});

Deno.test("an error for people is its sentence, and the next step on the next line", () => {
  assert.equal(
    formatError(new AppError("USAGE", "What.", { hint: "Do this." }), "human"),
    "error: What.\nDo this.\n",
  );
  assert.equal(formatError(new AppError("USAGE", "What."), "human"), "error: What.\n");
  assert.deepEqual([...ERROR_FORMATS], ["human", "json", "yaml"]);
});

Deno.test("a fault of our own is INTERNAL and shows nothing of what was thrown", () => {
  const ours = new AppError("NETWORK", "x");
  assert.equal(toAppError(ours), ours);
  for (
    const thrown of [new TypeError("secret-token"), "secret-token", undefined, { message: "secret-token" }]
  ) {
    const error = toAppError(thrown);
    assert.equal(error.code, "INTERNAL");
    for (const format of ERROR_FORMATS) assert.doesNotMatch(formatError(error, format), /secret-token/);
  }
});

Deno.test("an error carries its cause and never prints it", () => {
  const cause = new Error("secret-token");
  const error = new AppError("STORAGE", "It failed.", { cause });
  assert.equal(error.cause, cause);
  for (const format of ERROR_FORMATS) assert.doesNotMatch(formatError(error, format), /secret-token/);
});

Deno.test("the version is deno.json's, and a semantic one", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  assert.equal(VERSION, version);
  assert.match(VERSION, /^\d+\.\d+\.\d+(-[\w.]+)?$/);
});

Deno.test("an error can know better than its code whether the same call can succeed later", () => {
  const gone = new AppError("NETWORK", "The host is down.", { retryable: false });
  assert.deepEqual([gone.exitCode, gone.retryable], [6, false]);
  assert.equal(JSON.parse(formatError(gone, "json")).error.retryable, false);
  assert.equal(new AppError("NETWORK", "The host is down.").retryable, true);
});

/** Proves which Studio is meant, and what may be asked of it, before any request is made. */

import assert from "node:assert/strict";
import {
  chosenStudioHost,
  defaultTeam,
  STUDIO_HOST,
  studioDays,
  studioHost,
  studioScopes,
  studioTeams,
  studioTokenName,
} from "../../../src/providers/studio/token-fields.ts";
import { expectError } from "../../expect-error.ts";

const HOSTS = [
  ["studio.example.com", "https://studio.example.com"],
  ["Studio.Example.COM:443/", "https://studio.example.com"],
  ["https://studio.example.com", "https://studio.example.com"],
  ["HTTPS://studio.example.com:8443/", "https://studio.example.com:8443"],
  ["127.0.0.1:8443", "https://127.0.0.1:8443"],
  ["http://127.0.0.1:3000/", "http://127.0.0.1:3000"],
  ["HTTP://LocalHost:80", "http://localhost"],
  ["http://localhost:443", "http://localhost:443"],
  ["http://[::1]:3000", "http://[::1]:3000"],
  ["https://Example.com/Studio/", "https://example.com/Studio"],
  ["example.com:443/a/b-c_d.e~1", "https://example.com/a/b-c_d.e~1"],
  ["http://localhost:3000/studio", "http://localhost:3000/studio"],
] as const;

Deno.test("a host becomes an address: https where nothing is said, without the default port, in lower case", () => {
  for (const [typed, origin] of HOSTS) {
    assert.equal(studioHost(typed, "--hostname"), origin, typed);
    assert.equal(studioHost(origin, "--hostname"), origin, "normalising twice changes nothing");
  }
});

Deno.test("a host that is more, less or unsafe is refused, naming where it stood", () => {
  for (
    const typed of [
      ...["", " ", "http://studio.example.com", "ftp://studio.example.com", "http://127.0.0.1.example.com"],
      ...["https://studio.example.com/a?x", "https://studio.example.com?x=1", "studio.example.com#x"],
      ...["https://ada@studio.example.com", "http://ada:pw@localhost", "studio.example.com\n", "a b"],
      ...["http://example.com/path", "http://localhost?x", "https://", "http://", "javascript:alert(1)"],
      ...["example.com/..", "example.com/a/../b", "example.com/%2e%2e", "example.com//", "example.com/a//b"],
      ...[
        "example.com/a b",
        "example.com/a\\b",
        "example.com/a#b",
        "example.com/\u202e",
        "/studio",
        "https:///a",
      ],
    ]
  ) {
    expectError(() => studioHost(typed, "DATACHAIN_STUDIO_URL"), {
      code: "USAGE",
      message: /DATACHAIN_STUDIO_URL/,
    }, typed);
  }
});

Deno.test("the flag names the host before the variable, the variable before what is stored", () => {
  const choice = { flag: "a.example", variable: "b.example", stored: "https://c.example" };
  assert.equal(chosenStudioHost(choice), "https://a.example");
  assert.equal(chosenStudioHost({ ...choice, flag: undefined }), "https://b.example");
  assert.equal(chosenStudioHost({ ...choice, flag: undefined, variable: undefined }), "https://c.example");
  assert.equal(
    chosenStudioHost({ flag: undefined, variable: undefined, stored: undefined }),
    "https://studio.datachain.ai",
  );
  assert.equal(studioHost(STUDIO_HOST, "the default"), STUDIO_HOST);
  expectError(() => chosenStudioHost({ ...choice, flag: "http://a.example" }), {
    code: "USAGE",
    message: /--hostname/,
  });
});

Deno.test("scopes go as typed, without regard to case, blanks trimmed", () => {
  assert.equal(studioScopes(undefined), undefined);
  assert.deepEqual(studioScopes("EXPERIMENTS,DATASETS"), ["EXPERIMENTS", "DATASETS"]);
  assert.deepEqual(studioScopes(" datasets ,, Models,"), ["datasets", "Models"]);
});

Deno.test("wrong scopes are named, all of them", () => {
  expectError(() => studioScopes("DATASETS,ROOT, \u001b[2Jadmin"), {
    code: "USAGE",
    message: /scopes "ROOT", "\s*\[2Jadmin"/,
  });
  expectError(() => studioScopes("DATASET"), { code: "USAGE", message: /no scope "DATASET"/ });
  expectError(() => studioScopes(""), { code: "USAGE", message: /names no scope/ });
  expectError(() => studioScopes(" , "), { code: "USAGE", message: /names no scope/ });
});

Deno.test("days are a positive whole number, a year unless told", () => {
  assert.equal(studioDays(undefined), 365);
  assert.equal(studioDays("90"), 90);
  assert.equal(studioDays(" 007 "), 7);
  for (const typed of ["0", "-1", "+9", "1.5", "1e3", "0x10", "", "soon", "9".repeat(30), "٣"]) {
    expectError(() => studioDays(typed), { code: "USAGE", message: /--expires-in/ }, typed);
  }
});

Deno.test("one team, however often it is named, is the default; none or several are none", () => {
  assert.equal(studioTeams([]), undefined);
  assert.equal(defaultTeam(studioTeams([])), undefined);
  assert.equal(defaultTeam(studioTeams([" data-team ", "data-team"])), "data-team");
  assert.deepEqual(studioTeams(["data-team", "ml-team"]), ["data-team", "ml-team"]);
  assert.equal(defaultTeam(studioTeams(["data-team", "ml-team"])), undefined);
});

Deno.test("a name that is empty, endless or invisible is refused", () => {
  assert.equal(studioTokenName(undefined), undefined);
  assert.equal(studioTokenName(" Ada's laptop "), "Ada's laptop");
  for (const typed of ["", "  ", "a\u0000b", "\u202eevil", "x".repeat(256), "\ud800"]) {
    expectError(() => studioTokenName(typed), { code: "USAGE", message: /--name/ }, typed);
    expectError(() => studioTeams(["good", typed]), { code: "USAGE", message: /--team/ }, typed);
  }
});

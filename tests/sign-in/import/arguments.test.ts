/** Proves that other programs' flags are read as Go's pflag reads them. */

import assert from "node:assert/strict";
import { OtherFlags } from "../../../src/sign-in/import/arguments.ts";

const STYLE = { switches: new Set(["on"]), short: { l: "login" } };
const read = (...args: string[]) => new OtherFlags(args, STYLE);

Deno.test("a flag's value stands behind an equals sign or in the next word, and the last one counts", () => {
  assert.equal(read("--a=1", "--a", "2").last("a"), "2");
  assert.deepEqual(read("--a=1", "--a", "2").all("a"), ["1", "2"]);
  assert.equal(read("--a=b=c").last("a"), "b=c");
  assert.equal(read("--a", "--b").last("a"), "--b");
  assert.equal(read("--a").last("a"), undefined);
  assert.equal(read("--a=").last("a"), undefined);
  assert.equal(read("a", "b").has("a"), false);
});

Deno.test("a switch takes no word, and can be turned off", () => {
  assert.equal(read("--on", "x").isOn("on"), true);
  assert.equal(read("--on=true").isOn("on"), true);
  assert.equal(read("--on", "--on=false").isOn("on"), false);
  assert.equal(read().isOn("on"), false);
});

Deno.test("a letter stands for its flag, with the value joined to it or behind it", () => {
  for (const args of [["-l", "spn"], ["-lspn"], ["-l=spn"]]) assert.equal(read(...args).last("login"), "spn");
  assert.equal(read("-v1", "--a=2").last("a"), "2");
});

Deno.test("lists are separated by commas, and quotes keep one together", () => {
  assert.deepEqual(read("--s=a,b", "--s", "c").list("s"), ["a", "b", "c"]);
  assert.deepEqual(read('--s="a,b",c="d"').list("s"), ["a,b", 'c="d"']);
  assert.deepEqual(read('--s="a""b",,').list("s"), ['a"b']);
});

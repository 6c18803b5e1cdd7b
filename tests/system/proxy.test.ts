/** Proves which proxy is named in messages: the one that Deno takes, without its user and password. */

import assert from "node:assert/strict";
import { networkError } from "../../src/system/network.ts";
import { proxyOf } from "../../src/system/proxy.ts";

const of = (url: string, variables: Record<string, string>) =>
  proxyOf(new URL(url), (name) => variables[name] || undefined);

Deno.test("the proxy is the one for all, else that of the scheme, in either spelling", () => {
  const HTTPS_PROXY = "http://proxy.example:3128";
  assert.equal(of("https://auth.example.com/x", { HTTPS_PROXY }), "proxy.example:3128");
  assert.equal(of("https://auth.example.com/x", { https_proxy: "proxy.example:1" }), "proxy.example:1");
  assert.equal(of("http://auth.example.com/x", { HTTPS_PROXY }), undefined);
  assert.equal(of("http://auth.example.com/x", { HTTP_PROXY: "http://[::1]:8080/" }), "[::1]:8080");
  assert.equal(
    of("https://auth.example.com/", { HTTPS_PROXY, ALL_PROXY: "socks5://all.example:1" }),
    "all.example:1",
  );
  assert.equal(of("https://auth.example.com/", {}), undefined);
});

Deno.test("a proxy's user and password are never told, whatever is in them", () => {
  for (const secret of ["ada:pass", "ada:p@ss", "ada:p%2Fss", "token"]) {
    const proxy = of("https://auth.example.com/", { HTTPS_PROXY: `http://${secret}@proxy.example:3128/` });
    assert.equal(proxy, "proxy.example:3128", secret);
  }
  assert.equal(of("https://a.example/", { HTTPS_PROXY: "ada:pass@proxy.example:1" }), "proxy.example:1");
});

Deno.test("a host that NO_PROXY names goes through none", () => {
  const HTTPS_PROXY = "proxy.example:3128";
  const proxied = (host: string, NO_PROXY: string) =>
    of(`https://${host}/`, { HTTPS_PROXY, NO_PROXY }) !== undefined;
  for (const list of ["*", "example.com", " .example.com", "a.test, AUTH.example.com"]) {
    assert.equal(proxied("auth.example.com", list), false, list);
  }
  for (const list of ["", "ple.com", "example.com.test", "10.0.0.0/8"]) {
    assert.equal(proxied("auth.example.com", list), true, list);
  }
  assert.equal(proxied("10.1.2.3", "10.0.0.0/8"), false, "it may be meant: then nothing is told");
  assert.equal(proxied("[::1]", "localhost,127.0.0.1,::1"), false);
});

Deno.test("a failure through a proxy names it", () => {
  const { message } = networkError("auth.example.com", new TypeError("connection refused"), "127.0.0.1:9");
  assert.equal(
    message,
    "Cannot reach auth.example.com through the proxy 127.0.0.1:9: the connection was refused.",
  );
});

/** Proves which proxy is named in messages: the one that a request goes through, without its user and password. */

import assert from "node:assert/strict";
import { networkError } from "../../src/system/network.ts";
import { proxyOf } from "../../src/system/proxy.ts";
import { expectError } from "../expect-error.ts";

const of = (url: string, variables: Record<string, string>) =>
  proxyOf(new URL(url), (name) => variables[name] || undefined)?.host;

Deno.test("the proxy is that of the scheme, else the one for all, in either spelling", () => {
  const HTTPS_PROXY = "http://proxy.example:3128";
  assert.equal(of("https://auth.example.com/x", { HTTPS_PROXY }), "proxy.example:3128");
  assert.equal(of("https://auth.example.com/x", { https_proxy: "proxy.example:1" }), "proxy.example:1");
  assert.equal(of("http://auth.example.com/x", { HTTPS_PROXY }), undefined);
  assert.equal(of("http://auth.example.com/x", { HTTP_PROXY: "http://[::1]:8080/" }), "[::1]:8080");
  const ALL_PROXY = "socks5://all.example:1";
  assert.equal(of("https://auth.example.com/", { HTTPS_PROXY, ALL_PROXY }), "proxy.example:3128");
  assert.equal(of("https://auth.example.com/", { ALL_PROXY }), "all.example:1");
  assert.equal(of("https://auth.example.com/", {}), undefined);
});

Deno.test("a proxy's user and password are never told, whatever is in them, and reach the runtime", () => {
  for (const secret of ["ada:pass", "ada:p%40ss", "ada:p%2Fss", "token", "ada:p@ss"]) {
    const HTTPS_PROXY = `http://${secret}@proxy.example:3128/`;
    const proxy = proxyOf(
      new URL("https://auth.example.com/"),
      (name) => name === "HTTPS_PROXY" ? HTTPS_PROXY : undefined,
    );
    assert.equal(proxy?.host, "proxy.example:3128", secret);
    const [user, password = ""] = secret.replace("p@ss", "p%40ss").split(":");
    assert.equal(proxy?.url, `http://${user}:${password}@proxy.example:3128`);
  }
  assert.equal(of("https://a.example/", { HTTPS_PROXY: "ada:pass@proxy.example:1" }), "proxy.example:1");
});

Deno.test("a variable that holds no URL of a proxy is named, and its value is not shown", () => {
  const wrong = [
    "http://",
    "http:secret",
    "ftp://secret@proxy.example",
    "http://secret proxy.example",
    "secret:99999",
  ];
  for (const value of [...wrong, "http://secret:a/b@proxy.example:1", "socks4://secret:1", "://secret"]) {
    for (const variable of ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) {
      const message = `The variable ${variable} holds no URL of a proxy.`;
      const wrongOne = () => of("https://auth.example.com/", { [variable]: value });
      const { hint } = expectError(wrongOne, { code: "USAGE", message }, value);
      assert.doesNotMatch(hint ?? "", /secret/);
    }
  }
  // Where no proxy is asked, nothing is wrong with it.
  assert.equal(
    of("https://auth.example.com/", { HTTPS_PROXY: "ftp://x", NO_PROXY: "example.com" }),
    undefined,
  );
  assert.equal(of("https://localhost/", { HTTPS_PROXY: "ftp://x" }), undefined);
});

Deno.test("all of loopback stays away from proxies, whatever NO_PROXY says", () => {
  const HTTP_PROXY = "proxy.example:3128";
  for (
    const host of ["localhost", "127.0.0.1", "127.0.0.2", "127.255.255.254", "[::1]", "[::ffff:127.0.0.3]"]
  ) {
    for (const NO_PROXY of ["", "corp.example", "localhost"]) {
      assert.equal(of(`http://${host}:8080/`, { HTTP_PROXY, NO_PROXY }), undefined, host);
    }
  }
  for (const host of ["128.0.0.1", "126.255.255.255", "[::2]", "localhost.example", "notlocalhost"]) {
    assert.equal(of(`http://${host}/`, { HTTP_PROXY }), "proxy.example:3128", host);
  }
});

Deno.test("either spelling of NO_PROXY keeps a host away from the proxy", () => {
  const HTTPS_PROXY = "proxy.example:3128";
  const lists = { NO_PROXY: "a.example", no_proxy: "b.example" };
  assert.equal(of("https://a.example/", { HTTPS_PROXY, ...lists }), undefined);
  assert.equal(of("https://b.example/", { HTTPS_PROXY, ...lists }), undefined);
  assert.equal(of("https://c.example/", { HTTPS_PROXY, ...lists }), "proxy.example:3128");
});

Deno.test("a failure through a proxy names it", () => {
  const { message } = networkError("auth.example.com", new TypeError("connection refused"), {
    proxy: { url: "http://ada:secret@127.0.0.1:9", host: "127.0.0.1:9", variable: "HTTPS_PROXY" },
  });
  assert.equal(
    message,
    "Cannot reach auth.example.com through the proxy 127.0.0.1:9: the connection was refused.",
  );
});

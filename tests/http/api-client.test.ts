/** Proves the client's patience, its bounds, and what it calls each answer, against real servers on loopback. */

import assert from "node:assert/strict";
import { textOf } from "../../src/http/api-answer.ts";
import { type ClientOptions, openApiClient } from "../../src/http/api-client.ts";
import type { Refusals } from "../../src/http/api-errors.ts";
import { AppError } from "../../src/errors.ts";
import { openNetwork } from "../../src/system/network.ts";
import { expectRejection } from "../expect-error.ts";

const REFUSALS: Refusals = {
  hints: { FORBIDDEN: "Ask first.", NOT_FOUND: "Look.", CONFLICT: "Decide.", INVALID: "Correct it." },
  refusesToken: (answer) => answer.status === 403 && textOf(answer) === "nobody\n",
};

/** A client of a server that answers as told; what it asked, waited and logged is recorded. */
async function withServer(
  answer: (request: Request, count: number) => Response | Promise<Response>,
  test: (setup: {
    readonly client: ReturnType<typeof openApiClient>;
    readonly asked: readonly { readonly method: string; readonly path: string; readonly token: string }[];
    readonly waits: readonly number[];
    readonly lines: readonly string[];
    readonly forced: () => number;
    readonly baseUrl: string;
  }) => Promise<void>,
  options: Partial<ClientOptions> = {},
): Promise<void> {
  const asked: { method: string; path: string; token: string }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    const token = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
    asked.push({ method: request.method, path: pathname + search, token });
    return answer(request, asked.length);
  });
  using network = openNetwork();
  const waits: number[] = [];
  const lines: string[] = [];
  let forced = 0;
  let time = 0;
  const baseUrl = `http://127.0.0.1:${server.addr.port}/base`;
  const client = openApiClient({
    baseUrl,
    what: 'the project "web"',
    who: "ada@example.com",
    refusals: REFUSALS,
    fetch: network.fetch,
    token: (force) => {
      if (force) forced++;
      return Promise.resolve(`secret-${forced}`);
    },
    now: () => time,
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      time += milliseconds;
      return Promise.resolve();
    },
    random: () => 0.5,
    requestTimeout: 10_000,
    signal: new AbortController().signal,
    log: (line) => lines.push(line),
    ...options,
  });
  try {
    await test({ client, asked, waits, lines, forced: () => forced, baseUrl });
  } finally {
    await server.shutdown();
  }
}

const status = (code: number, message: string, reason = "") =>
  Response.json({ kind: "Status", apiVersion: "v1", status: "Failure", message, reason, code }, {
    status: code,
  });

Deno.test("a token refused in the middle is made anew once, and the request is sent again, a POST too", async () => {
  await withServer(
    (request) =>
      request.headers.get("authorization") === "Bearer secret-0"
        ? status(401, "Unauthorized")
        : Response.json({ ok: true }),
    async ({ client, asked, forced }) => {
      assert.deepEqual(await client.post("/apis", { a: 1 }), { ok: true });
      assert.deepEqual(asked.map(({ token }) => token), ["secret-0", "secret-1"]);
      assert.equal(forced(), 1);
    },
  );
});

for (
  const [name, refusal] of [
    ["401", () => status(401, "Unauthorized")],
    ["a 403 that refuses the token", () => new Response("nobody\n", { status: 403 })],
    ["401 in plain text", () => new Response("no\n", { status: 401 })],
  ] as const
) {
  Deno.test(`${name} that survives one refresh is SESSION_REJECTED, and nothing is asked a third time`, async () => {
    await withServer(refusal, async ({ client, asked, forced }) => {
      await expectRejection(client.get("/api"), {
        code: "SESSION_REJECTED",
        exitCode: 4,
        message: /does not accept a fresh token of ada@example\.com/,
      });
      assert.equal(asked.length, 2);
      assert.equal(forced(), 1);
    });
  });
}

Deno.test("a token that another process renewed meanwhile is used, and none is made anew", async () => {
  const stored = ["old", "new"];
  await withServer(
    (request) =>
      request.headers.get("authorization") === "Bearer new" ? Response.json({}) : status(401, "Unauthorized"),
    async ({ client, asked }) => {
      await client.get("/api");
      assert.deepEqual(asked.map(({ token }) => token), ["old", "new"]);
    },
    {
      token: (force) => {
        assert.equal(force, false);
        return Promise.resolve(stored.length > 1 ? stored.shift() ?? "" : stored[0] ?? "");
      },
    },
  );
});

Deno.test("twenty requests refused at once cause one refresh", async () => {
  let forced = 0;
  await withServer(
    (request) =>
      request.headers.get("authorization") === "Bearer t1" ? Response.json({}) : status(401, "Unauthorized"),
    async ({ client }) => {
      await Promise.all(Array.from({ length: 20 }, (_, at) => client.get(`/api/${at}`)));
      assert.equal(forced, 1);
    },
    {
      async token(force) {
        await Promise.resolve();
        if (force) forced++;
        return `t${forced}`;
      },
    },
  );
});

Deno.test("a refresh that gives the same token again is not worth another request", async () => {
  await withServer(() => status(401, "Unauthorized"), async ({ client, asked }) => {
    await expectRejection(client.get("/api"), { code: "SESSION_REJECTED", exitCode: 4 });
    assert.equal(asked.length, 1);
  }, { token: () => Promise.resolve("secret-same") });
});

for (
  const [name, answer, code, exit, words] of [
    [
      "403",
      () => status(403, 'namespaces is forbidden: User "ada@example.com" cannot list', "Forbidden"),
      "FORBIDDEN",
      5,
      /ada@example\.com may not do this in the project "web" \(HTTP 403: namespaces is forbidden/,
    ],
    [
      "403 in plain text",
      () => new Response("access denied\n", { status: 403 }),
      "FORBIDDEN",
      5,
      /access denied/,
    ],
    [
      "404",
      () => status(404, 'namespaces "x" not found', "NotFound"),
      "NOT_FOUND",
      1,
      /the project "web" \(HTTP 404: namespaces "x" not found\)/,
    ],
    [
      "404 as an HTML page",
      () => new Response("<html>lost</html>", { status: 404 }),
      "NOT_FOUND",
      1,
      /HTTP 404: an HTML page/,
    ],
    ["409", () => status(409, "already exists", "AlreadyExists"), "CONFLICT", 1, /already exists/],
    ["422", () => status(422, "metadata.name: Invalid value", "Invalid"), "INVALID", 1, /metadata\.name/],
    ["400", () => status(400, "unknown field"), "INVALID", 1, /unknown field/],
    ["405 without a word", () => new Response(null, { status: 405 }), "INVALID", 1, /\(HTTP 405\)/],
    [
      "a message that would steer a terminal",
      () => status(404, "\u001b[2Jgone\u202e\nx"),
      "NOT_FOUND",
      1,
      /404: \[2Jgone {2}x\)/,
    ],
  ] as const
) {
  Deno.test(`${name} is ${code}, with who, what and where, and is not asked again`, async () => {
    await withServer(answer, async ({ client, asked }) => {
      await expectRejection(client.get("/api"), { code, exitCode: exit, message: words });
      assert.equal(asked.length, 1);
    });
  });
}

Deno.test("503 and 429 are asked again with growing pauses until they pass", async () => {
  await withServer(
    (_, count) =>
      count === 1 ? status(503, "later") : count === 2 ? status(429, "slowly") : Response.json({ ok: 1 }),
    async ({ client, waits }) => {
      assert.deepEqual(await client.get("/api"), { ok: 1 });
      assert.deepEqual(waits, [200, 400]);
    },
  );
});

Deno.test("what does not pass is NETWORK after four requests; once means once", async () => {
  await withServer(() => status(503, "the server is unable"), async ({ client, asked }) => {
    await expectRejection(client.get("/api"), {
      code: "NETWORK",
      exitCode: 6,
      message: /HTTP 503: the server is unable/,
    });
    assert.equal(asked.length, 4);
    await expectRejection(client.get("/api", { once: true }), { code: "NETWORK", exitCode: 6 });
    assert.equal(asked.length, 5);
  });
});

Deno.test("a POST is sent once, a review that changes nothing again", async () => {
  await withServer(
    (_, count) => count < 3 ? status(500, "oops") : Response.json({}),
    async ({ client, asked }) => {
      await expectRejection(client.post("/apis", {}), { code: "NETWORK", exitCode: 6 });
      assert.equal(asked.length, 1);
      await client.post("/apis", {}, { safe: true });
      assert.equal(asked.length, 3);
    },
  );
});

Deno.test("a Retry-After inside the bound is waited for, one beyond it is not", async () => {
  const after = (seconds: string) => new Response("", { status: 429, headers: { "retry-after": seconds } });
  await withServer((_, count) => count === 1 ? after("7") : Response.json({}), async ({ client, waits }) => {
    await client.get("/api");
    assert.deepEqual(waits, [7000]);
  });
  await withServer(() => after("11"), async ({ client, waits, asked }) => {
    await expectRejection(client.get("/api"), { code: "NETWORK", exitCode: 6 });
    assert.deepEqual(waits, []);
    assert.equal(asked.length, 1);
  });
  await withServer(
    (_, count) => count === 1 ? after("Thu, 01 Jan 1970 00:00:05 GMT") : Response.json({}),
    async ({ client, waits }) => {
      await client.get("/api");
      assert.deepEqual(waits, [5000]);
    },
  );
});

Deno.test("a connection that breaks is opened again for a GET, and a server that is gone is NETWORK", async () => {
  let connections = 0;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
  const serving = (async () => {
    for await (const connection of listener) {
      connections++;
      await connection.read(new Uint8Array(4096));
      // The first gets nothing, the second half an answer.
      const part = connections === 1 ? "" : connections === 2 ? answer.slice(0, -1) : answer;
      await connection.write(new TextEncoder().encode(part));
      connection.close();
    }
  })();
  const baseUrl = `http://127.0.0.1:${listener.addr.port}`;
  await withServer(() => Response.json({}), async ({ client, waits }) => {
    assert.deepEqual(await client.get("/api"), {});
    assert.equal(connections, 3);
    connections = 1;
    await expectRejection(client.post("/api", {}), {
      code: "NETWORK",
      exitCode: 6,
      message: /half-way|closed/,
    });
    listener.close();
    await serving;
    const before = waits.length;
    await expectRejection(client.get("/api"), { code: "NETWORK", exitCode: 6, message: /refused/ });
    assert.equal(waits.length - before, 3);
  }, { baseUrl });
});

Deno.test("an answer whose headers do not come in time is NETWORK, and names the flag", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await withServer(() => promise, async ({ client }) => {
    const error = await expectRejection(client.post("/api", {}));
    assert.equal(error.code, "NETWORK");
    assert.match(error.hint ?? "", /--request-timeout/);
    resolve(Response.json({}));
  }, { requestTimeout: 50 });
});

Deno.test("a body may take longer than the bound, but not be silent for so long", async () => {
  const parts = (count: number, stop: boolean) => {
    let timer: ReturnType<typeof setInterval>;
    return new ReadableStream<Uint8Array>({
      start(controller) {
        let sent = 0;
        controller.enqueue(new TextEncoder().encode('{"a":"'));
        timer = setInterval(() => {
          if (sent < count) controller.enqueue(new TextEncoder().encode("x"));
          else if (!stop) {
            clearInterval(timer);
            controller.enqueue(new TextEncoder().encode('"}'));
            controller.close();
          }
          sent++;
        }, 100);
      },
      cancel: () => clearInterval(timer),
    });
  };
  await withServer(
    (request) => new Response(request.url.endsWith("/slow") ? parts(12, false) : parts(1, true)),
    async ({ client }) => {
      assert.deepEqual(await client.get("/slow"), { a: "x".repeat(12) });
      await expectRejection(client.post("/silent", {}), { code: "NETWORK", exitCode: 6, message: /in time/ });
    },
    { requestTimeout: 1000 },
  );
});

Deno.test("an answer of more than 64 MiB is refused, and not asked for again", async () => {
  const mebibyte = new Uint8Array(1024 * 1024).fill(32);
  await withServer(() =>
    new Response(ReadableStream.from((async function* () {
      for (let sent = 0; sent < 80; sent++) yield mebibyte;
    })())), async ({ client, asked }) => {
    await expectRejection(client.get("/api"), { code: "NETWORK", exitCode: 6, message: /more than 64 MiB/ });
    assert.equal(asked.length, 1);
  });
});

Deno.test("an answer that holds nothing that was asked for is not read beyond 1 MiB, whatever its status says", async () => {
  for (const status of [404, 206, 203]) {
    await withServer(
      () => new Response(new Uint8Array(1024 * 1024 + 1), { status }),
      async ({ client }) => {
        await expectRejection(client.get("/api"), {
          code: "NETWORK",
          exitCode: 6,
          message: /more than 1 MiB/,
        });
      },
    );
  }
});

Deno.test("answers that share an allowance are refused together beyond it, and then nothing more is asked", async () => {
  const budget = { bytes: 1024 * 1024, left: 1024 * 1024 };
  await withServer(
    () => new Response(JSON.stringify({ a: "x".repeat(400_000) })),
    async ({ client, asked }) => {
      await client.get("/1", { budget });
      await client.get("/2", { budget });
      await expectRejection(client.get("/3", { budget }), {
        code: "NETWORK",
        exitCode: 6,
        message: /more than 1 MiB/,
      });
      await expectRejection(client.get("/4", { budget }), {
        code: "NETWORK",
        exitCode: 6,
        message: /more than 1 MiB/,
      });
      assert.equal(asked.length, 3);
    },
  );
});

Deno.test("a request's own signal ends it and its pauses, and what it says is not asked again", async () => {
  const reason = new AppError("NETWORK", "Too long.");
  const own = new AbortController();
  const { promise, resolve } = Promise.withResolvers<Response>();
  await withServer(() => {
    own.abort(reason);
    return promise;
  }, async ({ client, asked }) => {
    await expectRejection(client.get("/api", { signal: own.signal }), {
      code: "NETWORK",
      exitCode: 6,
      message: /Too long/,
    });
    await expectRejection(client.get("/api", { signal: own.signal }), {
      code: "NETWORK",
      exitCode: 6,
      message: /Too long/,
    });
    assert.equal(asked.length, 1);
    resolve(Response.json({}));
  });
});

for (const code of [400, 403, 404, 409, 418, 429, 500]) {
  Deno.test(`a token that a ${code} repeats is in no message and no line of the log`, async () => {
    const repeat = (request: Request) => {
      const sent = request.headers.get("authorization") ?? "";
      const words = `bad header: ${sent} ${encodeURIComponent(sent)}`;
      return new URL(request.url).pathname.includes("plain")
        ? new Response(words, { status: code })
        : status(code, words, sent);
    };
    await withServer(repeat, async ({ client, lines }) => {
      for (const path of ["/api", "/plain", "/plain/bearer-SECRET+1"]) {
        const error = await expectRejection(client.get(path));
        assert.match(error.message, /bad header: Bearer …/);
        assert.doesNotMatch(`${error.message} ${error.hint} ${JSON.stringify(error.cause)}`, /SECRET/);
      }
      assert.doesNotMatch(lines.join(), /SECRET/);
    }, { token: () => Promise.resolve("bearer-SECRET+1") });
  });
}

Deno.test("a token that a success repeats is its own, and what it calls itself is not said", async () => {
  const body = JSON.stringify({ kind: "Secret", data: { token: "bearer-SECRET" } });
  await withServer(
    (request) =>
      request.url.endsWith("/odd")
        ? new Response("?", { headers: { "content-type": "x/bearer-SECRET" } })
        : new Response(body),
    async ({ client }) => {
      assert.equal(textOf(await client.send({ method: "GET", path: "/secret" })), body);
      const error = await expectRejection(client.get("/odd"));
      assert.doesNotMatch(error.message, /SECRET/);
    },
    { token: () => Promise.resolve("bearer-SECRET") },
  );
});

Deno.test("a redirect is refused, and the token goes nowhere else", async () => {
  await withServer(
    (request) =>
      new Response(null, { status: 302, headers: { location: new URL("/elsewhere", request.url).href } }),
    async ({ client, asked }) => {
      await expectRejection(client.get("/api"), {
        code: "NETWORK",
        exitCode: 6,
        message: /redirect \(HTTP 302\)/,
      });
      assert.deepEqual(asked.map(({ path }) => path), ["/base/api"]);
    },
  );
});

Deno.test("a success is what its body is: JSON under any label, and a portal's page under none", async () => {
  await withServer((request) => {
    switch (new URL(request.url).pathname) {
      case "/base/plain":
        return new Response('{"kind":"APIGroupDiscoveryList"}', {
          headers: { "content-type": "text/plain" },
        });
      case "/base/portal":
        return new Response("<html>Wi-Fi</html>", { headers: { "content-type": "text/html" } });
      case "/base/list":
        return new Response("[]", { headers: { "content-type": "application/json" } });
      default:
        return new Response(null);
    }
  }, async ({ client }) => {
    assert.deepEqual(await client.get("/plain"), { kind: "APIGroupDiscoveryList" });
    await expectRejection(client.get("/portal"), {
      code: "NETWORK",
      exitCode: 6,
      message: /"text\/html" that is not a JSON object/,
    });
    await expectRejection(client.get("/list"), {
      code: "NETWORK",
      exitCode: 6,
      message: /not a JSON object/,
    });
    await expectRejection(client.get("/empty"), { code: "NETWORK", exitCode: 6, message: /nothing/ });
  });
});

Deno.test("what is sent stands below the base URL, with its query, and the log has neither query nor token", async () => {
  await withServer(
    (request) => Response.json({ accept: request.headers.get("accept") }),
    async ({ client, asked, lines }) => {
      assert.deepEqual(
        await client.get("/api?limit=5", { query: { fieldSelector: "a=b c" }, accept: "x/y" }),
        { accept: "x/y" },
      );
      assert.equal(asked[0]?.path, "/base/api?limit=5&fieldSelector=a%3Db+c");
      assert.match(lines.join("\n"), /^GET 127\.0\.0\.1:\d+\/base\/api 200 in \d+ ms$/);
    },
  );
});

Deno.test("send gives any answer as it came", async () => {
  await withServer(
    () => new Response("\ufeffteapot\n", { status: 418, headers: { "x-a": "b" } }),
    async ({ client }) => {
      const answer = await client.send({ method: "GET", path: "/api" });
      assert.equal(answer.status, 418);
      assert.equal(answer.headers.get("x-a"), "b");
      assert.equal(textOf(answer), "\ufeffteapot\n");
      assert.equal(client.refusal(answer).code, "INVALID");
    },
  );
});

Deno.test("an interruption ends a request and a pause with its own reason", async () => {
  const reason = new AppError("INTERRUPTED", "Stopped.");
  const during = new AbortController();
  const { promise, resolve } = Promise.withResolvers<Response>();
  await withServer(() => {
    during.abort(reason);
    return promise;
  }, async ({ client }) => {
    await expectRejection(client.get("/api"), { code: "INTERRUPTED", exitCode: 130 });
    resolve(Response.json({}));
  }, { signal: during.signal });
  const pausing = new AbortController();
  await withServer(() => status(503, "later"), async ({ client, asked }) => {
    await expectRejection(client.get("/api"), { code: "INTERRUPTED", exitCode: 130 });
    assert.equal(asked.length, 1);
  }, {
    signal: pausing.signal,
    sleep: (_, signal) => {
      pausing.abort(reason);
      signal?.throwIfAborted();
      return Promise.resolve();
    },
  });
});

Deno.test("a write is sent again after 429, and after what may have lost its answer only where that does no harm", async () => {
  const put = {
    path: "/x",
    body: "{}",
    contentType: "application/merge-patch+json",
    method: "PATCH",
  } as const;
  const first = (code: number) => (_: Request, count: number) =>
    count === 1 ? status(code, "later") : Response.json({ ok: 1 });
  for (
    const [code, repeatable, requests] of [[429, false, 2], [503, false, 1], [503, true, 2], [
      429,
      true,
      2,
    ]] as const
  ) {
    await withServer(first(code), async ({ client, asked }) => {
      const answer = await client.send({ ...put, repeatable });
      assert.equal(asked.length, requests, `${code} ${repeatable}`);
      assert.equal(answer.status, requests === 2 ? 200 : code);
    });
  }
});

Deno.test("a body goes out as it is, with its type, and a query without what is undefined", async () => {
  let got: readonly unknown[] = [];
  await withServer(async (request) => {
    got = [new URL(request.url).search, request.headers.get("content-type"), await request.text()];
    return Response.json({});
  }, async ({ client }) => {
    await client.send({
      method: "PATCH",
      path: "/x",
      query: { force: "true", dryRun: undefined },
      body: '{"big":9007199254740993}',
      contentType: "application/apply-patch+yaml",
    });
    assert.deepEqual(got, ["?force=true", "application/apply-patch+yaml", '{"big":9007199254740993}']);
  });
});

Deno.test("a stream is handed over as it comes, beyond the limits of time and size, and its signal ends it", async () => {
  const stop = new AbortController();
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  await withServer(
    () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => timer = setTimeout(resolve, 150));
            if (!isOver) controller.enqueue(new TextEncoder().encode("x\n"));
          },
          cancel() {
            isOver = true;
          },
        }),
      ),
    async ({ client }) => {
      const { status, refusal, body } = await client.stream({ method: "GET", path: "/w" }, stop.signal);
      assert.deepEqual([status, refusal], [200, undefined]);
      let parts = 0;
      await assert.rejects(async () => {
        for await (const part of body) {
          assert.equal(new TextDecoder().decode(part), "x\n");
          parts += 1;
          if (parts === 3) stop.abort(new AppError("INTERRUPTED", "stopped"));
        }
      }, (error: AppError) => error.code === "INTERRUPTED");
      assert.equal(parts, 3);
      isOver = true;
      clearTimeout(timer);
    },
    { requestTimeout: 200 },
  );
});

Deno.test("a stream is asked for with a new token after a refusal, and a refusal that stays is an answer", async () => {
  await withServer(
    (_, count) => count === 2 ? new Response("line\n") : status(401, "Unauthorized"),
    async ({ client, asked, forced }) => {
      const signal = new AbortController().signal;
      const good = await client.stream({ method: "GET", path: "/w" }, signal);
      assert.equal(await textOfParts(good.body), "line\n");
      assert.deepEqual([asked.length, forced()], [2, 1]);
      const refused = await client.stream({ method: "GET", path: "/w" }, signal);
      assert.equal(refused.status, 401);
      assert.equal(refused.refusal?.status, 401);
      assert.match(await textOfParts(refused.body), /Unauthorized/);
    },
  );
});

Deno.test("a stream whose headers do not come in time is NETWORK", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await withServer(() => promise, async ({ client }) => {
    await expectRejection(client.stream({ method: "GET", path: "/w" }, new AbortController().signal), {
      code: "NETWORK",
    });
    resolve(new Response());
  }, { requestTimeout: 100 });
});

async function textOfParts(body: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<string> {
  return await new Blob(await Array.fromAsync(body)).text();
}

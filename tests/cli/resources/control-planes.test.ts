/** Proves commands on Datum's control planes before the real API server: their paths, and tokens that the server refuses. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { signInByHttp } from "../../cloud/browser.ts";
import { printedError } from "../../expect-error.ts";
import { printedAddress, whenPrinted } from "../../when-printed.ts";
import { until } from "../../until.ts";
import { ADA, GRACE } from "../world.ts";
import { good } from "../run-line.ts";
import { openPlanes } from "./planes.ts";
import { atHand } from "./world.ts";

const ANONYMOUS = {
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  reason: "Forbidden",
  code: 403,
  message: 'forbidden: User "system:anonymous" cannot get path "/api"',
};

Deno.test("every control plane, before the real API server", { ignore: !atHand }, async (context) => {
  await using planes = await openPlanes();
  const { world, server, server: { proxy } } = planes;
  const subject = world.cloud.users.find(({ email }) => email === ADA)?.sub ?? assert.fail();
  await planes.signIn(ADA);
  const token = async () => `Bearer ${(await world.ok("auth get-token")).trim()}`;
  const refreshes = () => world.cloud.counts()["token:refresh_token"] ?? 0;

  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "doomed" } };
  const names = {
    organization: 'the organization "acme"',
    project: 'the project "web"',
    user: "the control plane of the signed-in user",
    platform: `the platform ${proxy.host}`,
  };
  const rows = [
    ["--organization acme", "organization", "acme"],
    ["--project web", "project", "web"],
    ["--own", "user", subject],
    ["--platform-wide", "platform", ""],
  ] as const;
  for (const [flags, kind, id] of rows) {
    await context.step(`${flags}: each request goes to it`, async () => {
      proxy.requests.length = 0;
      assert.match(await world.ok(`api-resources ${flags} -o name`), /^dnszones\.dns\.networking/m);
      assert.match(await world.ok(`get --raw /version ${flags}`), /"gitVersion": ?"v1\.34/);
      assert.match(await world.ok(`auth whoami ${flags}`), new RegExp(`Username +${ADA}\n`));
      assert.equal(await world.ok(`auth can-i create dnszones ${flags}`), "yes\n");
      assert.deepEqual(
        proxy.requests.filter(({ scope }) => scope.kind !== kind || scope.id !== id),
        [],
      );
      // What was learned is kept for each of them: a second question is one request.
      proxy.requests.length = 0;
      assert.equal(await world.ok(`auth can-i create dz ${flags}`), "yes\n");
      assert.equal(proxy.requests.length, 1);
    });

    await context.step(
      `${flags}: discovery that is labelled as plain JSON is read all the same`,
      async () => {
        proxy.plainDiscovery = true;
        const names = await world.ok(`api-resources ${flags} -o name`);
        proxy.plainDiscovery = false;
        assert.equal(names, await world.ok(`api-resources ${flags} -o name`));
      },
    );

    await context.step(
      `${flags}: an address of OpenAPI is found below it, however it is written`,
      async () => {
        const { paths } = JSON.parse(await world.ok(`get --raw /openapi/v3 ${flags}`));
        const { serverRelativeURL: url } = paths["api/v1"];
        proxy.requests.length = 0;
        const document = await world.ok(["get", "--raw", url, ...flags.split(" ")]);
        const [{ path = "" } = {}] = proxy.requests;
        const prefix = path.slice(0, path.length - url.length);
        assert.equal(path, prefix + url);
        assert.equal(prefix.endsWith("/control-plane"), kind !== "platform", path);
        assert.equal(await world.ok(["get", "--raw", prefix + url, ...flags.split(" ")]), document);
      },
    );

    await context.step(`${flags}: resources are explained and described there`, async () => {
      proxy.requests.length = 0;
      assert.match(await world.ok(`explain dnszones.spec ${flags}`), /^GROUP: +dns\.networking[^]*FIELDS:/);
      assert.match(await world.ok(`describe ns default ${flags}`), /^Name: +default\n/);
      assert.ok(proxy.requests.every(({ scope }) => scope.kind === kind && scope.id === id));
      assert.ok(proxy.requests.some(({ path }) => path.includes("/openapi/v3/apis/dns.networking")));
    });

    await context.step(
      `${flags}: get lists it in parts, with a new token where the old one is refused between them`,
      async () => {
        const old = await token();
        const before = refreshes();
        proxy.intercept = ({ path, authorization }) =>
          path.includes("continue=") && authorization === old
            ? Response.json({ ...ANONYMOUS, reason: "Unauthorized", code: 401 }, { status: 401 })
            : undefined;
        proxy.requests.length = 0;
        const listed = await world.ok(`get clusterroles --chunk-size 20 -o name ${flags}`);
        proxy.intercept = undefined;
        assert.equal(refreshes(), before + 1);
        assert.ok(proxy.requests.length > 3);
        assert.ok(proxy.requests.every(({ scope }) => scope.kind === kind && scope.id === id));
        assert.equal(listed, await world.ok(`get clusterroles -o name ${flags}`));
        assert.match(await world.ok(`get ns default ${flags}`), /^NAME +STATUS +AGE\ndefault +Active /);
        assert.match(
          await world.ok(`get organizationmemberships -A ${flags}`),
          /^NAMESPACE +NAME.*\norganization-acme +ada /,
        );
      },
    );

    await context.step(
      `${flags}: a watch goes on with a new token where the old one is refused`,
      async () => {
        const old = await token();
        const ending = new AbortController();
        let watches = 0;
        proxy.intercept = ({ path, authorization }) => {
          if (!path.includes("watch=")) return undefined;
          watches += 1;
          if (authorization === old) {
            return Response.json({ ...ANONYMOUS, reason: "Unauthorized", code: 401 }, { status: 401 });
          }
          return undefined;
        };
        let printed = "";
        const watching = world.run(`get cm -w -n kube-system -o name ${flags}`, {
          interrupted: ending.signal,
          onStdout: (soFar) => void (printed = soFar),
        });
        await until(() => watches > 1);
        await server.admin.apply({
          ...configMap,
          metadata: { name: `seen-${kind}`, namespace: "kube-system" },
        });
        await until(() => printed.includes(`seen-${kind}`), "the change");
        ending.abort();
        proxy.intercept = undefined;
        const { code, stdout, stderr } = await watching;
        assert.equal(code, 130, stderr);
        assert.match(stdout, new RegExp(`^configmap/seen-${kind}$`, "m"));
      },
    );

    await context.step(`${flags}: a write says where it goes, on a terminal`, async () => {
      await server.admin.apply(configMap);
      const host = kind === "platform" ? "" : ` of ${proxy.host}`;
      const { code, stdout, stderr } = await world.run(`delete cm doomed -n default ${flags}`, { keys: [] });
      assert.deepEqual([code, stdout], [0, 'configmap "doomed" deleted from default namespace\n'], stderr);
      assert.equal(stderr, `in ${names[kind]}${host}, namespace default\n`);
      await server.admin.apply(configMap);
      assert.equal((await world.run(`delete cm doomed ${flags} -q`, { keys: [] })).stderr, "");
      await server.admin.apply(configMap);
      assert.equal((await world.run(`delete cm doomed ${flags}`)).stderr, "");
    });

    await context.step(
      `${flags}: apply goes on with a new token where the server refuses the old one in the middle`,
      async () => {
        const file = `${world.sandbox.folder}/maps.yaml`;
        const write = (text: string) =>
          Deno.writeTextFile(
            file,
            ["one", "two", "three"].map((name) =>
              JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { text } })
            ).join("\n---\n"),
          );
        const lines = (word: string) =>
          ["one", "two", "three"].map((name) => `configmap/${name} ${word}\n`).join("");
        await write("a");
        const { stdout, stderr } = await world.run(`apply -f ${file} ${flags}`, { keys: [] });
        assert.equal(stdout, lines("created"), stderr);
        assert.match(stderr, new RegExp(`^in ${names[kind]}`));
        assert.equal(await world.ok(`apply -f ${file} ${flags}`), lines("unchanged"));
        await write("b");
        const old = await token();
        const before = refreshes();
        let patches = 0;
        proxy.intercept = ({ method, authorization }) =>
          method === "PATCH" && authorization === old && patches++ > 0
            ? Response.json({ ...ANONYMOUS, reason: "Unauthorized", code: 401 }, { status: 401 })
            : undefined;
        proxy.requests.length = 0;
        const told = await world.ok(`apply -f ${file} ${flags}`);
        proxy.intercept = undefined;
        assert.equal(told, lines("configured"));
        assert.equal(refreshes(), before + 1);
        assert.ok(proxy.requests.every(({ scope }) => scope.kind === kind && scope.id === id));
        await world.ok(`delete -f ${file} ${flags}`);
      },
    );

    await context.step(`${flags}: a write whose token is refused is sent again with a new one`, async () => {
      await server.admin.apply(configMap);
      const old = await token();
      const before = refreshes();
      proxy.intercept = ({ method, authorization }) =>
        method === "DELETE" && authorization === old
          ? Response.json({ ...ANONYMOUS, reason: "Unauthorized", code: 401 }, { status: 401 })
          : undefined;
      const told = await world.ok(`delete cm doomed ${flags}`);
      proxy.intercept = undefined;
      assert.equal(told, 'configmap "doomed" deleted from default namespace\n');
      assert.equal(refreshes(), before + 1);
    });

    await context.step(`${flags}: a token that is refused in the middle is renewed once`, async () => {
      const old = await token();
      const before = refreshes();
      let answered = 0;
      proxy.intercept = ({ authorization }) => {
        if (authorization !== old || answered++ < 1) return undefined;
        return Response.json({ ...ANONYMOUS, reason: "Unauthorized", code: 401, message: "Unauthorized" }, {
          status: 401,
        });
      };
      assert.match(await world.ok(`api-resources ${flags} -o name`), /^dnszones\.dns\.networking/m);
      proxy.intercept = undefined;
      assert.equal(refreshes(), before + 1);
      assert.ok(answered > 1);
      assert.notEqual(await token(), old);
    });

    await context.step(`${flags}: who is anonymous to the server is not signed in there`, async () => {
      const old = await token();
      const before = refreshes();
      proxy.intercept = ({ authorization }) =>
        authorization === old ? Response.json(ANONYMOUS, { status: 403 }) : undefined;
      await world.ok(`get --raw /api ${flags}`);
      assert.equal(refreshes(), before + 1);
      proxy.intercept = () => Response.json(ANONYMOUS, { status: 403 });
      printedError(await world.run(`get --raw /api ${flags} --error-format json`), {
        code: "SESSION_REJECTED",
        exitCode: 4,
      });
      proxy.intercept = undefined;
      assert.equal(refreshes(), before + 2);
    });
  }

  await context.step("a control plane that does not exist is told, and no token renewed for it", async () => {
    const before = refreshes();
    for (const flags of ["--organization nobody", "--project nothing"]) {
      printedError(await world.run(`get --raw /api ${flags} --error-format json`), {
        code: "FORBIDDEN",
        exitCode: 5,
        hint: new RegExp(`can-i --list ${flags}`),
      });
    }
    assert.equal(refreshes(), before);
  });

  await context.step("each person has a control plane of their own", async () => {
    await planes.signIn(GRACE);
    proxy.requests.length = 0;
    assert.match(await world.ok("auth whoami --own"), new RegExp(`Username +${GRACE}\n`));
    assert.ok(proxy.requests.every(({ scope }) => scope.kind === "user" && scope.id !== subject));
    assert.match(await world.ok(["auth", "can-i", "--list", "--own"]), /\*\.\* .*\[get list watch\]/);
  });

  await context.step(
    "an ordinary cluster is acted on by its context, in the context's namespace",
    async () => {
      const { cloud } = world;
      good(
        await whenPrinted(
          printedAddress,
          (address) => signInByHttp(cloud, address, ADA),
          (onStderr) =>
            world.run(
              `login --issuer ${cloud.issuer} --client-id ${cloud.clientId} --profile plain ` +
                `--certificate-authority ${cloud.caFile} --keyring file --browser-command true`,
              { onStderr },
            ),
        ),
      );
      await world.ok(
        `auth update-kubeconfig --server ${server.url} --certificate-authority ${server.caFile} --context plain`,
      );
      const config = parse(await Deno.readTextFile(world.kubeconfig));
      config.contexts[0].context.namespace = "shop";
      await Deno.writeTextFile(world.kubeconfig, JSON.stringify(config));
      await server.admin.apply(
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
        { ...configMap, metadata: { name: "doomed", namespace: "shop" } },
        configMap,
      );
      proxy.requests.length = 0;
      assert.match(await world.ok("describe cm doomed"), /^Name: +doomed\nNamespace: +shop\n/);
      assert.match(
        await world.ok("describe cm doomed -n default --context plain"),
        /^Name: +doomed\nNamespace: +default\n/,
      );
      const { code, stdout, stderr } = await world.run("delete cm doomed --context plain", { keys: [] });
      assert.deepEqual([code, stdout], [0, 'configmap "doomed" deleted from shop namespace\n'], stderr);
      assert.equal(
        stderr,
        `in the cluster "datum-server-${server.host}", namespace shop unless another is named\n`,
      );
      assert.deepEqual(proxy.requests, []);
    },
  );
});

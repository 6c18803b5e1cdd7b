/** Proves what is written for Docker: its configuration byte for byte, the helper on PATH, the choice of a profile. */

import assert from "node:assert/strict";
import { shippedHelper } from "../../../src/cli/docker/helper-script.ts";
import { assertMissing, filesBelow, inScratch, modeOf, namesIn } from "../../scratch.ts";
import {
  ANOTHER,
  type DockerWorld,
  ORGANIZATION,
  registry,
  testWithDocker,
  TOKEN_ID,
} from "../docker-world.ts";

const EUROPE = registry();

/** Configures one registry. */
const configure = (world: DockerWorld, ...words: string[]) =>
  world.run(["auth", "configure-docker", "--registry", EUROPE, ...words]);

const read = (path: string) => Deno.readTextFile(path);

async function writeConfig({ config }: DockerWorld, text: string | Uint8Array): Promise<void> {
  await Deno.mkdir(config.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.writeFile(config, typeof text === "string" ? new TextEncoder().encode(text) : text);
}

testWithDocker(
  "a new file is private, names each region's registry, and goes on to be the same",
  async (world) => {
    await world.addProfile("ci");
    const out = await world.ok("auth configure-docker");
    const helper = `${world.home}/.local/bin/docker-credential-datumctl`;
    const regions = ["europe", "northamerica", "apac"].map((region) => registry(ORGANIZATION, region));
    assert.equal(
      out,
      `Docker config:  ${world.config}\nHelper:         ${helper}\nProfile:        ci (token ${TOKEN_ID})\n` +
        regions.map((host) => `Registry:       ${host}\n`).join(""),
    );
    const text = await read(world.config);
    const entries = regions.map((host) => `\t\t"${host}": "datumctl"`).join(",\n");
    assert.equal(text, `{\n\t"credHelpers": {\n${entries}\n\t}\n}\n`);
    assert.equal(await modeOf(world.config), 0o600);
    assert.equal(await modeOf(`${world.home}/.docker`), 0o700);
    assert.equal(await modeOf(helper), 0o755);
    assert.match(await read(helper), /^#!\/bin\/sh\nexec '\/.*' docker-credential "\$@"\n$/);
    assert.match(await world.ok("auth configure-docker"), /config\.json \(nothing to change\)\n/);
    assert.equal(await read(world.config), text);
    assert.deepEqual(await namesIn(`${world.home}/.docker`), ["config.json"]);
  },
);

const E = `"${EUROPE}": "datumctl"`;
/** Docker's file, and what it is with an entry. */
const FILES: readonly (readonly [what: string, before: string, after: string])[] = [
  [
    "docker's own layout, with a login and another helper",
    '{\n\t"auths": {\n\t\t"ghcr.io": {\n\t\t\t"auth": "dXNlcjpwYXNz"\n\t\t}\n\t},\n\t"credHelpers": {\n\t\t"gcr.io": "gcloud"\n\t}\n}',
    `{\n\t"auths": {\n\t\t"ghcr.io": {\n\t\t\t"auth": "dXNlcjpwYXNz"\n\t\t}\n\t},\n\t"credHelpers": {\n\t\t"gcr.io": "gcloud",\n\t\t${E}\n\t}\n}`,
  ],
  [
    "CRLF and four blanks",
    '{\r\n    "psFormat": "x"\r\n}\r\n',
    `{\r\n    "psFormat": "x",\r\n    "credHelpers": {\r\n        ${E}\r\n    }\r\n}\r\n`,
  ],
  [
    "one line, no final newline",
    '{"auths":{},"currentContext":"a"}',
    `{"auths":{},"currentContext":"a","credHelpers":{${E.replace(" ", "")}}}`,
  ],
  [
    "letters beyond ASCII and odd numbers",
    '{"é": "\\u00e9", "n": 1.0e0}',
    `{"é": "\\u00e9", "n": 1.0e0, "credHelpers": {${E}}}`,
  ],
  ["an empty file", "", `{\n\t"credHelpers": {\n\t\t${E}\n\t}\n}\n`],
];

for (const [what, before, after] of FILES) {
  testWithDocker(`only the entry changes: ${what}`, async (world) => {
    await world.addProfile("ci");
    await writeConfig(world, before);
    await Deno.chmod(world.config, 0o640);
    const done = await configure(world);
    assert.equal(done.code, 0, done.stderr);
    assert.equal(await read(world.config), after);
    assert.equal(await modeOf(world.config), 0o640, "the mode stays");
    await world.ok(["auth", "configure-docker", "--remove"]);
    assert.equal(await read(world.config), before === "" ? "{}\n" : before);
  });
}

testWithDocker(
  "a file that docker could not read, or that is no object, is refused and left alone",
  async (world) => {
    await world.addProfile("ci");
    const secret = "dXNlcjpwYXNzd29yZA";
    for (
      const [text, why] of [
        [`{"auths": "${secret}",}`, /it is not JSON/],
        [`{"auths": "${secret}", "auths": 1}`, /the same name twice/],
        [`\ufeff{"auths": "${secret}"}`, /a byte order mark/],
        [`["${secret}"]`, /not a JSON object/],
        [`{"credHelpers": "${secret}"}`, /"credHelpers" is not an object/],
        [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /it is not UTF-8/],
      ] as const
    ) {
      await writeConfig(world, text);
      const before = await Deno.readFile(world.config);
      for (const words of [[], ["--dry-run"], ["--remove"]]) {
        const { code, stdout, stderr } = await configure(world, ...words);
        assert.deepEqual([code, stdout], [1, ""], stderr);
        assert.match(stderr, why);
        assert.match(stderr, /and is left as it is/);
        assert.ok(!stderr.includes(secret), stderr);
        assert.deepEqual(await Deno.readFile(world.config), before);
      }
    }
    await assertMissing(`${world.home}/.local/bin/docker-credential-datumctl`);
  },
);

testWithDocker("a dry run writes nothing, and shows no login of the file", async (world) => {
  await world.addProfile("ci");
  await writeConfig(
    world,
    `{"auths":{"${EUROPE}":{"auth":"dXNlcjpwYXNz"}},"credHelpers":{"${EUROPE}":"gcloud"}}`,
  );
  const before = await filesBelow(world.home);
  const text = await read(world.config);
  const { code, stdout, stderr } = await configure(world, "--dry-run");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /credHelpers "\S+": "datumctl" instead of "gcloud"\n/);
  assert.match(stdout, /^Would write the helper .*\/\.local\/bin\/docker-credential-datumctl\.$/m);
  assert.doesNotMatch(stdout + stderr, /dXNlcjpwYXNz/);
  assert.deepEqual(await filesBelow(world.home), before);
  assert.equal(await read(world.config), text);
  assert.deepEqual(JSON.parse(await world.ok("docker-credential list")), {});
});

testWithDocker(
  "what takes precedence is said: another helper, credsStore, a login in the file",
  async (world) => {
    await world.addProfile("ci");
    await writeConfig(
      world,
      `{"auths":{"${EUROPE}":{"auth":"dXNlcjpwYXNz"},"ghcr.io":{}},"credsStore":"desktop","credHelpers":{"${EUROPE}":"gcloud"}}`,
    );
    const { stderr } = await configure(world);
    assert.match(stderr, /Docker asked docker-credential-gcloud for \S+ before\./);
    assert.match(stderr, /holds a login for \S+, readable to your programs.*docker logout 12345678-/);
    assert.match(
      stderr,
      /no longer asks docker-credential-desktop \(credsStore\): credHelpers comes first\./,
    );
    await world.ok("auth configure-docker --remove");
    assert.equal(
      await read(world.config),
      `{"auths":{"${EUROPE}":{"auth":"dXNlcjpwYXNz"},"ghcr.io":{}},"credsStore":"desktop"}`,
    );
  },
);

testWithDocker(
  "the file is DOCKER_CONFIG's or --config's, a folder means the one in it, a link is followed",
  async (world) => {
    await world.addProfile("ci");
    const folder = `${world.sandbox.folder}/elsewhere`;
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/real.json`, "{}");
    await Deno.symlink("real.json", `${folder}/config.json`);
    await world.ok(["auth", "configure-docker"], { env: { DOCKER_CONFIG: folder } });
    assert.match(await read(`${folder}/real.json`), /credHelpers/);
    assert.ok((await Deno.lstat(`${folder}/config.json`)).isSymlink);
    await world.ok(["auth", "configure-docker", "--remove", "--config", folder]);
    assert.equal(await read(`${folder}/real.json`), "{}");
    await world.ok(["auth", "configure-docker", "--config", `${folder}/auth.json`]);
    assert.match(await read(`${folder}/auth.json`), /credHelpers/);
    await assertMissing(world.config);
  },
);

testWithDocker("entries that are written at once are all there", async (world) => {
  await world.addProfile("ci");
  await writeConfig(world, '{\n\t"auths": {}\n}');
  const hosts = Array.from({ length: 8 }, (_, at) => registry(ORGANIZATION, `region-${at}`));
  await Promise.all(hosts.map((host) => world.ok(["auth", "configure-docker", "--registry", host])));
  const { auths, credHelpers } = JSON.parse(await read(world.config));
  assert.deepEqual(auths, {});
  assert.deepEqual(Object.keys(credHelpers).sort(), hosts.toSorted());
  assert.deepEqual(
    Object.keys(JSON.parse(await world.ok("docker-credential list"))).sort(),
    hosts.toSorted(),
  );
  assert.deepEqual(await namesIn(`${world.home}/.docker`), ["config.json"]);
});

testWithDocker(
  "a registry elsewhere is sealed with the profile, warned of, and forgotten with the entry",
  async (world) => {
    const secret = await world.addProfile("ci");
    const host = "registry.acme.example:5000";
    const done = await world.run(["auth", "configure-docker", "--registry", `https://${host}/v2/`]);
    assert.equal(done.code, 0, done.stderr);
    assert.match(
      done.stderr,
      /warning: registry\.acme\.example:5000 is not one of Cloudfleet's .* send it the token's secret/,
    );
    const got = await world.docker("get", host);
    assert.equal(JSON.parse(got.stdout).Secret, secret);
    assert.equal((await world.docker("get", "registry.acme.example")).code, 1);
    // A new secret for the profile leaves what it is for.
    await world.ok(["auth", "add-profile", "token", "ci", ORGANIZATION, TOKEN_ID, "--skip-validation"], {
      stdin: "another-secret-0123456789",
    });
    assert.equal(JSON.parse((await world.docker("get", host)).stdout).Secret, "another-secret-0123456789");

    await world.ok(["auth", "configure-docker", "--remove", "--registry", host]);
    assert.equal(await read(world.config), "{}\n");
    const path = `${world.sandbox.store.folders.config}/config.json`;
    await Deno.writeTextFile(
      path,
      JSON.stringify({ ...JSON.parse(await read(path)), registries: { [host]: "ci" } }),
    );
    assert.match(
      (await world.docker("get", host)).stdout,
      /is not for the registry/,
      "the seal forgot it, too",
    );
  },
);

testWithDocker("a profile that docker cannot use is refused with what to do", async (world) => {
  const refused = async (words: readonly string[], code: number, text: RegExp, env = {}) => {
    const ran = await world.run(["auth", "configure-docker", ...words], { env });
    assert.deepEqual([ran.code, ran.stdout], [code, ""], ran.stderr);
    assert.match(ran.stderr, text);
    await assertMissing(world.config);
  };
  await refused([], 4, /auth add-profile token default/);
  await world.ok(
    `auth add-profile user work ${ORGANIZATION} --issuer https://auth.example.com --client-id cli`,
  );
  await refused(["--profile", "work"], 2, /is a person's; registries take API tokens.*tokens create/s);
  await world.addProfile("theirs", { organization: ANOTHER });
  await refused(
    ["--profile", "theirs", "--registry", EUROPE],
    2,
    /registry of the organization 12345678-.*"theirs" is of dc78c04e-/,
  );
  await world.addProfile("staging", { words: ["--api-url", "https://api.staging.example/v1"] });
  await refused(
    ["--profile", "staging"],
    2,
    /Which registries go with the profile "staging" is not known.*--registry HOST/s,
  );
  for (const host of ["http://a.example", "a b", "a.example?x", "", "a.example@evil.example"]) {
    await refused(["--profile", "theirs", "--registry", host], 2, /is not a registry's host/);
  }
  await world.sandbox.add({ name: "ada" });
  await refused(["--profile", "ada"], 2, /is not a Cloudfleet profile/);
  await refused([], 2, /it is not stored with yours.*auth add-profile token/s, {
    CLOUDFLEET_ORGANIZATION_ID: ORGANIZATION,
    CLOUDFLEET_ACCESS_TOKEN_ID: TOKEN_ID,
    CLOUDFLEET_ACCESS_TOKEN_SECRET: "x".repeat(20),
    CLOUDFLEET_ISSUER: "https://auth.example.com",
  });
});

testWithDocker("removing takes out what names datumctl, and says when nothing does", async (world) => {
  await world.addProfile("ci");
  await writeConfig(world, `{"credHelpers":{"gcr.io":"gcloud","by.hand":"datumctl"}}`);
  await configure(world);
  const dry = await world.ok("auth configure-docker --remove --dry-run");
  assert.match(dry, /^Would remove by\.hand from .*\nWould remove 12345678-.*\n$/);
  await world.ok(["auth", "configure-docker", "--remove", "--registry", EUROPE]);
  assert.equal(await read(world.config), `{"credHelpers":{"gcr.io":"gcloud","by.hand":"datumctl"}}`);
  await world.ok("auth configure-docker --remove");
  assert.equal(await read(world.config), `{"credHelpers":{"gcr.io":"gcloud"}}`);
  assert.match(await world.ok("auth configure-docker --remove"), /names datumctl for no registry/);
  // The profile is gone: what was noted of it goes all the same.
  await configure(world);
  await world.ok("auth remove-profile ci");
  await world.ok("auth configure-docker --remove");
  assert.deepEqual(JSON.parse(await world.ok("docker-credential list")), {});
});

testWithDocker(
  "the helper is written where docker finds it, and no other program is replaced",
  async (world) => {
    await world.addProfile("ci");
    await inScratch(async (folder) => {
      const there = `${folder}/docker-credential-datumctl`;
      const at = (path: string) => world.run(["auth", "configure-docker"], { env: { PATH: path } });
      const nowhere = await at("/usr/bin:/bin");
      assert.equal(nowhere.code, 1);
      assert.match(
        nowhere.stderr,
        /Docker looks for docker-credential-datumctl on PATH[^]*export PATH="\$HOME\/\.local\/bin:\$PATH"/,
      );

      await Deno.writeTextFile(there, "#!/bin/sh\necho mine\n", { mode: 0o755 });
      const foreign = await at(`${folder}:${world.home}/.local/bin`);
      assert.match(foreign.stderr, /There is another program at .*, and it is left alone/);
      assert.equal(await read(there), "#!/bin/sh\necho mine\n");
      await assertMissing(world.config);

      await Deno.writeTextFile(there, shippedHelper(false));
      await Deno.writeTextFile(`${folder}/datumctl`, "#!/bin/sh\n", { mode: 0o755 });
      const shipped = await at(folder);
      assert.equal(shipped.code, 0, shipped.stderr);
      assert.ok(shipped.stdout.includes(`Helper:         ${there}\n`), shipped.stdout);
      assert.ok(shipped.stderr.includes(`runs ${folder}/datumctl, which is another program`), shipped.stderr);

      await Deno.writeTextFile(there, `#!/bin/sh\nexec '/old/it'\\''s' docker-credential "$@"\n`);
      assert.equal((await at(folder)).code, 0);
      assert.match(await read(there), /^#!\/bin\/sh\nexec '\/(?!old).*' docker-credential "\$@"\n$/);
      assert.equal(await modeOf(there), 0o755);

      await Deno.writeTextFile(
        there,
        '#!/bin/sh\nexec node "$basedir/../datumctl/bin/docker-credential-datumctl.js" "$@"\n',
      );
      assert.equal((await at(folder)).code, 0, "what a package manager made does");
    });
  },
);

testWithDocker(
  "an empty --config writes nothing, and a registry that is named twice is one",
  async (world) => {
    await world.addProfile("ci");
    const here = await namesIn(Deno.cwd());
    const { code, stderr } = await configure(world, "--config", "");
    assert.equal(code, 2);
    assert.match(stderr, /^error: --config is empty\./);
    assert.deepEqual(await namesIn(Deno.cwd()), here);
    const { stdout } = await configure(world, "--registry", EUROPE.toUpperCase());
    assert.equal(stdout.match(/^Registry:/gm)?.length, 1, stdout);
  },
);

/** Proves of generated kubeconfigs that an edit says what was meant, and leaves every line that it is not about. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import type { ExecEntry, KubeconfigEdit } from "../../src/kubeconfig/edit.ts";
import { editKubeconfig, type ParsedKubeconfig, parseKubeconfig } from "../../src/kubeconfig/text.ts";
import { allowError, expectError } from "../expect-error.ts";
import {
  anyEdit,
  edit,
  exec,
  INNER,
  jsonFile,
  name,
  yamlFile,
  yamlFileWithDuplicates,
} from "./generated-kubeconfigs.ts";
import { kubectl, kubectlData } from "../kube/kubectl.ts";

/**
 * The entries that an edit names stand in lines that may change. Every other line must come back untouched and
 * in its order: those of the other entries, comments outside of entries, unknown fields.
 */
function untouchedLines({ text, document }: ParsedKubeconfig, change: KubeconfigEdit): string[] {
  const touched = new Set([
    ...["clusters", "users", "contexts"].flatMap((key) => [
      ...(change[key as keyof typeof INNER] ?? []).map((one) => one.name),
      ...(change.remove?.[key as keyof typeof INNER] ?? []),
    ]),
  ]);
  const body = text.replace(/^\ufeff/, "");
  // A mapping on one line has no line that could stay.
  if (/^\{.*\}\s*$/.test(body)) return [];
  const mayChange: [number, number][] = [];
  const root = document.contents as unknown as {
    items?: {
      key: { value: string; range: number[] };
      value: { range?: number[]; flow?: boolean; items?: unknown[] };
    }[];
  };
  for (const pair of root.items ?? []) {
    const key = pair.key.value;
    const all: [number, number] = [
      pair.key.range[0] as number,
      pair.value?.range?.[1] ?? pair.key.range[1] as number,
    ];
    if (key === "current-context") mayChange.push(all);
    if (!(key in INNER)) continue;
    const items = pair.value.items ?? [];
    // A flow list may get an item on the line of another; an empty one becomes a list.
    if (pair.value.flow === true || items.length === 0) mayChange.push(all);
    // The key's line gets `[]` when nothing is left.
    mayChange.push([all[0], all[0]]);
    for (const one of items as { range: number[]; get?: (key: string) => unknown }[]) {
      if (touched.has(String(one.get?.("name")))) {
        const from = body.lastIndexOf("-", one.range[0]);
        mayChange.push([from, one.range[1] as number]);
      }
    }
  }
  let offset = 0;
  const lines: string[] = [];
  for (const line of body.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const end = offset + line.trimEnd().length;
    if (!mayChange.some(([a, b]) => a <= end && b > offset || a >= offset && a <= end)) {
      lines.push(line.trimEnd());
    }
    offset += line.length;
  }
  return lines;
}

function assertKept(lines: readonly string[], text: string): void {
  // In JSON a new neighbour puts a comma behind what was the last.
  const bare = (line: string) => text.startsWith("{") ? line.replace(/,$/, "") : line;
  const all = text.replace(/^\ufeff/, "").split("\n").map((line) => bare(line.trimEnd()));
  let at = 0;
  for (const line of lines) {
    const found = all.indexOf(bare(line), at);
    assert.ok(found >= 0, `lost or moved: ${JSON.stringify(line)}`);
    at = found + 1;
  }
}

/** A comment below an entry stands where it did: behind the entry's last line where that is kept, and nothing between. */
function assertBelow({ text }: ParsedKubeconfig, kept: readonly string[], result: string): void {
  const linesOf = (of: string) =>
    of.replace(/^\ufeff/, "").split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const [before, after] = [linesOf(text), linesOf(result)];
  before.forEach((line, at) => {
    const own = before[at - 1] ?? "";
    const unique = before.indexOf(own) === before.lastIndexOf(own);
    if (!/^\s+# below /.test(line) || !unique || !kept.includes(own)) return;
    assert.equal(after[after.indexOf(line) - 1], own, `no longer below its entry: ${line}\n${result}`);
  });
}

type Plain = Record<string, unknown>;

/** What an edit means for plain data, in words other than the program's: removals first, then field by field. */
function meant(data: Readonly<Plain>, change: KubeconfigEdit): Plain {
  const after = plain(data) as Plain;
  for (const key of ["clusters", "users", "contexts"] as const) {
    const entries = (after[key] ?? []) as Plain[];
    const kept = entries.filter((one) => change.remove?.[key]?.includes(one["name"] as string) !== true);
    const put = (one: string, fields: (now: Plain) => Plain) => {
      const there = kept.find((entry) => entry["name"] === one);
      const now = (there?.[INNER[key]] ?? {}) as Plain;
      if (there === undefined) kept.push({ name: one, [INNER[key]]: fields(now) });
      else there[INNER[key]] = fields(now);
    };
    if (key === "clusters") change.clusters?.forEach((one) => put(one.name, (now) => clusterMeant(now, one)));
    if (key === "users") {
      change.users?.forEach((one) =>
        "exec" in one ? put(one.name, (now) => userMeant(now, one.exec)) : assert.fail("none is generated")
      );
    }
    if (key === "contexts") {
      change.contexts?.forEach(({ name, ...wanted }) => put(name, (now) => ({ ...now, ...wanted })));
    }
    if (kept.length !== entries.length || (change[key] ?? []).length > 0) after[key] = kept;
  }
  const left = change.remove?.currentContext;
  if (left !== undefined && after["current-context"] === left) after["current-context"] = "";
  if (change.currentContext !== undefined) after["current-context"] = change.currentContext;
  const wasEmpty = Object.keys(data).length === 0 && Object.keys(after).length > 0;
  return wasEmpty ? { apiVersion: "v1", kind: "Config", ...after } : after;
}

function clusterMeant(now: Plain, wanted: NonNullable<KubeconfigEdit["clusters"]>[number]): Plain {
  const { server, certificateAuthorityData: authority } = wanted;
  if (authority === undefined) return { ...now, server };
  const { "certificate-authority": _file, "certificate-authority-data": _data, ...others } = now;
  if (authority === null) return { ...others, server };
  const { "insecure-skip-tls-verify": _unchecked, ...checked } = others;
  return { ...checked, server, "certificate-authority-data": authority };
}

function userMeant(now: Plain, wanted: ExecEntry): Plain {
  const others = Object.entries(now).filter(([field]) =>
    !/^(token|tokenFile|client-.*|username|password|auth-provider|exec)$/.test(field)
  );
  const before = (now["exec"] ?? {}) as Plain;
  const isOurs = String(before["args"]).startsWith("auth,get-token,") &&
    /--session/.test(String(before["args"]));
  const kept = isOurs ? before : {};
  return {
    ...Object.fromEntries(others),
    exec: { ...kept, ...wanted, env: wanted.env ?? kept["env"] ?? null },
  };
}

/** A copy in which nothing is shared, as aliases share it. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, plain(below)]));
}

/** The edited text, held against what was meant; undefined where the edit is refused. */
function checkEdit(config: ParsedKubeconfig, change: KubeconfigEdit): string | undefined {
  const { text } = config;
  const result = allowError(() => editKubeconfig(config, change), "KUBECONFIG");
  if (result === undefined) return undefined;
  const after = parseKubeconfig(result, "f");
  assert.deepEqual(plain(after.data), meant(config.data, change));
  assert.equal(editKubeconfig(after, change), result, "a second edit changes something");
  assert.equal(result.startsWith("\ufeff"), text.startsWith("\ufeff"));
  if (text.includes("\r\n")) assert.doesNotMatch(result, /[^\r]\n/);
  else assert.doesNotMatch(result, /\r/);
  assert.equal(result.endsWith("\n"), text === "" || text.endsWith("\n"));
  const kept = untouchedLines(config, change);
  assertKept(kept, result);
  assertBelow(config, kept, result);
  return result;
}

Deno.test("editKubeconfig() on generated YAML files says what was meant and keeps every other line", () => {
  let refused = 0;
  let checked = 0;
  fc.assert(
    fc.property(yamlFile, anyEdit, (text, change) => {
      if (checkEdit(parseKubeconfig(text, "f"), change) === undefined) refused += 1;
      else checked += 1;
    }),
    { numRuns: 500 },
  );
  assert.ok(refused < checked / 10, `${refused} refused, ${checked} edited`);
});

Deno.test("editKubeconfig() on generated JSON files leaves JSON that says what was meant", () => {
  fc.assert(
    fc.property(jsonFile, anyEdit, (text, change) => {
      const result = checkEdit(parseKubeconfig(text, "f"), change);
      JSON.parse(result ?? assert.fail("it was refused"));
    }),
    { numRuns: 500 },
  );
});

Deno.test({
  name: "kubectl reads the edited file as it was meant",
  ignore: kubectl === undefined,
  fn: async () => {
    await fc.assert(
      fc.asyncProperty(yamlFile, async (text) => {
        const config = parseKubeconfig(text, "f");
        const names = Object.keys(INNER).flatMap((key) =>
          (config.data[key] as { name?: string }[] | null | undefined ?? []).map((one) =>
            `${key} ${one.name}`
          )
        );
        const result = checkEdit(config, edit);
        if (result === undefined) return;
        const seen = await kubectlData(result) as Record<string, { name: string; [key: string]: unknown }[]>;
        const find = (key: string, one: string) => seen[key]?.find((entry) => entry.name === one);
        assert.equal(seen["current-context"] as unknown, name);
        assert.equal(
          (find("clusters", name)?.["cluster"] as { server: string }).server,
          edit.clusters?.[0]?.server,
        );
        const users = meant(config.data, edit)["users"] as { name: string; user: { exec: Plain } }[];
        const { env } = users.find((one) => one.name === "datum-ada")?.user.exec ?? {};
        // kubectl passes over what it does not know beside these.
        assert.deepEqual((find("users", "datum-ada")?.["user"] as { exec: unknown }).exec, { ...exec, env });
        assert.equal((find("users", "datum-ada")?.["user"] as { token?: string }).token, undefined);
        assert.equal((find("contexts", name)?.["context"] as { user: string }).user, "datum-ada");
        assert.equal(
          seen["contexts"]?.length,
          new Set([...names.filter((one) => one.startsWith("contexts")), `contexts ${name}`]).size,
        );
      }),
      { numRuns: 40 },
    );
  },
});

/** The lists in which a name stands twice, in words other than the program's. */
function listsWithDuplicates({ data }: ParsedKubeconfig, without: KubeconfigEdit["remove"] = {}): string[] {
  return Object.keys(INNER).filter((key) => {
    const names = (data[key] as { name?: string }[] | null | undefined ?? []).map((one) => one.name)
      .filter((one) => without[key as keyof typeof INNER]?.includes(one ?? "") !== true);
    return new Set(names).size < names.length;
  });
}

Deno.test("a file in which a name stands twice gets nothing, and every such list is named", () => {
  let [refused, edited] = [0, 0];
  fc.assert(
    fc.property(yamlFileWithDuplicates, anyEdit, (text, change) => {
      const config = parseKubeconfig(text, "/home/ada/.kube/config");
      const left = listsWithDuplicates(config, change.remove);
      const { remove = {} } = change;
      allowError(() => editKubeconfig(config, { remove }), { message: /without touching other entries/ });
      if (left.length === 0) {
        editKubeconfig(config, change);
        edited += 1;
      } else {
        const { message } = expectError(() => editKubeconfig(config, change), "KUBECONFIG");
        const told = [...message.matchAll(/in "(\w+)" \(lines /g)].map(([, list]) => list);
        assert.deepEqual([...new Set(told)].sort(), [...left].sort(), message);
        refused += 1;
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(refused > 50 && edited > 20, `${refused} refused, ${edited} edited`);
});

Deno.test({
  name: "kubectl refuses exactly those files in which we find a name that stands twice",
  ignore: kubectl === undefined,
  fn: async () => {
    await fc.assert(
      fc.asyncProperty(yamlFileWithDuplicates, async (text) => {
        const said = await kubectlData(text).then(() => "", (error: Error) => error.message);
        const ours = listsWithDuplicates(parseKubeconfig(text, "f"));
        assert.equal(/duplicate name/.test(said), ours.length > 0, said);
      }),
      { numRuns: 40 },
    );
  },
});

Deno.test("a last key without a value and a line break takes its value, with entries behind it", () => {
  const text = "users: []\ncurrent-context:";
  const edited = editKubeconfig(parseKubeconfig(text, "f"), {
    clusters: [{ name: "web", server: "https://api.example.com" }],
    currentContext: "web",
  });
  assert.equal(
    edited,
    "users: []\ncurrent-context: web\nclusters:\n- cluster:\n    server: https://api.example.com\n  name: web",
  );
});

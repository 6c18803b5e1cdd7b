/** The same command line, run by us and by the real kubectl, each in a namespace of its own with the same objects. */

import assert from "node:assert/strict";
import type { KubernetesObject } from "../../apiserver/apiserver.ts";
import type { Options, Ran } from "../run-line.ts";
import type { ResourceWorld } from "./world.ts";

/** Two namespaces that are alike. */
export interface Beside {
  readonly ours: string;
  readonly theirs: string;
  /** Runs a line in both: the same on stdout, and the same end. `FOLDER` stands for the world's folder. */
  same(line: string | readonly string[], options?: SameOptions): Promise<{ ours: Ran; theirs: Ran }>;
  /** The same for lines, one after the other; what differs is told at the end, all of it. */
  sameAll(
    lines: readonly (readonly [line: string | readonly string[], options?: SameOptions])[],
  ): Promise<void>;
}

/** What a comparison leaves out, and what we are given. */
export interface SameOptions extends Options {
  /** Flags for us alone, such as `--yes`. */
  readonly more?: readonly string[] | undefined;
  /** Applied to both before they are compared. */
  readonly mask?: ((stdout: string) => string) | undefined;
}

let pairs = 0;

/** Makes two namespaces and puts the objects into both. */
export async function besideKubectl(
  world: ResourceWorld,
  objects: readonly KubernetesObject[] = [],
): Promise<Beside> {
  pairs += 1;
  const [ours, theirs] = [`ours-${pairs}`, `them-${pairs}`];
  for (const name of [ours, theirs]) {
    const space = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    const inside = objects.map((one) => ({ ...one, metadata: { ...one.metadata, namespace: name } }));
    await world.server.admin.apply(space, ...inside);
  }
  const beside: Beside = {
    ours,
    theirs,
    async sameAll(lines) {
      const told: string[] = [];
      for (const [line, options] of lines) {
        await beside.same(line, options).catch((error) => told.push(String(error)));
      }
      assert.equal(told.join("\n\n"), "");
    },
    async same(line, { more = [], mask = (stdout: string) => stdout, ...options } = {}) {
      const words = (typeof line === "string" ? line.split(" ") : line)
        .map((word) => word.replace("FOLDER", world.folder));
      const their = await world.kubectl("-n", theirs, ...words);
      const our = await world.run([...words, "-n", ours, ...more], options);
      const told = `${
        words.join(" ")
      }\nkubectl: ${their.code} ${their.stderr}\nours: ${our.code} ${our.stderr}`;
      assert.equal(mask(our.stdout.replaceAll(ours, theirs)), mask(their.stdout), told);
      assert.equal(our.code === 0, their.code === 0, told);
      return { ours: our, theirs: their };
    },
  };
  return beside;
}

/** A ConfigMap for {@link besideKubectl}. */
export function configMap(name: string, more: Readonly<Record<string, unknown>> = {}): KubernetesObject {
  const { metadata, ...rest } = more as { readonly metadata?: Record<string, unknown> };
  return { apiVersion: "v1", kind: "ConfigMap", ...rest, metadata: { ...metadata, name } };
}

/** Opens what a resource command reads and writes: the control plane that its flags choose, and what is served there. */

import { openDiscovery } from "../../kube/cached-discovery.ts";
import type { CachedDiscovery } from "../../kube/discovery.ts";
import { cacheSource, impersonationLabel } from "../../kube/impersonation.ts";
import type { ReadClient } from "../../kube/read/read-client.ts";
import type { ReadContext } from "../../kube/read/show.ts";
import type { WriteContext } from "../../kube/write/write-all.ts";
import type { ScopeFlags } from "../../providers/datum/scope.ts";
import { type CacheOptions, openSessionCache, type SessionCache } from "../../sessions/cache.ts";
import { type CommandContext, exitWith } from "../context.ts";
import { openControlPlane } from "../control-plane.ts";
import { titled } from "../output/style.ts";

/** A control plane, or another API server, with its resources; dispose of it. */
export interface ResourcePlane extends Disposable {
  /** For messages: `the project "web"`. */
  readonly what: string;
  /** The host and the port of its address. */
  readonly host: string;
  /** For messages: whom it is asked as, where that is somebody else. */
  readonly actingAs: string | undefined;
  readonly client: ReadClient;
  readonly kinds: CachedDiscovery;
  /** `-n`, else that of the kubeconfig's context, else `default`. */
  readonly namespace: string;
  /** True where `-n` named the namespace, so that objects of another one are refused. */
  readonly onlyThatNamespace: boolean;
  /** A cache of what the server says, which goes with the session. */
  readonly openCache: (what: Pick<CacheOptions, "kind" | "source" | "longestLife">) => Promise<SessionCache>;
}

/** @throws {AppError} as {@link openControlPlane}. */
export async function openResources(cli: CommandContext, flags: ScopeFlags): Promise<ResourcePlane> {
  const plane = await openControlPlane(cli, flags);
  const { baseUrl, impersonation } = plane;
  return {
    what: plane.what,
    host: new URL(baseUrl).host,
    actingAs: impersonation && impersonationLabel(impersonation),
    client: plane.client,
    kinds: await openDiscovery(cli, plane),
    namespace: plane.namespace ?? "default",
    onlyThatNamespace: flags.namespace !== undefined,
    openCache: (what) =>
      openSessionCache(cli.store, {
        ...what,
        session: plane.session.name,
        source: `${cacheSource(baseUrl, impersonation)} ${what.source}`,
      }),
    [Symbol.dispose]: () => plane[Symbol.dispose](),
  };
}

/** What reading from it needs. */
export function readContext(cli: CommandContext, { client, kinds }: ResourcePlane): ReadContext {
  return {
    client,
    kinds,
    write: (text, isTitled) => {
      const shown = isTitled ? titled(text, cli.style.out) : text;
      // Who reads no further, as head does, wants no more to be asked for either.
      if (!cli.terminal.writeOut(shown)) exitWith(0);
      return Promise.resolve();
    },
    isTerminal: cli.terminal.outIsTerminal,
    now: cli.now,
  };
}

/** What writing to it needs. */
export function writeContext(cli: CommandContext, { client, kinds }: ResourcePlane): WriteContext {
  return {
    client,
    kinds,
    now: cli.now,
    sleep: (milliseconds) => cli.sleep(milliseconds, cli.interrupted),
  };
}

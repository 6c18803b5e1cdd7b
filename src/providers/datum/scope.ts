/** What a command acts on: flags, variables, what is in use, the kubeconfig's context. */

import { AppError } from "../../errors.ts";
import type { Kubeconfig, KubeconfigContext } from "../../kubeconfig/file.ts";
import type { ImpersonationFlags, UserEntry } from "../../kube/impersonation.ts";
import { checkedScope, type Scope } from "./control-plane-address.ts";
import type { FolderFile } from "../../sessions/folder-file.ts";
import type { Session } from "../../sessions/session.ts";
import type { Environment } from "../../system/environment.ts";

/** The flags that override, for one command, what is acted on, and as whom. */
export interface ScopeFlags extends ImpersonationFlags {
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  readonly platformWide?: true | undefined;
  /** The control plane of the signed-in user. */
  readonly own?: true | undefined;
  /** The id of a cluster of Cloudfleet. */
  readonly cluster?: string | undefined;
  /** The name of a context of the kubeconfig. */
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/** What a command acts on, and what said so. */
export type ChosenScope =
  & {
    /** For people: `--project`, `DATUM_PROJECT`, a folder's file, `login, ctx use or update-kubeconfig`, `the kubeconfig's context web`. */
    readonly source: string;
  }
  & (
    | {
      readonly kind: "organization" | "project";
      readonly id: string;
      /** The organization that a project is chosen within, where that is known. */
      readonly organization?: string | undefined;
    }
    | { readonly kind: "platform" }
    /** The control plane of the signed-in user. */
    | { readonly kind: "user" }
    | {
      /** A control plane, or any other API server, as a kubeconfig has it. */
      readonly kind: "context";
      readonly context: KubeconfigContext;
      readonly kubeconfig: Kubeconfig;
      /** `--context` named it; else it is the current one. */
      readonly named: boolean;
      /** Its user entry. */
      readonly user: UserEntry | undefined;
      /** What its address says it is, where it is a control plane of a Datum that the session is for. */
      readonly scope: Scope | undefined;
      /** Why it gets no token of the session; absent where nothing is known against it. */
      readonly refused?: AppError | undefined;
    }
  );

/** Where a command looks, beside its flags. */
export interface ScopeDefaults {
  readonly env: Environment;
  readonly inUse: Session["inUse"];
  /** The folder's file that is followed. */
  readonly file?: FolderFile | undefined;
}

/** The flags that exclude each other, by the name of their value. */
const EXCLUSIVE = {
  organization: "--organization",
  project: "--project",
  platformWide: "--platform-wide",
  own: "--own",
  cluster: "--cluster",
  context: "--context",
} as const satisfies Partial<Record<keyof ScopeFlags, string>>;

/** @throws {AppError} `USAGE` for flags that exclude each other */
function refuseSeveral(flags: ScopeFlags): void {
  const given = (Object.keys(EXCLUSIVE) as (keyof typeof EXCLUSIVE)[]).filter((name) =>
    flags[name] !== undefined
  );
  if (given.length < 2) return;
  const words = given.map((name) => EXCLUSIVE[name]).join(" and ");
  throw new AppError("USAGE", `${words} cannot be combined.`, { hint: "Use one of them." });
}

/**
 * What is acted on by flags, variables, the folder's file or `ctx use`, the first that says something counting;
 * undefined when none does, and when a context of the kubeconfig is named.
 *
 * @throws {AppError} `USAGE` for what cannot be an id, and for flags that exclude each other
 */
export function chosenScope(
  flags: ScopeFlags,
  { env, inUse, file }: ScopeDefaults,
): ChosenScope | undefined {
  refuseSeveral(flags);
  if (flags.context !== undefined) return undefined;
  if (flags.platformWide) return { kind: "platform", source: "--platform-wide" };
  if (flags.own) return { kind: "user", source: "--own" };
  if (flags.project !== undefined) return asked("project", flags.project, "--project");
  if (flags.organization !== undefined) return asked("organization", flags.organization, "--organization");
  const project = env("DATUM_PROJECT");
  const organization = organizationVariable(env);
  if (project !== undefined) {
    const within = organization === undefined ? undefined : checkedScope("organization", organization.id).id;
    return { ...asked("project", project, "DATUM_PROJECT"), organization: within };
  }
  if (organization !== undefined) return asked("organization", organization.id, organization.variable);
  if (file?.context !== undefined) return undefined;
  return scopeOf(file, file?.path ?? "") ?? scopeOf(inUse, "login, ctx use or update-kubeconfig");
}

/** What an organization and a project that were chosen together mean: the project, where there is one. */
function scopeOf(chosen: Session["inUse"], source: string): ChosenScope | undefined {
  const scope = scopeInUse(chosen);
  if (scope === undefined) return undefined;
  const within = scope.kind === "project" ? chosen?.organization : undefined;
  return {
    ...asked(scope.kind, scope.id, source),
    organization: within === undefined ? undefined : checkedScope("organization", within).id,
  };
}

/** The variable that names an organization; the vendor hands the second one to its plug-ins. */
export function organizationVariable(
  env: Environment,
): { readonly variable: string; readonly id: string } | undefined {
  for (const variable of ["DATUM_ORGANIZATION", "DATUM_ORG"]) {
    const id = env(variable);
    if (id !== undefined) return { variable, id };
  }
  return undefined;
}

function asked<Kind extends Scope["kind"]>(kind: Kind, id: string, source: string) {
  return { ...checkedScope(kind, id), kind, source } as const;
}

/** What of a session's `inUse` is acted on: the project, when there is one. */
export function scopeInUse(inUse: Session["inUse"]): Scope | undefined {
  if (inUse?.project !== undefined) return { kind: "project", id: inUse.project };
  return inUse?.organization === undefined ? undefined : { kind: "organization", id: inUse.organization };
}

/** API servers: their addresses as people and kubeconfigs write them, and their authorities. */

import { AppError } from "../errors.ts";
import { printable, shellLine } from "../text.ts";
import { endpointUrl } from "../http/address.ts";
import { certificatesOf } from "../system/network.ts";
import { readSharedFile } from "../system/shared-file.ts";
import { namedEntries } from "./text.ts";
import { entryNamed, type Kubeconfig, type KubeconfigEntry } from "./file.ts";

/**
 * The base URL of an API server, without a trailing slash: https, or http on loopback.
 *
 * @throws {AppError} `USAGE` when the text is no such address.
 * @example
 * ```ts
 * import { serverAddress } from "./server.ts";
 * console.assert(serverAddress("https://K8S.example.com:443/") === "https://k8s.example.com");
 * ```
 */
export function serverAddress(text: string): string {
  const url = endpointUrl(text, { query: "refused" });
  if (typeof url === "string") {
    throw new AppError("USAGE", `The API server ${printable(text)} ${url}.`, {
      hint: "Give its base URL: https://k8s.example.com:6443 (http for loopback hosts only).",
    });
  }
  return url.href.replace(/\/+$/, "");
}

/** The name of a server's cluster and context: `datum-server-<host[:port]>`, with the path if there is one. */
export function serverName(address: string): string {
  return `datum-server-${address.replace(/^https?:\/\//, "")}`;
}

/** The parts of a cluster entry that matter for requests to its server. */
export interface Cluster {
  readonly name: string;
  readonly address: string;
  /** PEM; without it, the system's authorities count. */
  readonly certificateAuthority?: string | undefined;
  /** A field that changes how kubectl reaches the server and that is not supported here. */
  readonly unfollowed?: string | undefined;
}

/**
 * The cluster entry of that name. With `authority: false`, when no request follows, its authority's file may be
 * missing.
 *
 * @throws {AppError} `NOT_FOUND`, naming the entries; `KUBECONFIG`, `STORAGE`, `USAGE`.
 */
export async function findCluster(
  kubeconfig: Kubeconfig,
  name: string,
  { authority = true }: { readonly authority?: boolean } = {},
): Promise<Cluster> {
  const entry = entryNamed(kubeconfig, "clusters", name);
  if (entry === undefined) throw noCluster(kubeconfig, name);
  const { server } = entry.fields;
  if (typeof server !== "string" || server === "") {
    throw new AppError("KUBECONFIG", `The cluster entry "${printable(name)}" names no server.`, {
      hint: `Set it: kubectl config set-cluster ${printable(name)} --server=https://…`,
    });
  }
  const certificateAuthority = authority ? await authorityOf(entry) : undefined;
  const unfollowed = ["insecure-skip-tls-verify", "tls-server-name", "proxy-url"].find((field) => {
    const value = entry.fields[field];
    return value !== undefined && value !== null && value !== "" && value !== false;
  });
  return {
    name,
    address: serverAddress(server),
    certificateAuthority,
    unfollowed,
  };
}

function noCluster({ files }: Kubeconfig, name: string): AppError {
  const names = files.flatMap(({ config }) => namedEntries(config, "clusters")).map((entry) =>
    printable(entry.name, 80)
  );
  const where = files.map(({ path }) => printable(path)).join(", ");
  return new AppError("NOT_FOUND", `There is no cluster entry "${printable(name, 80)}" in ${where}.`, {
    hint: names.length === 0
      ? "Name the API server instead: --server https://…"
      : `Available: ${[...new Set(names)].join(", ")}.`,
  });
}

/**
 * The line that makes kubectl, and us, trust an authority for a cluster entry's server; it names the kubeconfig
 * that a flag named.
 */
export function trustClusterLine(
  name: string,
  { file = "FILE", kubeconfig }: { readonly file?: string; readonly kubeconfig?: string | undefined } = {},
): string {
  return shellLine([
    "kubectl",
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ...["config", "set-cluster", name, "--certificate-authority", file, "--embed-certs"],
  ]);
}

/** Like kubectl: the data wins over the file, whose path is relative to its kubeconfig's folder. */
async function authorityOf({ name, fields, file }: KubeconfigEntry): Promise<string | undefined> {
  const data = fields["certificate-authority-data"];
  if (typeof data === "string" && data !== "") return pemOf(name, data);
  const path = authorityPath({ fields, file });
  if (path === undefined) return undefined;
  const bytes = await readSharedFile(path);
  if (bytes === undefined) {
    throw new AppError(
      "KUBECONFIG",
      `The certificate-authority of the cluster "${printable(name)}" does not exist.`,
      {
        hint: `It should be at ${printable(path)}.`,
      },
    );
  }
  return certificatesOf(new TextDecoder().decode(bytes)).join("\n") + "\n";
}

/** The file of a cluster entry's authority, as kubectl finds it; undefined when the entry names none. */
export function authorityPath(
  { fields, file }: Pick<KubeconfigEntry, "fields" | "file">,
): string | undefined {
  const path = fields["certificate-authority"];
  if (typeof path !== "string" || path === "") return undefined;
  const folder = file.path.replace(/[^/\\]*$/, "");
  return /^(?:[/\\]|[A-Za-z]:)/.test(path) ? path : `${folder}${path}`;
}

function pemOf(name: string, data: string): string {
  let text: string;
  try {
    text = atob(data);
  } catch {
    throw new AppError(
      "KUBECONFIG",
      `The certificate-authority-data of the cluster "${printable(name)}" is not base64.`,
    );
  }
  return certificatesOf(text).join("\n") + "\n";
}

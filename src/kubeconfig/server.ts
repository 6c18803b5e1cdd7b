/** Owns ordinary API servers: their address as people and kubeconfigs write it, and whose certificates they show. */

import { AppError } from "../errors.ts";
import { printable, shellLine } from "../text.ts";
import { endpointUrl } from "../http/address.ts";
import { certificatesOf } from "../system/network.ts";
import { readSharedFile } from "../system/shared-file.ts";
import { entriesOf } from "./text.ts";
import { entryOf, type Kubeconfig, type KubeconfigEntry } from "./file.ts";

/**
 * The base URL of an API server, without a slash at its end: https, or http on loopback. Throws `USAGE`.
 *
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

/** The name of the cluster and context of a server: `datum-server-<host[:port]>`, with the path where it has one. */
export function serverName(address: string): string {
  return `datum-server-${address.replace(/^https?:\/\//, "")}`;
}

/** A cluster entry, as far as it matters to those who ask its server something. */
export interface Cluster {
  readonly name: string;
  readonly address: string;
  /** PEM; the system's authorities count where it is absent. */
  readonly certificateAuthority?: string | undefined;
  /** The field that says how kubectl reaches the server and that cannot be followed here. */
  readonly unfollowed?: string | undefined;
}

/**
 * A cluster entry of that name; `authority` is false where nobody will be asked anything, so that its file need not be
 * there.
 *
 * @throws {AppError} `NOT_FOUND`, naming those there are; `KUBECONFIG`, `STORAGE`, `USAGE`
 */
export async function findCluster(
  kubeconfig: Kubeconfig,
  name: string,
  { authority = true }: { readonly authority?: boolean } = {},
): Promise<Cluster> {
  const entry = entryOf(kubeconfig, "clusters", name);
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
  const names = files.flatMap(({ config }) => entriesOf(config, "clusters")).map((entry) =>
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
 * The line that makes kubectl, and us, trust an authority at a cluster entry's server; with the kubeconfig that a flag
 * named, if one did.
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

/** As kubectl does: the data wins over the file, whose path is meant from its kubeconfig's folder. */
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

/** The file of a cluster entry's authority, as kubectl finds it; undefined where it names none. */
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

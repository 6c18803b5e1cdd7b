/** Kubeconfigs that lead elsewhere: each way in which one could bring a session's token to a stranger. */

import type { Stranger } from "./stranger.ts";

/** The server that the session is for, and the authority that it needs. */
export interface OwnServer {
  /** Without a path. */
  readonly origin: string;
}

/** A kubeconfig, as one way of leading elsewhere. */
export interface StrangeKubeconfig {
  readonly name: string;
  /** The fields of its one cluster entry. */
  readonly cluster: Readonly<Record<string, unknown>>;
  /** What the refusal names beside the session's own server. */
  readonly told: string;
}

const PROJECT = "/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane";

/** Every way, for a session that is for one server. */
export function strangeKubeconfigs({ origin }: OwnServer, stranger: Stranger): readonly StrangeKubeconfig[] {
  const { https, http, proxy, caPem } = stranger;
  const host = (url: string) => url.replace(/^https:\/\//, "");
  const own = host(origin);
  const trusting = { "certificate-authority-data": btoa(caPem) };
  const other = { server: https, ...trusting };
  return [
    { name: "another host", cluster: other, told: host(https) },
    {
      name: "Datum's path on another host",
      cluster: { ...other, server: `${https}${PROJECT}` },
      told: host(https),
    },
    {
      name: "another host in capitals",
      cluster: { ...other, server: https.toUpperCase() },
      told: host(https),
    },
    { name: "another host without a scheme", cluster: { ...other, server: host(https) }, told: host(https) },
    {
      name: "the own host as a user's name",
      cluster: { ...other, server: `https://${own}@${host(https)}` },
      told: host(https),
    },
    {
      name: "the own host before a backslash",
      cluster: { ...other, server: `https://${own}\\@${host(https)}` },
      told: host(https),
    },
    { name: "plain http", cluster: { server: http }, told: http },
    { name: "Datum's path over plain http", cluster: { server: `${http}${PROJECT}` }, told: http },
    {
      name: "another host, not looked at",
      cluster: { server: https, "insecure-skip-tls-verify": true },
      told: host(https),
    },
    {
      name: "another host by another name",
      cluster: { ...other, "tls-server-name": "localhost" },
      told: host(https),
    },
    {
      name: "the own host through a proxy, with the stranger's authority",
      cluster: { server: origin, "proxy-url": proxy, ...trusting },
      told: proxy,
    },
    {
      name: "the own host through a proxy, by another name",
      cluster: { server: origin, "proxy-url": proxy, "tls-server-name": "localhost", ...trusting },
      told: proxy,
    },
    {
      name: "the own host through a proxy, not looked at",
      cluster: { server: origin, "proxy-url": proxy, "insecure-skip-tls-verify": true },
      told: "insecure-skip-tls-verify",
    },
    {
      name: "the own host, not looked at",
      cluster: { server: origin, "insecure-skip-tls-verify": true },
      told: "insecure-skip-tls-verify",
    },
    {
      name: "the own host by another name",
      cluster: { server: origin, "tls-server-name": "localhost", ...trusting },
      told: "localhost",
    },
  ];
}

/** A kubeconfig of one context, whose user entry is one of ours with these words of get-token. */
export function kubeconfigText(
  cluster: Readonly<Record<string, unknown>>,
  words: readonly string[],
  { command = "datumctl", provideClusterInfo = true } = {},
): string {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command,
    args: ["auth", "get-token", "--output=client.authentication.k8s.io/v1", ...words],
    interactiveMode: "Never",
    provideClusterInfo,
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: { exec } }],
  });
}

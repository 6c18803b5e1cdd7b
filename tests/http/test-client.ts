/** A client of an API for tests, which never waits and needs no more than a fetch. */

import { type ApiClient, type ClientOptions, openApiClient } from "../../src/http/api-client.ts";
import { KUBERNETES_REFUSALS } from "../../src/kube/refusal.ts";

/** A client of a control plane, at a time that stands still; what is given beats what it has of its own. */
export function openTestClient(
  options: Pick<ClientOptions, "fetch"> & Partial<ClientOptions>,
): ApiClient {
  return openApiClient({
    baseUrl: "https://api.example.com",
    what: 'the project "web"',
    who: "ada@example.com",
    refusals: KUBERNETES_REFUSALS,
    token: () => Promise.resolve("token"),
    now: () => 0,
    sleep: () => Promise.resolve(),
    random: () => 0,
    requestTimeout: 1_000,
    signal: new AbortController().signal,
    log: () => {},
    ...options,
  });
}

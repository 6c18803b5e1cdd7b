/** Asks an API server whom it sees: the SelfSubjectReview. */

import type { JsonObject } from "../encoding.ts";
import type { ApiClient } from "../http/api-client.ts";
import { AppError } from "../errors.ts";
import { SERVER_HINTS } from "../server-hints.ts";

// v1 is served since Kubernetes 1.28, the others before.
const VERSIONS = ["v1", "v1beta1", "v1alpha1"] as const;

/**
 * The server's SelfSubjectReview (authentication.k8s.io), in the newest version that it serves.
 *
 * @throws {AppError} `NOT_FOUND` when it serves none, and what a request throws.
 */
export async function reviewSelf(client: ApiClient): Promise<JsonObject> {
  for (const version of VERSIONS) {
    const apiVersion = `authentication.k8s.io/${version}`;
    try {
      const { spec: _, ...review } = await client.post(
        `/apis/${apiVersion}/selfsubjectreviews`,
        { apiVersion, kind: "SelfSubjectReview" },
        { safe: true },
      );
      return review;
    } catch (thrown) {
      if (!(thrown instanceof AppError && thrown.code === "NOT_FOUND")) throw thrown;
    }
  }
  throw new AppError("NOT_FOUND", `${client.what} cannot report whom it sees: it has no SelfSubjectReview.`, {
    hint: SERVER_HINTS.NOT_FOUND.selfReview,
  });
}

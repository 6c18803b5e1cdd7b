/** The SelfSubject… reviews: who is asking, and what they may do. */

import { failure, json } from "./kube-answers.ts";
import { apiVersion } from "./kube-control-plane.ts";
import { asRecord, type Call, readObject } from "./kube-request.ts";
import type { Resource } from "./kube-resources.ts";

/** Answers a review of the caller by the caller. */
export async function review(
  { request, identity, authorizer, switches }: Call,
  resource: Resource,
): Promise<Response> {
  const { user, tokenKind, groups = [] } = identity;
  const sent = await readObject(request);
  if (sent === undefined) return failure(400, "BadRequest", "the object provided is unrecognized");
  const spec = asRecord(sent.spec);
  const answer = { kind: resource.kind, apiVersion: apiVersion(resource), metadata: {}, spec };
  switch (resource.kind) {
    case "SelfSubjectReview":
      return json(201, {
        ...answer,
        spec: undefined,
        status: {
          userInfo: {
            username: user.email,
            uid: user.sub,
            groups: [...groups, "system:authenticated"],
            extra: { "cloud.example/token-kind": [tokenKind] },
          },
        },
      });
    case "SelfSubjectAccessReview": {
      const asked = asRecord(spec.resourceAttributes);
      const text = (member: string) => typeof asked[member] === "string" ? asked[member] : "";
      const attributes = {
        verb: text("verb"),
        group: text("group"),
        resource: text("resource"),
        namespace: text("namespace") || undefined,
        name: text("name") || undefined,
      };
      const allowed = spec.resourceAttributes === undefined ||
        authorizer.allows(identity, attributes) || attributes.resource.startsWith("selfsubject");
      return json(201, {
        ...answer,
        status: { allowed, reason: allowed ? undefined : "no rule allows it" },
      });
    }
    default:
      return json(201, {
        ...answer,
        status: switches.rules ?? {
          resourceRules: [
            ...authorizer.rules(identity, String(spec.namespace ?? "")),
            { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
            {
              verbs: ["create"],
              apiGroups: ["authorization.k8s.io"],
              resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            },
          ],
          nonResourceRules: [{
            verbs: ["get"],
            nonResourceURLs: ["/api", "/api/*", "/apis", "/apis/*", "/version"],
          }],
          incomplete: false,
        },
      });
  }
}

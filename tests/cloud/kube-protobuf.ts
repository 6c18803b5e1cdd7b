/** Reading the protobuf bodies that newer kubectl sends for built-in kinds; answers are always JSON. */

import type { KubeObject } from "./kube-resources.ts";

/** The media type of such a body. */
export const KUBERNETES_PROTOBUF = "application/vnd.kubernetes.protobuf";

/** Fields of a message by their number in Kubernetes' `generated.proto` files; others are passed over. */
interface Message {
  readonly [field: number]: readonly [
    name: string,
    type: "string" | "strings" | "map" | Message,
    "repeated"?,
  ];
}

const META: Message = {
  1: ["name", "string"],
  3: ["namespace", "string"],
  11: ["labels", "map"],
  12: ["annotations", "map"],
};
const RESOURCE_ATTRIBUTES: Message = {
  1: ["namespace", "string"],
  2: ["verb", "string"],
  3: ["group", "string"],
  4: ["version", "string"],
  5: ["resource", "string"],
  6: ["subresource", "string"],
  7: ["name", "string"],
};
const SUBJECT: Message = {
  1: ["kind", "string"],
  2: ["apiGroup", "string"],
  3: ["name", "string"],
  4: ["namespace", "string"],
};
const BINDING: Message = {
  1: ["metadata", META],
  2: ["subjects", SUBJECT, "repeated"],
  3: ["roleRef", { 1: ["apiGroup", "string"], 2: ["kind", "string"], 3: ["name", "string"] }],
};
const RULE: Message = {
  1: ["verbs", "strings"],
  2: ["apiGroups", "strings"],
  3: ["resources", "strings"],
  4: ["resourceNames", "strings"],
};
const ROLE: Message = { 1: ["metadata", META], 2: ["rules", RULE, "repeated"] };
const KINDS: Readonly<Record<string, Message>> = {
  Namespace: { 1: ["metadata", META] },
  ConfigMap: { 1: ["metadata", META], 2: ["data", "map"] },
  Role: ROLE,
  ClusterRole: ROLE,
  RoleBinding: BINDING,
  ClusterRoleBinding: BINDING,
  SelfSubjectReview: { 1: ["metadata", META] },
  SelfSubjectAccessReview: {
    1: ["metadata", META],
    2: ["spec", {
      1: ["resourceAttributes", RESOURCE_ATTRIBUTES],
      2: ["nonResourceAttributes", { 1: ["path", "string"], 2: ["verb", "string"] }],
    }],
  },
  SelfSubjectRulesReview: { 1: ["metadata", META], 2: ["spec", { 1: ["namespace", "string"] }] },
};

/** `runtime.Unknown`: the envelope behind the four magic bytes `k8s\0`. */
const MAGIC_LENGTH = 4;
const TYPE_META: Message = { 1: ["apiVersion", "string"], 2: ["kind", "string"] };

/** The object in a protobuf body, or nothing when its kind is not known here. */
export function fromProtobuf(body: Uint8Array): KubeObject | undefined {
  const envelope = new Map(fields(body.subarray(MAGIC_LENGTH)));
  const type = decode(envelope.get(1) ?? new Uint8Array(), TYPE_META);
  const message = KINDS[String(type.kind)];
  if (message === undefined) return undefined;
  return {
    metadata: { name: "" },
    ...type,
    ...decode(envelope.get(2) ?? new Uint8Array(), message),
  } as KubeObject;
}

function decode(bytes: Uint8Array, message: Message): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [number, content] of fields(bytes)) {
    const [name, type, repeated] = message[number] ?? [];
    if (name === undefined || type === undefined) continue;
    if (type === "string") result[name] = text(content);
    else if (type === "strings") result[name] = [...list(result[name]), text(content)];
    else if (repeated !== undefined) result[name] = [...list(result[name]), decode(content, type as Message)];
    else if (type !== "map") result[name] = decode(content, type);
    else {
      const entry = new Map(fields(content));
      const key = text(entry.get(1) ?? new Uint8Array());
      result[name] = { ...result[name] as object, [key]: text(entry.get(2) ?? new Uint8Array()) };
    }
  }
  return result;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The length-delimited fields of a message; numbers are passed over. */
function* fields(bytes: Uint8Array): Generator<[number: number, content: Uint8Array]> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; at < bytes.length; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    switch (tag & 7) {
      case 0:
        varint();
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        yield [tag >>> 3, bytes.subarray(at, at + length)];
        at += length;
        break;
      }
      default:
        at += 4;
    }
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

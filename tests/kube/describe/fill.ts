/** Puts the objects that are described into a real API server. */

import type { LiveServer } from "../live-server.ts";
import {
  CONTENTS,
  eventsAbout,
  HOSTILE_TEXTS,
  KINDS,
  metadataOf,
  NAMESPACE,
  NAMESPACES,
  OBJECTS,
} from "./objects.ts";

type Calls = Pick<LiveServer, "read" | "send" | "apply">;

const OWN = "/apis/tests.example.com/v1";

/** Makes the objects. */
export async function fill(server: Calls): Promise<void> {
  await server.apply(...KINDS, ...NAMESPACES, ...OBJECTS);
  const data = Object.fromEntries(HOSTILE_TEXTS.map((text, index) => [`t${index}`, text]));
  const configMap = { metadata: { name: "hostile" }, data };
  await server.send("POST", `/api/v1/namespaces/${NAMESPACE}/configmaps`, JSON.stringify(configMap));
  for (const [name, content] of Object.entries(CONTENTS)) await create(server, name, {}, content);
  // What has no owner is put away.
  const owner = await server.read(`/api/v1/namespaces/${NAMESPACE}`) as { metadata: { uid: string } };
  for (const [name, metadata] of Object.entries(metadataOf(owner.metadata.uid))) {
    await create(server, name, metadata, "{}");
  }
}

async function create(server: Calls, name: string, metadata: unknown, content: string): Promise<void> {
  for (
    const [kind, place] of [["Anything", `namespaces/${NAMESPACE}/anythings`], ["Everything", "everythings"]]
  ) {
    const head = JSON.stringify({
      apiVersion: "tests.example.com/v1",
      kind,
      metadata: { name, ...Object(metadata) },
    });
    const text = content === "{}" ? head : `${head.slice(0, -1)},${content.trim().slice(1)}`;
    await server.send("POST", `${OWN}/${place}`, text);
  }
}

/** Makes events about some of them. */
export async function fillEvents(server: Calls): Promise<void> {
  const objects = [
    ["Anything", `${OWN}/namespaces/${NAMESPACE}/anythings/labels`],
    ["Everything", `${OWN}/everythings/labels`],
    ["ConfigMap", `/api/v1/namespaces/${NAMESPACE}/configmaps/full`],
    ["ServiceAccount", `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/robot`],
    ["Secret", `/api/v1/namespaces/${NAMESPACE}/secrets/full`],
  ];
  for (const [kind = "", path = ""] of objects) {
    const { metadata } = await server.read(path) as {
      metadata: { name: string; namespace?: string; uid: string };
    };
    const { name, namespace, uid } = metadata;
    for (const event of eventsAbout({ kind, name, uid, ...namespace === undefined ? {} : { namespace } })) {
      await server.send(
        "POST",
        `/api/v1/namespaces/${event.metadata.namespace}/events`,
        JSON.stringify(event),
      );
    }
  }
}

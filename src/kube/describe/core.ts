/** The descriptions of namespaces and of what is kept in them: config maps, secrets, service accounts. */

import { membersOf, objectsOf, textOf } from "../json-parts.ts";
import { sortedNames } from "../json-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import type { Description } from "./description.ts";

/** Describes a namespace, up to what limits it. */
export function describeNamespace(
  description: Description,
  namespace: JsonMembers,
  minutesEast: (time: Date) => number,
): void {
  const status = membersOf(namespace, "status");
  description.head(namespace, "namespace");
  description.line(0, "Status:", textOf(status, "phase"));
  const conditions = objectsOf(status, "conditions");
  if (conditions.length === 0) return;
  description.line(0, "Conditions:");
  description.line(1, "Type", "Status", "LastTransitionTime", "Reason", "Message");
  description.line(1, "----", "------", "------------------", "------", "-------");
  for (const condition of conditions) {
    const [type = "", state = "", changed = "", reason = "", message = ""] = [
      ...["type", "status", "lastTransitionTime", "reason", "message"].map((name) => textOf(condition, name)),
    ];
    description.line(1, type, state, dateText(changed, minutesEast), reason, message);
  }
}

/** Describes a config map, up to its events. */
export function describeConfigMap(description: Description, configMap: JsonMembers): void {
  description.head(configMap);
  description.line(0, "");
  description.line(0, "Data");
  description.line(0, "====");
  const data = membersOf(configMap, "data");
  for (const name of sortedNames(data ?? {})) {
    description.line(0, `${name}:`);
    description.line(0, "----");
    description.line(0, textOf(data, name));
    description.line(0, "");
  }
  description.line(0, "");
  description.line(0, "BinaryData");
  description.line(0, "====");
  const binary = membersOf(configMap, "binaryData");
  for (const name of sortedNames(binary ?? {})) {
    description.line(0, `${name}: ${decodedSize(textOf(binary, name))} bytes`);
  }
  description.line(0, "");
}

/** Describes a secret: of its values the sizes alone. */
export function describeSecret(description: Description, secret: JsonMembers): void {
  description.head(secret);
  description.line(0, "");
  description.line(0, "Type:", textOf(secret, "type"));
  description.line(0, "");
  description.line(0, "Data");
  description.line(0, "====");
  const data = membersOf(secret, "data");
  for (const name of sortedNames(data ?? {})) {
    description.line(0, `${name}:`, `${decodedSize(textOf(data, name))} bytes`);
  }
}

/** Describes a service account, up to its events. */
export function describeServiceAccount(description: Description, account: JsonMembers): void {
  description.head(account);
  const title = "Image pull secrets:";
  const names = objectsOf(account, "imagePullSecrets").map((secret) => textOf(secret, "name"));
  if (names.length === 0) description.line(0, title, "<none>");
  names.forEach((name, index) => description.line(0, index === 0 ? title : " ".repeat(title.length), name));
}

/** How many bytes a base64 text stands for. */
function decodedSize(base64: string): number {
  return Math.floor(base64.replace(/[=\r\n]/g, "").length * 3 / 4);
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Mon, 02 Jan 2006 15:04:05 +0100`: a time as the people of its time zone write it. */
function dateText(text: string, minutesEast: (time: Date) => number): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return "Mon, 01 Jan 0001 00:00:00 +0000";
  const offset = minutesEast(time);
  const there = new Date(time.getTime() + offset * 60_000);
  const two = (number: number) => String(Math.trunc(number)).padStart(2, "0");
  const [day, month] = [DAYS[there.getUTCDay()], MONTHS[there.getUTCMonth()]];
  const east = Math.abs(offset);
  return `${day}, ${two(there.getUTCDate())} ${month} ${String(there.getUTCFullYear()).padStart(4, "0")} ` +
    `${[there.getUTCHours(), there.getUTCMinutes(), there.getUTCSeconds()].map(two).join(":")} ` +
    `${offset < 0 ? "-" : "+"}${two(east / 60)}${two(east % 60)}`;
}

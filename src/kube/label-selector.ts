/** Selectors of labels, as `-l` takes them, for objects that no server selects. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { type JsonMembers, memberOf } from "./lossless-json.ts";

/** What is asked of one label. */
type Requirement = (labels: JsonMembers) => boolean;

const KEY = "[^\\s=!(),<>]+";
const VALUE = "[^\\s=!(),<>]*";
const REQUIREMENT = new RegExp(
  `\\s*(?:(?<not>!)?\\s*(?<key>${KEY})|(?<name>${KEY})\\s*(?<operator>==?|!=|[<>])\\s*(?<value>${VALUE})|` +
    `(?<set>${KEY})\\s+(?<in>in|notin)\\s*\\((?<values>[^()=!<>]*)\\))\\s*(?:,\\s*(?=[^,])|$)`,
  "y",
);

const NAME = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/;
const LABEL = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Reads a selector: `app=web,tier!=db,env in (a, b),!old`.
 *
 * @returns whether some labels are selected.
 * @throws {AppError} `USAGE`.
 */
export function readLabelSelector(selector: string): (labels: JsonMembers) => boolean {
  const requirements: Requirement[] = [];
  for (let at = 0; selector.slice(at).trim() !== "";) {
    REQUIREMENT.lastIndex = at;
    const groups = REQUIREMENT.exec(selector)?.groups;
    if (groups === undefined) throw unreadable(selector);
    requirements.push(requirementOf(groups, selector));
    at = REQUIREMENT.lastIndex;
  }
  return (labels) => requirements.every((requirement) => requirement(labels));
}

function requirementOf(groups: Readonly<Record<string, string | undefined>>, selector: string): Requirement {
  const { not, key, name, operator = "", value = "", set, in: within, values = "" } = groups;
  const label = key ?? name ?? set ?? "";
  const wanted = set === undefined ? [value] : values.split(",").map((one) => one.trim());
  if (!NAME.test(label) || !wanted.every((one) => LABEL.test(one))) throw unreadable(selector);
  const has = (labels: JsonMembers) => memberOf(labels, label) !== undefined;
  const isOneOf = (labels: JsonMembers) => wanted.some((one) => one === memberOf(labels, label));
  if (key !== undefined) return (labels) => has(labels) !== (not !== undefined);
  switch (within ?? operator) {
    case "in":
    case "=":
    case "==":
      return isOneOf;
    case "notin":
    case "!=":
      return (labels) => !isOneOf(labels);
    default:
      return comparison(label, operator, value, selector);
  }
}

const INTEGER = /^[+-]?\d{1,18}$/;

function comparison(label: string, operator: string, value: string, selector: string): Requirement {
  if (!INTEGER.test(value)) throw unreadable(selector);
  return (labels) => {
    const own = String(memberOf(labels, label) ?? "");
    if (!INTEGER.test(own)) return false;
    return operator === ">" ? BigInt(own) > BigInt(value) : BigInt(own) < BigInt(value);
  };
}

function unreadable(selector: string): AppError {
  return new AppError("USAGE", `"${printable(selector, 200)}" is no selector of labels.`, {
    hint: "Write key=value, key!=value, key, !key or key in (a, b), with commas between.",
  });
}

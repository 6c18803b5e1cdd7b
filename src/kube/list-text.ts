/** Prints a list object by object, exactly as `kubectl get -o json` and `-o yaml` print it whole. */

import { jsonText } from "./json-text.ts";
import type { Json, JsonMembers } from "./lossless-json.ts";
import { yamlItem } from "./yaml-printer.ts";

/** Prints a list that need not be in memory as a whole. */
export interface ListPrinter {
  /** The text up to the end of an object; for the first object, including the beginning of the list. */
  item(object: Json): string;
  /** The rest of the text, also for an empty list. */
  end(): string;
}

/** Prints a JSON object of kind List. */
export function jsonListPrinter(): ListPrinter {
  let lead = '{\n    "apiVersion": "v1",\n    "items": [';
  let close = "]";
  return {
    item(object) {
      const text = `${lead}\n        ${jsonText(object, 2)}`;
      lead = ",";
      close = "\n    ]";
      return text;
    },
    end() {
      const rest =
        `${close},\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n`;
      return close === "]" ? lead + rest : rest;
    },
  };
}

/** Prints a YAML document of kind List. */
export function yamlListPrinter(): ListPrinter {
  let lead = "apiVersion: v1\nitems:";
  return {
    item(object) {
      const text = `${lead}${lead === "" ? "" : "\n"}${yamlItem(object)}`;
      lead = "";
      return text;
    },
    end() {
      return `${lead === "" ? "" : `${lead} []\n`}kind: List\nmetadata:\n  resourceVersion: ""\n`;
    },
  };
}

/** A JSON object of kind List with its members in the order in which `kubectl apply -o json` has them. */
export function appliedListJson(items: readonly JsonMembers[]): string {
  const lines = items.map((item) => `        ${jsonText(item, 2)}`).join(",\n");
  return `{\n    "kind": "List",\n    "apiVersion": "v1",\n    "metadata": {},\n    "items": [\n${lines}\n    ]\n}\n`;
}

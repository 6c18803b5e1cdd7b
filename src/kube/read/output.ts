/** The forms in which objects are printed, as `-o` names them. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { CustomColumns } from "../custom-columns.ts";
import type { JsonPath } from "../jsonpath.ts";

/** A form to print objects in. */
export type Output =
  | { readonly type: "table"; readonly wide: boolean }
  | { readonly type: "json" | "yaml" | "name" }
  | { readonly type: "jsonpath"; readonly template: JsonPath; readonly asJson: boolean }
  | { readonly type: "custom-columns"; readonly columns: CustomColumns };

const FORMATS =
  "-o takes table, wide, json, yaml, name, jsonpath=…, jsonpath-file=…, jsonpath-as-json=…, custom-columns=… or custom-columns-file=….";

/**
 * Reads what `-o` is given; nothing means a table.
 *
 * @throws {AppError} `USAGE`, and what reading a file throws.
 */
export async function readOutput(
  format: string | undefined,
  readFile: (path: string) => Promise<string>,
): Promise<Output> {
  const equals = (format ?? "").indexOf("=");
  const name = equals < 0 ? format ?? "" : format?.slice(0, equals) ?? "";
  const argument = equals < 0 ? undefined : format?.slice(equals + 1);
  if (argument === undefined) {
    if (name === "" || name === "table" || name === "wide") return { type: "table", wide: name === "wide" };
    const type = name.toLowerCase();
    if (type === "json" || type === "yaml" || type === "name") return { type };
  }
  switch (name) {
    case "jsonpath":
    case "jsonpath-as-json":
      return await jsonPath(required(name, argument), name === "jsonpath-as-json");
    case "jsonpath-file":
      return await jsonPath(await readFile(required(name, argument)), false);
    case "custom-columns":
      return await customColumns(argument ?? "", "text");
    case "custom-columns-file":
      return await customColumns(await readFile(required(name, argument)), "file");
    case "go-template":
    case "go-template-file":
    case "template":
    case "templatefile":
      throw new AppError("USAGE", "Go templates are not understood.", {
        hint: "Use -o jsonpath=…, or -o json and a program such as jq.",
      });
  }
  throw new AppError("USAGE", `"${printable(format ?? "", 100)}" is no output format.`, { hint: FORMATS });
}

async function jsonPath(template: string, asJson: boolean): Promise<Output> {
  const { JsonPath } = await import("../jsonpath.ts");
  return { type: "jsonpath", template: JsonPath.parse(template), asJson };
}

async function customColumns(text: string, form: "text" | "file"): Promise<Output> {
  const { columnsOfFile, columnsOfText, CustomColumns } = await import("../custom-columns.ts");
  const columns = form === "file" ? columnsOfFile(text) : columnsOfText(text);
  return { type: "custom-columns", columns: new CustomColumns(columns) };
}

function required(name: string, argument: string | undefined): string {
  if (argument !== undefined && argument !== "") return argument;
  throw new AppError("USAGE", `-o ${name} takes what is to be printed: -o ${name}=….`, { hint: FORMATS });
}

/** Whether a template prints a list object by object. */
export function printsItems({ template, asJson }: Extract<Output, { readonly type: "jsonpath" }>): boolean {
  return !asJson && template.listPrinter() !== undefined;
}

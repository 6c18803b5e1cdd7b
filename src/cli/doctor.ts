/** `doctor`: looks at everything that a sign-in and kubectl need, and says what mends what is wrong. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { outputOption } from "./complete/declare.ts";
import { type CommandContext, type ContextOf, exitWith } from "./context.ts";
import { checkAll, checkOneIssuer } from "./doctor/check-all.ts";
import { type Area, isTrouble } from "./doctor/finding.ts";
import { formatReport, reportObject, troubledChecks } from "./doctor/report.ts";
import { toYaml, wrongFormat } from "./output/table.ts";
import { readAuthority } from "./save-flags.ts";

/** `doctor`. */
export function doctorCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("doctor")
    .description("Check sign-in, keyring and kubeconfig, and say what mends them")
    .option("--issuer <url>", "look at this issuer alone, before anybody signs in there")
    .option("--certificate-authority <file>", "with --issuer: its private authority (PEM)")
    .option("--refresh", "renew the session in use once, without asking")
    .option("--offline", "ask no server")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl doctor\n  datumctl doctor -v\n  datumctl doctor --offline -o json\n" +
        "  datumctl doctor --refresh\n" +
        "  datumctl doctor --issuer https://login.example.com/realms/main\n\n" +
        "Exit code 0 when all is well, 1 otherwise. With -v, what is well is shown, too.",
    );
  command.action((flags) => runDoctor(contextOf(command), flags));
  return command;
}

/** The flags of `doctor`, as they were typed. */
export interface DoctorInput {
  readonly issuer?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly refresh?: true | undefined;
  readonly offline?: true | undefined;
  readonly output?: string | undefined;
}

const FORMATS = ["table", "json", "yaml", "name"] as const;

/** Runs the checks, prints what they found, and ends with 1 where anything is wrong. */
export async function runDoctor(cli: CommandContext, input: DoctorInput): Promise<void> {
  const format = FORMATS.find((known) => known === (input.output ?? "table"));
  if (format === undefined) throw wrongFormat(FORMATS);
  checkFlags(input);
  const mayAsk = cli.terminal.canAsk && !cli.quiet && format === "table" && cli.terminal.outIsTerminal;
  const areas = input.issuer === undefined
    ? await checkAll(cli, {
      offline: input.offline ?? false,
      refresh: { wanted: input.refresh ?? false, mayAsk },
    })
    : await checkOneIssuer(cli, input.issuer, await authorityOf(input));
  cli.interrupted.throwIfAborted();
  await print(cli, areas, format);
  if (areas.some(({ findings }) => findings.some(isTrouble))) exitWith(1);
}

async function print(
  cli: CommandContext,
  areas: readonly Area[],
  format: typeof FORMATS[number],
): Promise<void> {
  const { terminal, out, style, verbose } = cli;
  switch (format) {
    case "json":
      return out.text(`${JSON.stringify(reportObject(areas), undefined, 2)}\n`);
    case "yaml":
      return out.text(await toYaml(reportObject(areas)));
    case "name":
      return out.text(troubledChecks(areas).map((name) => `${name}\n`).join(""));
    case "table":
      return out.text(formatReport(areas, {
        columns: terminal.columns(),
        style: style.out,
        all: verbose,
      }));
  }
}

/** @throws {AppError} `USAGE` for flags that exclude each other. */
function checkFlags({ issuer, certificateAuthority, refresh, offline }: DoctorInput): void {
  const both = (one: string, other: string) =>
    new AppError("USAGE", `${one} and ${other} cannot be combined.`);
  if (offline && refresh) throw both("--offline", "--refresh");
  if (offline && issuer !== undefined) throw both("--offline", "--issuer");
  if (refresh && issuer !== undefined) throw both("--refresh", "--issuer");
  if (certificateAuthority !== undefined && issuer === undefined) {
    throw new AppError("USAGE", "--certificate-authority goes with --issuer: a session remembers its own.");
  }
}

async function authorityOf({ certificateAuthority }: DoctorInput): Promise<string | undefined> {
  return certificateAuthority === undefined ? undefined : await readAuthority(certificateAuthority);
}

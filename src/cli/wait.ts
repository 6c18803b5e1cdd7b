/** `wait`: waits until objects are there, are gone, or are as they should be. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { chooseObjects, type ChosenObject } from "../kube/write/chosen-objects.ts";
import { lookUntil } from "../kube/write/look-until.ts";
import { readWaitFor, type Waited, type WaitFor, waitFor } from "../kube/write/wait.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { addChoiceFlags, type ChoiceFlags, choiceFlags, readChoice, selects } from "./resources/choose.ts";
import { endWithFailures } from "./resources/failures.ts";
import { durationOf, takeBooleanValues } from "./resources/flags.ts";
import { openResources, type ResourcePlane, writeContext } from "./resources/plane.ts";
import { addResultFlags, inTurn, openResults, type ResultFlags, resultFlags } from "./resources/results.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl wait dnszone/example-com --for=condition=Ready
  datumctl wait dnszones --all --for=condition=Ready=False --timeout=5m
  datumctl wait namespace/shop --for=jsonpath='{.status.phase}'=Active
  datumctl wait secret/token --for=create --timeout=1m
  datumctl wait -f zone.yaml --for=delete`;

/** `wait`. */
export function waitCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("wait")
    .description("Wait until objects are there, gone, or as they should be")
    .argument("[objects...]", "TYPE NAME…, TYPE/NAME…, or TYPE with a selector")
    .addOption(
      valueOption(
        ["condition=", "jsonpath=", "create", "delete"],
        "--for <goal>",
        "condition=NAME[=VALUE], jsonpath='{.path}'[=VALUE], create or delete",
      ),
    )
    .option(
      "--timeout <duration>",
      "how long to wait; 0s looks once, a negative one is a week (default: 30s)",
    )
    .addHelpText("after", EXAMPLES);
  addChoiceFlags(command, "wait for");
  addResultFlags(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((args, flags) =>
    runWait(contextOf(command), {
      ...flags,
      ...choiceFlags(command),
      ...resultFlags(command),
      ...scopeFlags(command),
      args,
    })
  );
  return command;
}

/** The words and flags of `wait`, as they were typed. */
export interface WaitInput extends ChoiceFlags, ResultFlags, ScopeFlags {
  readonly args: readonly string[];
  readonly for?: string | undefined;
  readonly timeout?: string | undefined;
}

const WEEK = 7 * 24 * 3_600_000;

/** Waits, and prints a line for each object that is as it should be. */
export async function runWait(cli: CommandContext, input: WaitInput): Promise<void> {
  const goal = readWaitFor(input.for ?? "");
  const given = durationOf(input.timeout ?? "30s", "--timeout");
  const timeout = given < 0 ? WEEK : given;
  const results = await openResults(cli, input);
  using plane = await openResources(cli, input);
  const began = cli.now();
  const { objects, errors } = await chooseThem(cli, plane, input, goal, timeout);
  const left = Math.max(0, timeout - (cli.now() - began));
  const waited = await waitForEach(cli, plane, objects, goal, left, results.print);
  const failed = waited.flatMap((one) => one.type === "failed" ? [one.error] : []);
  endWithFailures(cli, [...errors, ...failed]);
}

/** The objects to wait for; what is to be created may not be there yet for a selector to find. */
async function chooseThem(
  cli: CommandContext,
  plane: ResourcePlane,
  input: WaitInput,
  goal: WaitFor,
  timeout: number,
) {
  // As for kubectl, a selector beside --all is the narrower one here, where nothing is changed.
  const all = input.all && !input.selector && !input.fieldSelector;
  const choice = await readChoice(cli, plane, input.args, { ...input, all });
  const context = writeContext(cli, plane);
  const find = async () => {
    const chosen = await chooseObjects(plane, choice);
    return chosen.objects.length > 0 || chosen.errors.length > 0 || !selects(input) ? chosen : undefined;
  };
  const deadline = goal.type === "create" ? cli.now() + timeout : cli.now();
  const found = await lookUntil(context, deadline, find);
  for (const ambiguity of found?.ambiguities ?? []) cli.out.info(ambiguity);
  if (found !== undefined) return found;
  if (goal.type === "delete") return { objects: [], errors: [] };
  throw goal.type === "create"
    ? new AppError("TIMEOUT", "Nothing that the selector finds was created in time.")
    : new AppError("NOT_FOUND", "There is nothing to wait for: the selector finds no object.", {
      hint: "With --for=create it waits for the first one.",
    });
}

async function waitForEach(
  cli: CommandContext,
  plane: ResourcePlane,
  objects: readonly ChosenObject[],
  goal: WaitFor,
  timeout: number,
  print: Awaited<ReturnType<typeof openResults>>["print"],
): Promise<readonly Waited[]> {
  const told = inTurn();
  const waited = await waitFor(writeContext(cli, plane), objects, goal, {
    timeout,
    onResult(result) {
      if (result.type === "met") told.add(() => print(result.object, "condition met"));
    },
  });
  await told.end();
  return waited;
}

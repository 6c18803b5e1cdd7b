/** A process that asks URLs through the product's own fetch and prints what each failure was called. */

// deno-lint-ignore-file no-console -- it speaks to the test that started it

import { AppError } from "../../src/errors.ts";
import { networkFailure, openNetwork } from "../../src/system/network.ts";

const [caFile = "", ...urls] = Deno.args;
using network = openNetwork(caFile === "" ? undefined : Deno.readTextFileSync(caFile));
const answers: unknown[] = [];
for (const url of urls) {
  try {
    const response = await network.fetch(url);
    try {
      answers.push({ status: response.status, body: await response.text() });
    } catch (thrown) {
      answers.push({ status: response.status, kind: networkFailure(thrown).kind });
    }
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const { code, message, hint } = thrown;
    answers.push({ code, message, hint, kind: networkFailure(thrown.cause).kind });
  }
}
console.log(JSON.stringify(answers));

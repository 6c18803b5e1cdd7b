/** `ctx`, which shows what is in use and holds `use` and `list`. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ContextOf } from "../context.ts";
import { ctxListCommand } from "./list.ts";
import { ctxShowCommand } from "./show.ts";
import { ctxUseCommand } from "./use.ts";

/** `ctx`. */
export function ctxCommand(deps: ContextOf): CommandUnknownOpts {
  return ctxShowCommand(deps).addCommand(ctxUseCommand(deps)).addCommand(ctxListCommand(deps));
}

/** Owns what a Kubernetes API's refusals say beyond their HTTP status: its Status objects, and where to look next. */

import { type ApiAnswer, objectOf } from "../http/api-answer.ts";
import { HINTS } from "../hints.ts";
import { messageOf, type Refusals } from "../http/api-errors.ts";
import { printable } from "../text.ts";

/** How a client of a Kubernetes API understands its refusals, with the next steps that depend on which one it is. */
export function kubernetesRefusals(steps: Pick<Refusals["hints"], "FORBIDDEN" | "NOT_FOUND">): Refusals {
  return {
    hints: {
      ...steps,
      CONFLICT: "Look at what is there now, then decide.",
      INVALID: "Correct what the message names.",
    },
    // A server that lets strangers ask sees one in whoever shows a token that it does not take.
    refusesToken: (answer) => answer.status === 403 && messageOf(answer).includes("system:anonymous"),
    reasonOf,
  };
}

/** {@link kubernetesRefusals} of what commands act on without a flag. */
export const KUBERNETES_REFUSALS = kubernetesRefusals({
  FORBIDDEN: HINTS.FORBIDDEN.action,
  NOT_FOUND: HINTS.NOT_FOUND.served,
});

/** A Status object's reason, such as `AlreadyExists`. */
function reasonOf(answer: ApiAnswer): string | undefined {
  const reason = objectOf(answer)?.reason;
  return typeof reason === "string" ? printable(reason, 100) : undefined;
}

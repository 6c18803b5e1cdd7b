/** The refusals of a Kubernetes API beyond their HTTP status: its Status objects, and where to look next. */

import { isObject } from "../encoding.ts";
import { type ApiAnswer, objectOf } from "../http/api-answer.ts";
import { SERVER_HINTS } from "../server-hints.ts";
import { messageOf, type Refusals } from "../http/api-errors.ts";
import { flagsFor, type Impersonation } from "./impersonation.ts";
import { printable, shellLine } from "../text.ts";

/** The refusals of a Kubernetes API, with the next steps that depend on the API. */
export function kubernetesRefusals(
  steps: Pick<Refusals["hints"], "FORBIDDEN" | "NOT_FOUND">,
  { where = [], impersonation }: {
    /** The flags that choose the target. */
    readonly where?: readonly string[];
    /** Whom the requests are made as. */
    readonly impersonation?: Impersonation | undefined;
  } = {},
): Refusals {
  const all = impersonation === undefined ? where : [...where, ...flagsFor(impersonation)];
  return {
    hints: {
      ...steps,
      CONFLICT: "Look at what is there now, then decide.",
      INVALID: "Correct what the message names.",
    },
    hintFor: (answer) =>
      answer.status === 404 ? hintForObject(answer, all) : hintForImpersonation(answer, where),
    // A server that allows anonymous requests treats an unknown token as anonymous. Where somebody is impersonated, who may
    // be system:anonymous, it asks first of all whether the token's own user may do that.
    refusesToken: (answer) =>
      answer.status === 403 &&
      messageOf(answer).includes(
        impersonation ? `"system:anonymous" ${NO_IMPERSONATION}` : "system:anonymous",
      ),
    // A server that cannot read a document as what its kind says answers with a Status without a reason.
    isFinal: (answer) => answer.status === 500 && isStatusWithoutReason(answer),
    reasonOf,
  };
}

/** {@link kubernetesRefusals} for the target that commands use without a flag. */
export const KUBERNETES_REFUSALS = kubernetesRefusals({
  FORBIDDEN: SERVER_HINTS.FORBIDDEN.action,
  NOT_FOUND: SERVER_HINTS.NOT_FOUND.served,
});

/** What a server says of a user who may not act as the one that a request names. */
const NO_IMPERSONATION = "cannot impersonate";

/** What to do where the user may not act as another one. */
function hintForImpersonation(answer: ApiAnswer, where: readonly string[]): string | undefined {
  if (answer.status !== 403 || !messageOf(answer).includes(NO_IMPERSONATION)) return undefined;
  return SERVER_HINTS.FORBIDDEN.impersonate(shellLine(["--list", ...where]));
}

/** Where to look for an object that is not there: it may be in another namespace. */
function hintForObject(answer: ApiAnswer, where: readonly string[]): string | undefined {
  const details = objectOf(answer)?.details;
  if (!isObject(details)) return undefined;
  const { kind, name } = details;
  const isWord = (text: unknown): text is string =>
    typeof text === "string" && /^[a-z0-9][a-z0-9.-]*$/.test(text);
  if (!isWord(kind) || !isWord(name)) return undefined;
  return kind === "namespaces"
    ? SERVER_HINTS.NOT_FOUND.namespace(shellLine([name, ...where]))
    : SERVER_HINTS.NOT_FOUND.objects(shellLine([kind, "-A", ...where]));
}

function isStatusWithoutReason(answer: ApiAnswer): boolean {
  const object = objectOf(answer);
  return object?.kind === "Status" && (object.reason ?? "") === "";
}

/** A Status object's reason, such as `AlreadyExists`. */
function reasonOf(answer: ApiAnswer): string | undefined {
  const reason = objectOf(answer)?.reason;
  return typeof reason === "string" ? printable(reason, 100) : undefined;
}

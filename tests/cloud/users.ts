/** Who lives in the cloud and what each of them may do there. */

/** A person or a machine known to the issuer and to every control plane. */
export interface User {
  /** What the control planes call it: an e-mail address, or what a machine has in its place. */
  readonly email: string;
  readonly name: string;
  /** The subject, stable for good. */
  readonly sub: string;
  /** Verbs allowed on every resource of a control plane; `*` is all of them. */
  readonly verbs: readonly string[];
  /** Organizations that it belongs to beside those that name it as a member. */
  readonly organizations?: readonly string[];
}

/** Ada may do everything, Grace may look, Zoë may nothing but ask who she is. */
export const USERS: readonly User[] = [
  { email: "ada@example.com", name: "Ada Lovelace", sub: "318271931245953281", verbs: ["*"] },
  {
    email: "grace@example.com",
    name: "Grace Hopper",
    sub: "318271931245953282",
    verbs: ["get", "list", "watch"],
  },
  { email: "zoe@example.com", name: "Zoë Ångström", sub: "318271931245953283", verbs: [] },
];

/** True when the user's row allows the verb. */
export function mayUser(user: User, verb: string): boolean {
  return user.verbs.includes("*") || user.verbs.includes(verb);
}

/** What the toy harbour does otherwise than other clouds. */

import { keyringLimits, type ProviderContext } from "../../../src/providers/context.ts";
import type { LoginInput } from "../../../src/providers/flags.ts";
import { loginLine, sessionLines } from "../../../src/providers/lines.ts";
import type { LoginCommand, ProviderCode } from "../../../src/providers/provider.ts";
import { saveMachine } from "../../../src/sessions/save.ts";
import { BERTH, TOY } from "./facts.ts";

interface ToyInput extends LoginInput {
  readonly berth?: string | undefined;
}

/** The code. */
export const TOY_CODE: ProviderCode = {
  ...sessionLines({
    ownKind: {
      what: "Moor again",
      line: ({ name, user }) => loginLine(name, ["--provider", "toy", "--berth", user.subject]),
    },
  }),
  flags: [],
  ownFlags: [{ name: "berth", usage: "--berth <name>", description: "toy: the berth to moor at" }],
  meant: ({ berth }) => berth === undefined ? undefined : "perhaps",
  async signIn(context: ProviderContext, login: LoginCommand, { berth = "1", keyring }: ToyInput) {
    const saved = await saveMachine(
      context.store,
      {
        session: { provider: TOY, kind: BERTH, user: { subject: berth }, scopes: [] },
        credentials: {
          issuer: "https://toy.example",
          apiHost: "toy.example",
          clientId: "",
          subject: berth,
          tokenSource: { kind: "fixed" },
          accessToken: `moored-at-${berth}`,
          received: context.now(),
          accessTokenExpires: context.now() + 3600_000,
        },
        label: berth,
      },
      { wantedName: login.wantedName(), ...await login.keyStores(keyring), activate: true },
      keyringLimits(context),
    );
    context.out.line(`Moored at berth ${berth}.`);
    login.printKeyLocation(saved);
  },
  nextCommand: "datumctl auth token",
  nothingInUse: () => ({ message: "A harbour has no projects.", hint: "Moor elsewhere." }),
  lostKeyLine: ({ name }) => loginLine(name, ["--provider", "toy"]),
  revoke: (_, { session }) =>
    Promise.resolve({ done: `Cast off from berth ${session.user.subject}`, host: "toy.example" }),
  staysValid: () => "The berth itself stays reserved.",
};

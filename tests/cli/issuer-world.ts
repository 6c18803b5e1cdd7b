/** The world of commands tested from source at an issuer of one's own: its people, and a place for their sessions. */

import assert from "node:assert/strict";
import type { Session } from "../../src/sessions/session.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { type PeopleIssuer, startPeopleIssuer } from "./people-issuer.ts";
import { type Ran, runLine, type RunOptions } from "./run-line.ts";

/** How a command line is run. */
export type Options = Partial<Omit<RunOptions, "store">>;

/** Where commands run; dispose of it. */
export interface IssuerWorld extends AsyncDisposable {
  readonly issuer: PeopleIssuer;
  readonly sandbox: Sandbox;
  /** The issuer's host and port, which its sessions are named by. */
  readonly host: string;
  readonly kubeconfig: string;
  run(args: readonly string[], options?: Options): Promise<Ran>;
  /** Runs it, and it must end well. */
  ok(args: readonly string[], options?: Options): Promise<Ran>;
  /** `login` at a realm as a client, which must end well; the person's browser comes back at once. */
  login(realm: string, client: string, flags?: readonly string[], options?: Options): Promise<Ran>;
  /** `login` with these flags alone. */
  signIn(flags: readonly string[], options?: Options): Promise<Ran>;
  session(name: string): Promise<Session>;
  /** The names of the sessions that are stored. */
  names(): Promise<string[]>;
}

/** Opens a world. */
export async function openIssuerWorld(life?: number): Promise<IssuerWorld> {
  const issuer = startPeopleIssuer(life);
  const sandbox = await openSandbox();
  const kubeconfig = `${sandbox.folder}/kubeconfig`;
  const run = (args: readonly string[], options: Options = {}) =>
    runLine(args, {
      store: sandbox.store,
      ...options,
      env: { KUBECONFIG: kubeconfig, PATH: Deno.env.get("PATH") ?? "", ...options.env },
    });
  const signIn = async (flags: readonly string[], options: Options = {}) => {
    let back: Promise<unknown> | undefined;
    let shown = "";
    const ran = await run(["login", "--keyring", "file", "--browser-command", "true", ...flags], {
      ...options,
      onErr(text) {
        shown += text;
        const url = /http:\/\/\S+[?&]response_type=\S+(?=\s)/.exec(shown)?.[0];
        // By then the program that stands in for a browser has ended.
        const opened = shown.includes("Waiting for the browser");
        if (url !== undefined && opened) back ??= fetch(url).then((answer) => answer.body?.cancel());
      },
    });
    await back;
    return ran;
  };
  const good = (ran: Ran, args: readonly string[]) => {
    assert.equal(ran.code, 0, `${args.join(" ")}: ${ran.stderr}`);
    return ran;
  };
  return {
    issuer,
    sandbox,
    host: new URL(issuer.at("")).host,
    kubeconfig,
    run,
    ok: async (args, options) => good(await run(args, options), args),
    signIn,
    login: async (realm, client, flags = [], options = {}) => {
      const named = ["--issuer", issuer.at(realm), "--client-id", client, ...flags];
      return good(await signIn(named, options), named);
    },
    async session(name) {
      return await sandbox.store.read(name) ?? assert.fail(`no session ${name}`);
    },
    async names() {
      const { stdout } = await run(["auth", "list", "-o", "json"]);
      return JSON.parse(stdout).map(({ name }: { name: string }) => name);
    },
    async [Symbol.asyncDispose]() {
      await issuer[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

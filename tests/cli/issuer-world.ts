/** The world of commands tested from source at an issuer of one's own: its people, and a place for their sessions. */

import assert from "node:assert/strict";
import type { Session } from "../../src/sessions/session.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";
import { type PeopleIssuer, startPeopleIssuer } from "./people-issuer.ts";
import { type CommandLine, commandLine, good, type Options, type Ran } from "./run-line.ts";

/** Where commands run; dispose of it. */
export interface IssuerWorld extends CommandLine, AsyncDisposable {
  readonly issuer: PeopleIssuer;
  readonly sandbox: Sandbox;
  /** The issuer's host and port, which its sessions are named by. */
  readonly host: string;
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
  const commands = commandLine(sandbox);
  const signIn = (flags: readonly string[], options: Options = {}) =>
    whenPrinted(
      // By then the program that stands in for a browser has ended.
      (stderr) => stderr.includes("Waiting for the browser") ? printedAddress(stderr) : undefined,
      async (address) => await (await fetch(address)).body?.cancel(),
      (onStderr) =>
        commands.run(["login", "--keyring", "file", "--browser-command", "true", ...flags], {
          ...options,
          onStderr,
        }),
    );
  return {
    ...commands,
    issuer,
    sandbox,
    host: new URL(issuer.at("")).host,
    signIn,
    login: async (realm, client, flags = [], options = {}) => {
      const named = ["--issuer", issuer.at(realm), "--client-id", client, ...flags];
      return good(await signIn(named, options), named);
    },
    async session(name) {
      return await sandbox.store.read(name) ?? assert.fail(`no session ${name}`);
    },
    async names() {
      return JSON.parse(await commands.ok("auth list -o json")).map(({ name }: { name: string }) => name);
    },
    async [Symbol.asyncDispose]() {
      await issuer[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** Completes one value as its kind says; what that takes is loaded for the kind at hand. */

import type { Candidate, Completer, SingleKind, ValueRequest } from "./context.ts";
import type { Kind, KindName } from "./kinds.ts";
import { heldCommand } from "./position.ts";
import type { CommandWords } from "./table.ts";

/** Each kind's completer, but for those that the shell completes by itself. */
const COMPLETERS: Readonly<Record<Exclude<KindName, ShellKind>, () => Promise<Completer>>> = {
  nothing: () => Promise.resolve(() => []),
  words: () => Promise.resolve(helpWords),
  session: async () => (await import("./stored-sessions.ts")).sessions,
  profile: async () => (await import("./stored-sessions.ts")).profiles,
  context: async () => (await import("./kubeconfig-names.ts")).contexts,
  "cluster entry": async () => (await import("./kubeconfig-names.ts")).clusterEntries,
  organization: async () => (await import("./scopes.ts")).organizations,
  project: async () => (await import("./scopes.ts")).projects,
  target: async () => (await import("./scopes.ts")).targets,
  cluster: async () => (await import("./scopes.ts")).clusters,
  token: async () => (await import("./scopes.ts")).tokens,
  objects: async () => (await import("./resources.ts")).objectWords,
  object: async () => (await import("./resources.ts")).objectWord,
  type: async () => (await import("./resources.ts")).types,
  name: async () => (await import("./resources.ts")).names,
  namespace: async () => (await import("./resources.ts")).namespaces,
  group: async () => (await import("./resources.ts")).groups,
  version: async () => (await import("./resources.ts")).versions,
  category: async () => (await import("./resources.ts")).categories,
};

/** What a shell completes by itself. */
export type ShellKind = "file" | "folder" | "program" | "line";

const OF_SHELL: ReadonlySet<unknown> = new Set<ShellKind>(["file", "folder", "program", "line"]);

/** What a shell has to complete by itself, with what stands before it in the word. */
export interface ShellValue {
  readonly kind: ShellKind;
  readonly head: string;
}

/** Says whether a shell completes a value by itself. */
export function shellValue(kind: Kind, text: string): ShellValue | undefined {
  if (isShellKind(kind)) return { kind, head: "" };
  const choices = isChoices(kind) ? kind : [];
  const head = choices.find((choice) => /file[=:]$/.test(choice) && text.startsWith(choice));
  return head === undefined ? undefined : { kind: "file", head };
}

/** The values of a kind that is its own list of words; undefined for any other kind. */
export function knownValues(kind: Kind, text: string): Candidate[] | undefined {
  return isChoices(kind) ? beginning(kind.map(choiceCandidate), text) : undefined;
}

/** The values that begin with what was typed. @throws {AppError} what reading files and asking servers throws. */
export async function valuesOf(kind: Kind, request: ValueRequest): Promise<Candidate[]> {
  const { text } = request;
  if (typeof kind === "object" && "list" in kind) return await listValues(kind.list, request);
  const known = knownValues(kind, text);
  if (known !== undefined) return known;
  if (isChoices(kind) || isShellKind(kind)) return [];
  const complete = await COMPLETERS[kind]();
  return beginning(await complete(request), text);
}

/** Values with commas between them: what stands before the last one stays, and is not offered again. */
async function listValues(kind: SingleKind, request: ValueRequest): Promise<Candidate[]> {
  const head = request.text.slice(0, request.text.lastIndexOf(",") + 1);
  const named = new Set(head.split(","));
  const found = await valuesOf(kind, { ...request, text: request.text.slice(head.length) });
  return found.filter(({ word }) => !named.has(word)).map((one) => ({ ...one, word: `${head}${one.word}` }));
}

function choiceCandidate(word: string): Candidate {
  return /[=:]$/.test(word) ? { word, open: true } : { word };
}

function beginning(candidates: readonly Candidate[], text: string): Candidate[] {
  const composed = text.normalize("NFC");
  return candidates.filter(({ word, open }) =>
    (word.startsWith(text) || word.startsWith(composed)) && !(open && word === text)
  );
}

function isChoices(kind: Kind): kind is readonly string[] {
  return Array.isArray(kind);
}

function isShellKind(kind: Kind): kind is ShellKind {
  return OF_SHELL.has(kind);
}

/** What `help` tells of beside commands. */
const TOPICS: readonly Candidate[] = [
  { word: "exit-codes", about: "what exit codes mean" },
  { word: "plugins", about: "the plug-ins that are found" },
];

/** The words of commands, as `help` takes them. */
function helpWords({ program, given: { args } }: ValueRequest): Candidate[] {
  let command: CommandWords | undefined = program;
  for (const word of args) command = command && heldCommand(command, word);
  if (command === undefined) return [];
  const topics = command === program ? TOPICS : [];
  return [...command.commands.map(({ name, about }) => ({ word: name, about })), ...topics];
}

/** What a word of a command line can be completed with. */

/**
 * - `nothing`: free text, for which nothing is offered.
 * - `session`, `profile`: stored sessions; those of Cloudfleet alone.
 * - `organization`, `project`, `target`: ids at a Datum; `target` is ORG or ORG/PROJECT.
 * - `cluster`, `token`: ids at Cloudfleet.
 * - `context`, `cluster entry`: names of the kubeconfig.
 * - `objects`: a type and then names, or TYPE/NAME; `object`: one TYPE/NAME.
 * - `type`, `name`: a type, and the name of an object of the type in the word before.
 * - `namespace`, `group`, `version`, `category`: of the API server in use.
 * - `file`, `folder`, `program`: left to the shell. `line`: a whole command line of another program.
 * - `words`: words of commands, as `help` takes them.
 */
export type KindName =
  | "nothing"
  | "session"
  | "profile"
  | "organization"
  | "project"
  | "target"
  | "cluster"
  | "token"
  | "context"
  | "cluster entry"
  | "objects"
  | "object"
  | "type"
  | "name"
  | "namespace"
  | "group"
  | "version"
  | "category"
  | "file"
  | "folder"
  | "program"
  | "line"
  | "words";

/**
 * The words themselves. One that ends in `=` or `:` has more behind it: a file where it ends in `file=` or `file:`, else
 * nothing that is known.
 */
export type Choices = readonly string[];

/** One value, or with `list` several with commas between them. */
export type Kind = KindName | Choices | { readonly list: KindName | Choices };

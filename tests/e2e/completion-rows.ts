/** Command lines as they are typed in shells, and as they are after a press of TAB. */

/** The shells that are typed to. */
export const TYPED_SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@link TYPED_SHELLS}. */
export type TypedShell = typeof TYPED_SHELLS[number];

/** One press of TAB. */
export interface Row {
  /** Behind `datumctl `. */
  readonly typed: string;
  /** The same line after it; as it was where nothing can be added. `HOST` stands for the API host. */
  readonly then: string;
}

const same = (typed: string): Row => ({ typed, then: typed });
const row = (typed: string, then: string): Row => ({ typed, then });

/** Alike in all shells. A blank at the end says that the word is whole. */
export const ROWS: readonly Row[] = [
  // Commands.
  row("who", "whoami "),
  row("ctx u", "ctx use "),
  row("auth sw", "auth switch "),
  row("auth update-k", "auth update-kubeconfig "),
  row("auth ls", "auth ls "),
  row("-q ctx u", "-q ctx use "),
  row("--profile ada ctx u", "--profile ada ctx use "),
  row("completion ba", "completion bash "),
  row("help auth up", "help auth update-kubeconfig "),
  row("help exit", "help exit-codes "),
  row("help plu", "help plugins "),
  row("create secret g", "create secret generic "),
  row("log", "log"),
  same("nonsense"),
  same("whoami nonsense"),
  // Flags.
  row("--prof", "--profile "),
  row("get --sor", "get --sort-by "),
  row("get pods --sel", "get pods --selector "),
  row("ctx use --ski", "ctx use --skip-validation "),
  row("exec --token", "exec --token-env "),
  row("get --as-ui", "get --as-uid "),
  row("auth whoami --as=zoe --as-ui", "auth whoami --as=zoe --as-uid "),
  same("get --as zo"),
  row("get --sort-by=x --sor", "get --sort-by=x --sor"),
  same("get --nonsense"),
  // Values that are known beforehand.
  row("get -o wi", "get -o wide "),
  row("get -owi", "get -owide "),
  row("get --output=wi", "get --output=wide "),
  row("get -o jsonpath-f", "get -o jsonpath-file="),
  same("get -o jsonpath="),
  row("delete --cascade=or", "delete --cascade=orphan "),
  row("apply --dry-run=ser", "apply --dry-run=server "),
  row("patch --type st", "patch --type strategic "),
  row("--error-format js", "--error-format json "),
  row("login --keyring sy", "login --keyring system "),
  row("api-resources --verbs get,li", "api-resources --verbs get,list "),
  row("auth can-i watc", "auth can-i watch "),
  // Sessions.
  row("auth switch ada@ex", "auth switch ada@example.com@HOST "),
  row("auth switch ada@example.com@127.0.0.1:", "auth switch ada@example.com@HOST "),
  row("--session gr", "--session grace "),
  row("--session=ada@ex", "--session=ada@example.com@HOST "),
  row("logout jü", "logout jürgen "),
  row("get --profile=jü", "get --profile=jürgen "),
  // What the clouds list.
  row("ctx use acme/w", "ctx use acme/web "),
  row("ctx use globe", "ctx use globe"),
  row("get --project we", "get --project web "),
  row("get --project=we", "get --project=web "),
  row("get --organization ac", "get --organization acme "),
  row("auth update-kubeconfig --project we", "auth update-kubeconfig --project web "),
  // Types and names.
  row("get conf", "get configmaps "),
  row("get namespaces,conf", "get namespaces,configmaps "),
  row("explain conf", "explain configmaps "),
  row("get configmaps al", "get configmaps alpha "),
  row("get cm al", "get cm alpha "),
  row("get configmaps/al", "get configmaps/alpha "),
  row("describe configmaps alpha be", "describe configmaps alpha beta "),
  row("describe configmaps alpha al", "describe configmaps alpha al"),
  row("get -n kube-s", "get -n kube-system "),
  row("get configmaps -n kube-system al", "get configmaps -n kube-system al"),
  row("events --for configm", "events --for configmaps/"),
  row(
    "get --profile grace --project web configmaps be",
    "get --profile grace --project web configmaps beta ",
  ),
  // Files where files are meant, and nowhere else.
  row("apply -f zon", "apply -f zone.yaml "),
  row("apply --filename=zon", "apply --filename=zone.yaml "),
  row("get > zon", "get > zone.yaml "),
  same("get -l zon"),
  same("auth team zon"),
  // Names of the kubeconfig.
  row("get --context pro", "get --context prod "),
  // The words of other programs.
  row("exec -- datumct", "exec -- datumctl "),
];

/** Quotes, blanks and letters, written as each shell has them. */
export const QUOTED: Readonly<Record<TypedShell, readonly Row[]>> = {
  bash: [
    row("exec ", "exec -- "),
    row("get --context wi", "get --context with\\ blank "),
    row("get --context with\\ b", "get --context with\\ blank "),
    row("get --context 'wi", "get --context 'with blank' "),
    row('get --context "wi', 'get --context "with blank" '),
    row("get --context=wi", "get --context=with\\ blank "),
    row('get --context="wi', 'get --context="with blank" '),
    row("get --context it", "get --context it\\'s "),
    row('get --context "it', `get --context "it's" `),
    row("get --context mü", "get --context münchen "),
    row("get --context ev", "get --context evil\\$\\(touch\\ PWNED\\)\\`touch\\ PWNED\\`\\;touch\\ PWNED "),
    row('get --context "ev', 'get --context "evil\\$(touch PWNED)\\`touch PWNED\\`;touch PWNED" '),
    row("get configmaps hos", "get configmaps hostile\\$\\(touch\\ PWNED\\) "),
    row('auth switch "ada@', 'auth switch "ada@example.com@HOST" '),
    row("\"auth\" 'switch' ada@ex", "\"auth\" 'switch' ada@example.com@HOST "),
    row("get --context sa", 'get --context say\\"hi\\" '),
  ],
  zsh: [
    row("exec ", "exec -- "),
    row("get --context wi", "get --context with\\ blank "),
    row("get --context with\\ b", "get --context with\\ blank "),
    row("get --context 'wi", "get --context 'with blank' "),
    row('get --context "wi', 'get --context "with blank" '),
    row("get --context=wi", "get --context=with\\ blank "),
    row("get --context it", "get --context it\\'s "),
    row('get --context "it', `get --context "it's" `),
    row("get --context mü", "get --context münchen "),
    row("get --context ev", "get --context evil\\$\\(touch\\ PWNED\\)\\`touch\\ PWNED\\`\\;touch\\ PWNED "),
    row("get configmaps hos", "get configmaps hostile\\$\\(touch\\ PWNED\\) "),
    row('auth switch "ada@', 'auth switch "ada@example.com@HOST" '),
    row("\"auth\" 'switch' ada@ex", "\"auth\" 'switch' ada@example.com@HOST "),
    row("get --context sa", 'get --context say\\"hi\\" '),
    row("exec -- datumctl ctx u", "exec -- datumctl ctx use "),
  ],
  fish: [
    row("get --context wi", "get --context with\\ blank "),
    row("get --context with\\ b", "get --context with\\ blank "),
    row("get --context 'wi", "get --context 'with blank' "),
    row('get --context "wi', 'get --context "with blank" '),
    row("get --context=wi", "get --context=with\\ blank "),
    row("get --context it", "get --context it\\'s "),
    row('get --context "it', `get --context "it's" `),
    row("get --context mü", "get --context münchen "),
    row("get --context ev", "get --context evil\\$\\(touch\\ PWNED\\)`touch\\ PWNED`\\;touch\\ PWNED "),
    row("get configmaps hos", "get configmaps hostile\\$\\(touch\\ PWNED\\) "),
    row('auth switch "ada@', 'auth switch "ada@example.com@HOST" '),
    row("\"auth\" 'switch' ada@ex", "\"auth\" 'switch' ada@example.com@HOST "),
    row("get --context sa", 'get --context say\\"hi\\" '),
    row("exec -- datumctl ctx u", "exec -- datumctl ctx use "),
  ],
};

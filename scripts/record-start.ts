/** Writes down which functions a cached get-token and a prompt's `status` call, for `scripts/eager.ts`. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { startCloud } from "../tests/cloud/cloud.ts";
import { bundlePlainly, ROOT } from "./compile.ts";
import { functionsIn, LIST } from "./eager.ts";
import { readChunks } from "./merge-start.ts";
import { signIn } from "./sign-in.ts";

/** What V8 tells of a script, as far as it is read here. */
interface Coverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly {
      readonly startOffset: number;
      readonly endOffset: number;
      readonly count: number;
    }[];
  }[];
}

/** Runs both from the bundle. Returns a line for each function that was called, in order. */
export async function recordStart(): Promise<string[]> {
  const scratch = await Deno.makeTempDir({ prefix: "datumctl-record-" });
  await using cloud = await startCloud();
  try {
    const chunks = `${scratch}/chunks`;
    await Deno.mkdir(chunks);
    await bundlePlainly(`${ROOT}main.ts`, chunks);
    const texts = await readChunks(chunks);
    const env = {
      ...Deno.env.toObject(),
      DATUMCTL_CONFIG_DIR: `${scratch}/config`,
      DATUMCTL_KEYRING: "file",
    };
    const run = async (words: readonly string[], flags: readonly string[] = [], more = {}) => {
      // The shell is another parent each time: a token for the same one may follow a 401.
      const program = ["-c", '"$@"; exit $?', "sh", Deno.execPath(), ...RUN, ...flags, `${chunks}/main.js`];
      const { success, stderr } = await new Deno.Command("sh", {
        args: [...program, ...words],
        cwd: scratch,
        env: { ...env, ...more },
        stdin: "null",
      }).output();
      if (!success) {
        throw new Error(`datumctl ${words.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
      }
    };
    const session = await signIn(cloud, [Deno.execPath(), ...RUN, `${chunks}/main.js`], env);
    await run(["ctx", "use", "acme/web"]);
    const getToken = ["auth", "get-token", `--output=${EXEC_VERSION}`, `--session=${session}`];
    const asKubectl = { KUBERNETES_EXEC_INFO: execInfo(`https://${cloud.apiHost}`) };
    const called = new Set<string>();
    for (
      const [words, more] of [[getToken, {}], [getToken, asKubectl], [["status", "--short"], {}]] as const
    ) {
      const folder = await Deno.makeTempDir({ dir: scratch });
      // Once for what only the first call does.
      await run(words, [], more);
      await run(words, [`--coverage=${folder}`], more);
      for (const key of await calledIn(folder, texts)) called.add(key);
    }
    return [...called].sort();
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

const RUN = ["run", "--quiet", "--allow-all", "--no-config"];
const EXEC_VERSION = "client.authentication.k8s.io/v1";

/** What kubectl says of itself to its plugin, with `provideClusterInfo`. */
function execInfo(server: string): string {
  const spec = { interactive: false, cluster: { server } };
  return JSON.stringify({ kind: "ExecCredential", apiVersion: EXEC_VERSION, spec });
}

async function calledIn(folder: string, texts: ReadonlyMap<string, string>): Promise<string[]> {
  const called: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const { url, functions }: Coverage = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
    const ranges = functions.flatMap(({ ranges: [whole] }) =>
      whole !== undefined && whole.count > 0 ? [whole] : []
    );
    const seen = new Set(ranges.map(({ startOffset, endOffset }) => `${startOffset} ${endOffset}`));
    const text = texts.get(url.replace(/^.*\//, "")) ?? "";
    called.push(
      ...functionsIn(text).filter(({ start, end }) => seen.has(`${start} ${end}`)).map(({ key }) => key),
    );
  }
  return called;
}

if (import.meta.main) {
  const called = await recordStart();
  await Deno.writeTextFile(LIST, `${called.join("\n")}\n`);
  console.log(`${called.length} functions`);
}

/** The entry: what prompts and kubectl run all day waits for as little code as can be, and all else for the program. */

/** The exit code of a call that is answered without the program; undefined for any other. */
async function runShortly(args: readonly string[]): Promise<number | undefined> {
  if (args[0] === "status") {
    const { runUsualStatus } = await import("./src/cli/status/usual.ts");
    return await runUsualStatus(args);
  }
  if (!args.includes("get-token")) return undefined;
  const { runStoredToken } = await import("./src/plugin/stored-token.ts");
  return await runStoredToken(args);
}

const code = await runShortly(Deno.args);
if (code !== undefined) Deno.exit(code);
const { run } = await import("./src/program.ts");
await run();

// The first module of the binary. Prompts wait for `status`: a program of its own, which loads none of the other.
if (Deno.args[0] === "status") {
  const { runQuickStatus } = await import("./status.js");
  const code = await runQuickStatus(Deno.args);
  if (code !== undefined) Deno.exit(code);
}
await import("./program.js");

// The first module of the binary. Prompts wait for `status`: modules of its own, which load none of the program.
let code;
if (Deno.args[0] === "status") {
  const { runUsualStatus } = await import("./status-usual.js");
  code = await runUsualStatus(Deno.args);
  if (code === undefined) {
    const { runQuickStatus } = await import("./status-quick.js");
    code = await runQuickStatus(Deno.args);
  }
}
if (code === undefined) await import("./program.js");
// The process ends by itself: to end it takes longer.
else if (code !== 0) Deno.exitCode = code;

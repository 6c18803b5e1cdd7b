// The first module of the binary. Prompts wait for `status`: a module of its own, which loads none of the program.
const status = Deno.args[0] === "status" ? await import("./status.js") : undefined;
const code = await status?.runQuickStatus(Deno.args);
if (code === undefined) await import("./program.js");
// The process ends by itself: to end it takes longer.
else if (code !== 0) Deno.exitCode = code;

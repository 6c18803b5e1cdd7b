#!/usr/bin/env node
// Starts datumctl: the program in the package for this machine, which npm installs beside this one.
"use strict";

const { spawn } = require("node:child_process");

const windows = process.platform === "win32";
const machine = `${process.platform}-${process.arch}`;
const args = process.argv.slice(2);

function fail(...lines) {
  process.stderr.write(`error: ${lines.join("\n       ")}\n`);
  process.exit(1);
}

function findProgram() {
  try {
    return require.resolve(`@datumctl/${machine}/bin/datumctl${windows ? ".exe" : ""}`);
  } catch {
    const known = Object.keys(require("../package.json").optionalDependencies);
    if (!known.includes(`@datumctl/${machine}`)) fail(`There is no datumctl for ${machine}.`);
    if (process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime) {
      fail(
        "datumctl needs glibc, which this system does not have. Use it in a glibc system, such as Debian.",
      );
    }
    return fail(
      `The program for this machine is missing: npm left out the package @datumctl/${machine}.`,
      "Optional dependencies are turned off, or node_modules was copied from another kind of machine.",
      "Install it again here: npm install --include=optional datumctl",
    );
  }
}

const program = findProgram();
if (!windows && typeof process.execve === "function") {
  // The program takes this process's place, with its number, its parent and its signals.
  process.execve(program, [program, ...args], process.env);
}

// Before the program starts, so that no signal ends this process alone. A terminal sends Ctrl-C to both: the program
// decides what becomes of it.
const byTerminal = process.stdin.isTTY || process.stderr.isTTY ? ["SIGINT", "SIGQUIT"] : [];
for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]) {
  try {
    process.on(signal, () => byTerminal.includes(signal) || child.kill(signal));
  } catch {
    // Windows knows few of them.
  }
}
const child = spawn(program, args, { stdio: "inherit", argv0: program });
child.on("error", (error) => fail(`Cannot start ${program}: ${error.message}`));
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

/** The process that started this one, told apart from others with the same number. */

import type { Clock } from "./clock.ts";
import { machineId } from "./environment.ts";

/** The process that started this one. */
export interface ParentProcess {
  readonly pid: number;
  /** Its number and the machine's or container's id: containers that share a home each have a process 1. */
  readonly id: string;
  /**
   * When it started; undefined when that is unknown. It tells apart processes that had the same number one after
   * the other, and costs a child process.
   */
  readonly start: () => Promise<ProcessStart | undefined>;
}

/** When a process started. */
export interface ProcessStart {
  /** The same at every call, and another for each process of that number. */
  readonly ticks: string;
  /** In milliseconds. */
  readonly ago: number;
}

/** This process's own parent. */
export const parentProcess: ParentProcess = {
  get pid() {
    return Deno.ppid;
  },
  get id() {
    return `${Deno.ppid}@${machineId()}`;
  },
  start: () => startOf(Deno.ppid),
};

/** True when the parent started after that time, so that an earlier process had its number then. */
export async function startedAfter({ start }: ParentProcess, time: number, now: Clock): Promise<boolean> {
  const started = await start();
  return started !== undefined && now() - started.ago > time;
}

/** The longest that {@link ParentProcess.start} takes, in milliseconds: by so much a process may look too young. */
export const LONGEST_LOOK = 1000;

/** Milliseconds of a tick, the unit of start times on Linux. */
const TICK = 10;

async function startOf(pid: number): Promise<ProcessStart | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  try {
    // The runtime itself may not read below /proc without all permissions.
    const files = [`/proc/${pid}/stat`, "/proc/uptime"];
    const { childEnvironment, run } = await import("./processes.ts");
    const env = childEnvironment(["PATH"]);
    const { code, stdout } = await run("cat", files, { env, timeout: LONGEST_LOOK, limit: 10_000 });
    return code === 0 ? readStart(stdout) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The start of a process, from its `/proc/PID/stat` followed by `/proc/uptime`. proc_pid_stat(5), proc_uptime(5)
 *
 * @example
 * ```ts
 * import { readStart } from "./parent-process.ts";
 * const stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 4200 10 20";
 * console.assert(readStart(`${stat}\n50.00 90.00\n`)?.ago === 8000);
 * ```
 */
export function readStart(text: string): ProcessStart | undefined {
  // The program's name may contain anything, even closing brackets.
  const [, state, uptime] = /\)([^)]*)\n([\d.]+) [\d.]+\s*$/.exec(text) ?? [];
  const ticks = state?.trim().split(" ")[19];
  if (ticks === undefined || !/^\d+$/.test(ticks)) return undefined;
  const ago = Math.round(Number(uptime) * 1000) - Number(ticks) * TICK;
  // In a container, the uptime and the processes' start times may come from different clocks.
  return Number.isFinite(ago) && ago >= -TICK ? { ticks, ago: Math.max(0, ago) } : undefined;
}

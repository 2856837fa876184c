/** CPU time of the workerd processes that this one started, read from outside, because the clock inside does not move between I/O. */
import { readdir, readFile } from "node:fs/promises";
import { AuditError } from "../shared/errors.ts";

/** Ids of the workerd processes under a process, this one by default. Linux only; codes: `unavailable`. */
export async function workerdProcesses(pid: number = process.pid): Promise<readonly number[]> {
  const found: number[] = [];
  for (const child of await childrenOf(pid)) {
    const name = (await readFile(`/proc/${child}/comm`, "utf8").catch(() => "")).trim();
    if (name === "workerd") found.push(child);
    found.push(...(await workerdProcesses(child)));
  }
  return found;
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch((cause: unknown) => {
    if (pid !== process.pid) return [];
    throw new AuditError(
      "unavailable",
      'CPU time is read from "/proc", which only Linux has; run "--only bytes,drain,outage,evidence"',
      {
        cause,
      },
    );
  });
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => "")),
  );
  return lists.join(" ").split(/\s+/).filter(Boolean).map(Number);
}

/** CPU time that processes have used so far in all their threads, in microseconds. */
export async function cpuMicros(pids: readonly number[]): Promise<number> {
  const threads = await Promise.all(pids.map(threadNanos));
  return threads.flat().reduce((sum, nanos) => sum + nanos, 0) / 1000;
}

async function threadNanos(pid: number): Promise<readonly number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  return Promise.all(
    tasks.map(async (task) => {
      const text = await readFile(`/proc/${pid}/task/${task}/schedstat`, "utf8").catch(() => "0");
      return Number(text.split(" ")[0]);
    }),
  );
}

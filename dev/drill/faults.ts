/** Causes one planned fault, and ends it after its time. */
import { setTimeout as sleep } from "node:timers/promises";
import type { DrillStack } from "./stack.ts";
import type { PlannedFault } from "./plan.ts";

const CONTROL_TIMEOUT_MS = 30_000;

/** Resolves once the part works again. */
export async function cause(fault: PlannedFault, stack: DrillStack): Promise<void> {
  const part = stack.parts[fault.part];
  const workos = (method: string, body?: unknown) => control(`${stack.workosUrl}/__dev/faults`, method, body);
  const disk = (full: boolean) => control(`${stack.queueUrl}/__dev/disk`, "POST", { full });
  const { kind } = fault;
  const during = async (begin: () => unknown, end: () => unknown) => {
    await begin();
    await sleep(fault.lastsMs);
    await end();
  };
  switch (kind) {
    case "kill":
      return during(
        () => part.signal("SIGKILL"),
        () => part.start(),
      );
    case "stop":
      return during(
        () => part.signal("SIGSTOP"),
        () => part.signal("SIGCONT"),
      );
    case "disk_full":
      return during(
        () => disk(true),
        () => disk(false),
      );
    case "clock": {
      const url = fault.part === "queue" ? stack.queueUrl : stack.workosUrl;
      return control(`${url}/__dev/clock`, "POST", { advance_ms: fault.jumpMs });
    }
    case "down":
    case "hang":
    case "cut":
      return during(
        () => workos("POST", WORKOS_FAULTS[kind]),
        () => workos("DELETE"),
      );
  }
}

const WORKOS_FAULTS = { down: { status: 503 }, hang: { hang: true }, cut: { reset: "after_commit" } } as const;

/** Calls a control of a development server; throws unless it answers with 2xx. */
export async function control(url: string, method: string, body?: unknown): Promise<void> {
  const answer = await fetch(url, {
    method,
    signal: AbortSignal.timeout(CONTROL_TIMEOUT_MS),
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`${method} ${url} was answered with ${answer.status}`);
}

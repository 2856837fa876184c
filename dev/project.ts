/** The package's `dev`: the local stack with a team's own gateway and the worker that a deploy would upload. */
import type { ProjectStack, ProjectStackOptions } from "../cli/dev/project-stack.ts";
import { requireZuplo } from "./gateway/folder.ts";
import { startProject } from "./gateway/zuplo.ts";
import { keepCron, startLocalStack } from "./local-stack.ts";
import { stopOnSignal } from "./signal-handlers.ts";
import { startWorkerd } from "./workerd.ts";

/** Starts the stack, which stops on SIGINT or SIGTERM and then ends the process. Throws as its parts do. */
export async function startProjectStack(options: ProjectStackOptions): Promise<ProjectStack> {
  const { projectDir, projectEnv, worker, onLine, ...others } = options;
  await requireZuplo(projectDir);
  const stack = await startLocalStack(
    {
      startWorker: (given) => startWorkerd({ ...given, ...worker }),
      startGateway: (given) => startProject({ ...given, projectDir, env: { ...projectEnv, ...given.env } }),
    },
    { ...others, organization: projectEnv["AUDIT_ORGANIZATION_ID"] || undefined, onGatewayLine: onLine },
  );
  stopOnSignal(stack, 0);
  void keepCron(stack);
  const { gateway, queue, workos, workerVariables } = stack;
  return { gateway: gateway.url, queue: queue.url, workos: workos.url, workerVariables };
}

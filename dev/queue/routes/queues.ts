import * as z from "zod";
import { checkQueueName } from "../intake.ts";
import type { App } from "../app.ts";
import { ApiError } from "../errors.ts";
import type { Reply, Request, Route } from "../http.ts";
import { findQueue, listQueues, queueLag, saveQueue, type QueueRow } from "../store/queues.ts";
import { parseJson } from "./body.ts";

const upsertSchema = z.object({
  queueName: z.string(),
  parallelism: z.int().min(1).optional(),
  paused: z.boolean().optional(),
});

/** FIFO queues, as far as enqueueing needs them. */
export function queueRoutes(app: App): Route[] {
  const path = /^\/v2\/queues\/([^/]+)$/;
  return [
    { method: "POST", path: /^\/v2\/queues$/, run: (request) => upsert(app, request) },
    {
      method: "GET",
      path: /^\/v2\/queues$/,
      group: "listing",
      run: () => ({ status: 200, json: listQueues(app.database).map((queue) => shape(app, queue)) }),
    },
    { method: "GET", path, group: "listing", run: (_, name = "") => get(app, name) },
    { method: "DELETE", path, run: (_, name = "") => remove(app, name) },
    {
      method: "POST",
      path: /^\/v2\/queues\/([^/]+)\/pause$/,
      run: (_, name = "") => save(app, name, { paused: true }),
    },
    {
      method: "POST",
      path: /^\/v2\/queues\/([^/]+)\/resume$/,
      run: (_, name = "") => save(app, name, { paused: false }),
    },
  ];
}

async function upsert(app: App, request: Request): Promise<Reply> {
  const parsed = upsertSchema.safeParse(parseJson(request.body));
  if (!parsed.success) throw new ApiError(400, "invalid queue: needs a queueName and a parallelism greater than 0");
  const { queueName, ...changes } = parsed.data;
  return save(app, queueName, changes);
}

async function save(app: App, name: string, changes: Parameters<typeof saveQueue>[2]): Promise<Reply> {
  checkQueueName(name);
  await app.database.write(() => saveQueue(app.database, name, changes, app.clock.now()));
  app.scheduler.wake();
  return { status: 200 };
}

function get(app: App, name: string): Reply {
  const queue = findQueue(app.database, name);
  if (queue === undefined) throw new ApiError(404, `queue ${name} not found`);
  return { status: 200, json: shape(app, queue) };
}

async function remove(app: App, name: string): Promise<Reply> {
  await app.database.write(() => app.database.run("DELETE FROM queue WHERE name = ?", name));
  return { status: 200 };
}

function shape(app: App, queue: QueueRow): Record<string, unknown> {
  return {
    name: queue.name,
    createdAt: queue.created_at,
    updatedAt: queue.updated_at,
    parallelism: queue.parallelism,
    lag: queueLag(app.database, queue.name),
    paused: queue.paused === 1,
  };
}

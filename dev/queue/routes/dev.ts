import * as z from "zod";
import type { App } from "../app.ts";
import type { MovableClock } from "../clock.ts";
import { faultsSchema } from "../faults.ts";
import type { Reply, Request, Route } from "../http.ts";
import { parseJson } from "./body.ts";

const diskSchema = z.strictObject({ full: z.boolean() });
const clockSchema = z.strictObject({ advance_ms: z.int().min(0) });

/** Controls for tests in other processes, under `/__dev/`. They are not part of QStash and need no token. */
export function devRoutes(app: App): Route[] {
  return [
    { method: "GET", path: /^\/__dev\/clock$/, run: () => ({ status: 200, json: { now: app.clock.now() } }) },
    { method: "POST", path: /^\/__dev\/clock$/, run: (request) => advance(app, request) },
    { method: "POST", path: /^\/__dev\/disk$/, run: (request) => setDisk(app, request) },
    { method: "GET", path: /^\/__dev\/faults$/, run: () => ({ status: 200, json: app.faults.current() }) },
    { method: "POST", path: /^\/__dev\/faults$/, run: (request) => setFaults(app, request) },
    {
      method: "DELETE",
      path: /^\/__dev\/faults$/,
      run: () => {
        app.faults.clear();
        return { status: 200, json: {} };
      },
    },
    {
      method: "GET",
      path: /^\/__dev\/idle$/,
      run: async () => {
        await app.scheduler.idle();
        return { status: 200, json: { idle: true } };
      },
    },
  ];
}

function advance(app: App, request: Request): Reply {
  const parsed = clockSchema.safeParse(parseJson(request.body));
  if (!parsed.success) return refused('"advance_ms" must be a whole number of milliseconds, not negative');
  if (!("advance" in app.clock)) return refused("this queue was started with a clock that cannot be moved");
  (app.clock as MovableClock).advance(parsed.data.advance_ms);
  return { status: 200, json: { now: app.clock.now() } };
}

function setDisk(app: App, request: Request): Reply {
  const parsed = diskSchema.safeParse(parseJson(request.body));
  if (!parsed.success) return refused('"full" must be true or false');
  app.database.setFull(parsed.data.full);
  return { status: 200, json: parsed.data };
}

function setFaults(app: App, request: Request): Reply {
  const parsed = faultsSchema.safeParse(parseJson(request.body));
  if (!parsed.success) return refused(z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, " "));
  app.faults.set(parsed.data);
  return { status: 200, json: app.faults.current() };
}

function refused(error: string): Reply {
  return { status: 400, json: { error, code: "bad_knob" } };
}

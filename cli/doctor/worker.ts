/** Checks of the deployed worker: whether it answers, is an audit worker, and has the right time. */
import * as z from "zod";
import { openApi, workerUrl } from "../api/client.ts";
import { fetchJson } from "../http/json-answer.ts";
import { type Check, failed, ok, skipped, warning } from "./check.ts";
import { region } from "./region.ts";
import { firstMissing, type Setting, variable } from "./setting.ts";
import { versions } from "./versions.ts";

const TIMEOUT_MS = 10_000;
/** Largest accepted clock difference. QStash's signatures are valid for five minutes, so more than a minute is worth a warning. Our choice. */
const SKEW_MAX_MS = 60_000;

/** The checks that ask the worker, skipped before a deploy. */
export function workerChecks(setting: Setting): readonly Check[] {
  return [
    { name: "worker", run: () => health(setting) },
    { name: "versions", run: () => versions(setting) },
    { name: "region", run: () => region(setting) },
    { name: "admin token", run: () => adminToken(setting) },
    { name: "clocks", run: () => clocks(setting) },
  ];
}

/** What `/health` says of a pause; a worker of an earlier release may say less. */
const Pause = z.looseObject({
  by: z.string().optional(),
  reason: z.string().optional(),
  next_probe_at: z.string().optional(),
});

const Health = z.looseObject({
  status: z.string().optional(),
  paused: z.unknown(),
  pause: Pause.optional(),
  incidents: z.array(z.looseObject({ kind: z.string(), detail: z.string().optional() })).default([]),
  detail: z.string().optional(),
  outbox: z.looseObject({ waiting: z.number() }).optional(),
});

async function health(setting: Setting) {
  if (firstMissing(setting, ["AUDIT_WORKER_URL"]))
    return skipped("not deployed yet", 'set "AUDIT_WORKER_URL" once it is');
  const url = workerUrl(setting.io);
  const { status, json } = await fetchJson(`${url}/health`, {}, TIMEOUT_MS).catch(() => ({
    status: 0,
    json: undefined,
  }));
  if (status === 0) return failed(`${url} does not answer`, 'check "AUDIT_WORKER_URL" and the deploy');
  const parsed = Health.safeParse(json);
  if (!parsed.success)
    return failed(`${url}/health answers ${status} and is not an audit worker`, 'check "AUDIT_WORKER_URL"');
  const { detail, incidents, outbox, pause, status: state } = parsed.data;
  if (status !== 200) return failed(detail ?? `/health answers ${status}`, "correct it and deploy again");
  if (state === "paused") return paused(setting, pause);
  const [incident] = incidents;
  if (incident) return warning(`${incident.kind}: ${incident.detail ?? ""}`, "see docs/operations.md");
  return ok(outbox && outbox.waiting > 0 ? `ok; ${outbox.waiting} spilled messages wait for QStash` : "ok");
}

/** The breaker needs nobody: it ends its pause by itself. */
function paused({ io }: Setting, { by, reason, next_probe_at: nextProbeAt }: z.infer<typeof Pause> = {}) {
  const why = reason === undefined ? "" : `: ${reason}`;
  if (by === "breaker") {
    const next = nextProbeAt === undefined ? "" : `; next probe at ${nextProbeAt}`;
    return failed(`delivery is paused by the breaker${why}${next}`, "it resumes by itself once WorkOS is back");
  }
  const resume = `run: ${io.suggest("resume")}`;
  return failed(`delivery is paused${why}`, by === "operator" ? resume : `correct the cause, then ${resume}`);
}

/** Who has paused delivery, as `/health` says; undefined if nobody has, or the worker does not answer. */
export async function pausedBy(setting: Setting): Promise<string | undefined> {
  if (firstMissing(setting, ["AUDIT_WORKER_URL"])) return undefined;
  const answer = await fetchJson(`${workerUrl(setting.io)}/health`, {}, TIMEOUT_MS).catch(() => undefined);
  return Health.safeParse(answer?.json).data?.pause?.by;
}

async function adminToken(setting: Setting) {
  const missing = firstMissing(setting, ["AUDIT_WORKER_URL", "AUDIT_ADMIN_TOKEN"]);
  if (missing) return skipped(`"${missing}" is not set`, "export it");
  await openApi(setting.io).get(z.looseObject({}), "/api/dead-letters", { limit: 1 });
  return ok("the worker accepts it");
}

/** Compares the clocks of all servers that answer. This machine's clock signs only doctor's spilled message. */
async function clocks(setting: Setting) {
  const servers = [
    ["worker", variable(setting, "AUDIT_WORKER_URL"), "/health"],
    ["QStash", variable(setting, "QSTASH_URL"), "/v2/keys"],
    [
      "WorkOS",
      variable(setting, "WORKOS_API_KEY") && (variable(setting, "WORKOS_BASE_URL") ?? "https://api.workos.com"),
      "/",
    ],
  ] as const;
  const known = servers.flatMap(([name, url, path]) => (url ? [[name, url.replace(/\/+$/, "") + path] as const] : []));
  const times = await Promise.all(known.map(async ([name, url]) => [name, await offsetMs(url)] as const));
  const told = times.filter((time): time is readonly [(typeof time)[0], number] => time[1] !== undefined);
  if (told.length === 0) return skipped("nobody to ask", 'set "AUDIT_WORKER_URL"');
  const all = [["this machine", 0] as const, ...told].toSorted((a, b) => a[1] - b[1]);
  const [slow, fast] = [all[0], all.at(-1)];
  const skewMs = (fast?.[1] ?? 0) - (slow?.[1] ?? 0);
  if (skewMs <= SKEW_MAX_MS) return ok(`${told.map(([name]) => name).join(", ")} agree with this machine`);
  return failed(
    `${fast?.[0]} is ${Math.round(skewMs / 1000)} s ahead of ${slow?.[0]}`,
    "set the clock: signatures hold for five minutes",
  );
}

/** How far a server's `Date` header is ahead of this machine; undefined if it does not answer. */
async function offsetMs(url: string): Promise<number | undefined> {
  const startMs = Date.now();
  const answer = await fetchJson(url, {}, TIMEOUT_MS).catch(() => undefined);
  const date = Date.parse(answer?.headers.get("date") ?? "");
  return Number.isNaN(date) ? undefined : date - (startMs + Date.now()) / 2;
}

/** Scripted failures: which requests they affect, how often, and what happens instead of the real answer. */
import * as z from "zod";
import { ANSWERS, json, type Answer, type AnswerName } from "./answers.ts";

const names = Object.keys(ANSWERS) as [AnswerName, ...AnswerName[]];
const count = z.int().min(1);

const matchSchema = z.strictObject({
  /** `metadata.event_id` of the event, or its idempotency key, with or without a `:suffix`. */
  event_id: z.string().optional(),
  action: z.string().optional(),
  organization_id: z.string().optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  /** Only the nth request (from 1) that matches the other conditions. */
  nth: count.optional(),
});

export const faultSchema = z.strictObject({
  match: matchSchema.optional(),
  /** How many requests it affects; without it, all until the faults are cleared. */
  times: count.optional(),
  /** One of the documented answers; `status`, `body` and `headers` override its parts. */
  answer: z.enum(names).optional(),
  status: z.int().min(200).max(599).optional(),
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  delayMs: z.int().min(0).optional(),
  /** Never answers; the caller must give up. */
  hang: z.boolean().optional(),
  /** Resets the TCP connection before or after the request takes effect. */
  reset: z.enum(["before_commit", "after_commit"]).optional(),
  /** The request takes effect first; then the fault's delay, hang or answer follows. */
  commit: z.boolean().optional(),
  html200: z.boolean().optional(),
  successFalse: z.boolean().optional(),
});

export type Fault = z.input<typeof faultSchema>;

/** The properties of a request that a fault can match. */
interface FaultSubject {
  readonly method: string;
  readonly path: string;
  readonly event_id?: string | undefined;
  readonly idempotency_key?: string | undefined;
  readonly action?: string | undefined;
  readonly organization_id?: string | undefined;
}

interface Armed {
  readonly fault: Fault;
  seen: number;
  left: number;
}

export class Faults {
  #armed: Armed[] = [];

  /** Adds a fault; the oldest that matches a request wins. */
  add(fault: Fault): void {
    this.#armed.push({ fault, seen: 0, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#armed = [];
  }

  /** The faults that can still affect a request. */
  list(): Fault[] {
    return this.#armed.map((armed) => armed.fault);
  }

  /** Returns the fault for this request, if any, and counts it. */
  take(subject: FaultSubject): Fault | undefined {
    if (this.#armed.length === 0) return undefined;
    for (const armed of this.#armed) {
      if (!matches(armed.fault, subject)) continue;
      armed.seen += 1;
      const nth = armed.fault.match?.nth;
      if (nth !== undefined && nth !== armed.seen) continue;
      armed.left -= 1;
      if (armed.left <= 0 || nth !== undefined) this.#armed = this.#armed.filter((other) => other !== armed);
      return armed.fault;
    }
    return undefined;
  }
}

function matches({ match }: Fault, subject: FaultSubject): boolean {
  if (!match) return true;
  return (
    same(match.method?.toUpperCase(), subject.method) &&
    same(match.path, subject.path) &&
    same(match.action, subject.action) &&
    same(match.organization_id, subject.organization_id) &&
    (match.event_id === undefined ||
      match.event_id === subject.event_id ||
      match.event_id === subject.idempotency_key?.split(":", 1)[0])
  );
}

function same(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted === undefined || wanted === actual;
}

/** Returns the answer of a fault; undefined if it only delays, hangs or resets. */
export function faultAnswer(fault: Fault): Answer | undefined {
  const name = fault.answer ?? (fault.html200 ? "html_200" : fault.successFalse ? "success_false" : undefined);
  const base: Answer | undefined = name && ANSWERS[name];
  if (!base && fault.status === undefined && fault.body === undefined) return undefined;
  const plain = base ?? json(fault.status ?? 200, { message: `Scripted answer ${fault.status ?? 200}.` });
  const headers = { ...plain.headers, ...fault.headers };
  const status = fault.status ?? plain.status;
  if (fault.body === undefined) return { status, body: plain.body, headers };
  return { status, body: typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body), headers };
}

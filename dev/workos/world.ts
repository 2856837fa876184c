/** The state of one stand-in. Every endpoint receives it as its first argument. */
import type { IncomingHttpHeaders } from "node:http";
import type { Answer } from "./answers.ts";
import { MovableClock } from "./clock.ts";
import { Exports } from "./exports.ts";
import { Faults } from "./faults.ts";
import { IdempotencyStore } from "./idempotency.ts";
import { openJournal, type Journal } from "./journal.ts";
import { Keys } from "./keys.ts";
import { Organizations } from "./organizations.ts";
import { RateLimit } from "./rate-limit.ts";
import { Registry } from "./registry.ts";
import type { SchemaDto } from "../../cli/workos/event-schema.ts";
import {
  DEFAULT_KNOBS,
  type Knobs,
  type RequestEntry,
  type CallOutcome,
  type StoredEvent,
  type WorkosOptions,
} from "./types.ts";

/** One request whose body has been read. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The parsed body, or undefined if it is not JSON. */
  readonly json: unknown;
  readonly tooLarge: boolean;
  readonly idempotencyKey: string | undefined;
}

/** The effect of a request, and its answer. */
export interface Effect {
  readonly answer: Answer;
  readonly outcome: CallOutcome;
  readonly sameBody?: boolean;
}

export interface World {
  readonly knobs: Knobs;
  readonly clock: MovableClock;
  readonly journal: Journal;
  readonly keys: Keys;
  readonly organizations: Organizations;
  readonly registry: Registry;
  readonly answers: IdempotencyStore;
  readonly faults: Faults;
  readonly exports: Exports;
  readonly rateLimit: RateLimit;
  readonly events: StoredEvent[];
  readonly requests: RequestEntry[];
}

const DEFAULT_API_KEY = "sk_test_workos";

/** Creates the state and fills it from the journal. */
export function createWorld(options: WorkosOptions): World {
  const clock = new MovableClock(options.clock);
  const world: World = {
    knobs: knobsOf(options),
    clock,
    journal: openJournal(options.path),
    keys: new Keys(options.apiKey ?? DEFAULT_API_KEY),
    organizations: new Organizations(options.organizations),
    registry: new Registry(),
    answers: new IdempotencyStore(clock),
    faults: new Faults(),
    exports: new Exports(),
    rateLimit: new RateLimit(clock),
    events: [],
    requests: [],
  };
  for (const entry of world.journal.read()) {
    if (entry.kind === "schema") world.registry.register(entry.action, entry.schema as SchemaDto, entry.created_at);
    if (entry.kind === "event") world.events.push(entry.event);
    if (entry.kind !== "schema" && entry.kept) world.answers.restore(entry.kept);
  }
  return world;
}

/** Resets the state: no events, no faults, the original options. */
export function resetWorld(world: World, options: WorkosOptions): void {
  Object.assign(world.knobs, knobsOf(options));
  world.events.length = 0;
  world.requests.length = 0;
  world.clock.reset();
  world.keys.reset();
  world.organizations.reset();
  world.rateLimit.reset();
  for (const part of [world.journal, world.registry, world.answers, world.faults, world.exports]) part.clear();
}

function knobsOf(options: WorkosOptions): Knobs {
  const given = Object.entries(options).filter(([name, value]) => name in DEFAULT_KNOBS && value !== undefined);
  return { ...DEFAULT_KNOBS, ...(Object.fromEntries(given) as Partial<Knobs>) };
}

/** Interleaved rounds against one gateway: each subject gets a block of requests in each round, in an order drawn anew. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "undici";
import { shuffle } from "simple-statistics";
import { cpuMicros } from "../process-cpu.ts";
import { pathOf, type Subject, SUBJECTS } from "./project.ts";

/** A caller that waits longer has given up; the request counts as that long. */
export const PATIENCE_MS = 2_000;

/** What a subject did in one round. */
interface Block {
  readonly latenciesMs: readonly number[];
  readonly failed: number;
  readonly gaveUp: number;
  /** CPU of the whole gateway for the block and what it left to do afterwards. */
  readonly cpuMicros: number;
}

export type Round = Readonly<Record<Subject, Block>>;

export interface RoundOptions {
  /** Requests in a block. */
  readonly requests: (subject: Subject) => number;
  /** Pause after each answer; 0 sends the next request at once. */
  readonly gapMs: number;
  /** How long the gateway may finish in peace after each block. */
  readonly restMs: (subject: Subject) => number;
  readonly pids: readonly number[];
}

const HEADERS = {
  "content-type": "application/json",
  authorization: "Bearer 0123456789abcdef",
  "user-agent":
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
};
const BODY = JSON.stringify({ role: "admin", extra: "x" });

export async function measureRound(url: string, options: RoundOptions): Promise<Round> {
  const blocks: Partial<Record<Subject, Block>> = {};
  for (const subject of shuffle([...SUBJECTS])) blocks[subject] = await measureBlock(url, subject, options);
  return blocks as Round;
}

async function measureBlock(url: string, subject: Subject, options: RoundOptions): Promise<Block> {
  // One connection, one request at a time: what is measured is the answer, not a queue in front of it.
  const client = new Client(url, { pipelining: 1 });
  const latenciesMs: number[] = [];
  let [failed, gaveUp] = [0, 0];
  const cpuBefore = await cpuMicros(options.pids);
  for (let i = 0; i < options.requests(subject); i++) {
    const startMs = performance.now();
    const status = await ask(client, subject);
    latenciesMs.push(Math.min(performance.now() - startMs, PATIENCE_MS));
    if (status === undefined) gaveUp += 1;
    else if (status !== 200) failed += 1;
    if (options.gapMs > 0) await sleep(options.gapMs);
  }
  await client.destroy();
  await sleep(options.restMs(subject));
  return { latenciesMs, failed, gaveUp, cpuMicros: (await cpuMicros(options.pids)) - cpuBefore };
}

/** The status, or undefined where no answer came in time. */
async function ask(client: Client, subject: Subject): Promise<number | undefined> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const request = { method: "POST", path: pathOf(subject), headers: HEADERS, body: BODY, signal } as const;
    const { statusCode, body } = await client.request(request);
    await body.text();
    return statusCode;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

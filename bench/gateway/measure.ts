/** Interleaved rounds against one gateway: in each round, every route gets a block of requests, in random order. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "undici";
import { shuffle } from "simple-statistics";
import { cpuMicros } from "../process-cpu.ts";

/** A caller gives up after this time; its request counts as this long. */
export const PATIENCE_MS = 2_000;

/** The request that a route gets, always a POST with a JSON body. */
export interface RouteCall {
  readonly path: string;
  readonly body: unknown;
}

/** The measurements of one route in one round. */
export interface Block {
  readonly latenciesMs: readonly number[];
  readonly failed: number;
  readonly gaveUp: number;
  /** CPU of the whole gateway during the block and the rest after it. */
  readonly cpuMicros: number;
}

export type Round<Subject extends string> = Readonly<Record<Subject, Block>>;

export interface RoundOptions<Subject extends string> {
  readonly subjects: readonly Subject[];
  readonly call: (subject: Subject) => RouteCall;
  /** Requests in a block. */
  readonly requests: (subject: Subject) => number;
  /** Pause after each answer; 0 sends the next request at once. */
  readonly gapMs: number;
  /** Idle time after each block, so that its leftover work falls on no other route. */
  readonly restMs: (subject: Subject) => number;
  readonly pids: readonly number[];
}

const HEADERS = {
  "content-type": "application/json",
  // The MCP transport requires both.
  accept: "application/json, text/event-stream",
  authorization: "Bearer 0123456789abcdef",
  "user-agent":
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
};

/** Sends each route its block, one route after the other in random order. */
export async function measureRound<Subject extends string>(
  url: string,
  options: RoundOptions<Subject>,
): Promise<Round<Subject>> {
  const blocks: Partial<Record<Subject, Block>> = {};
  for (const subject of shuffle([...options.subjects])) blocks[subject] = await measureBlock(url, subject, options);
  return blocks as Round<Subject>;
}

async function measureBlock<Subject extends string>(
  url: string,
  subject: Subject,
  options: RoundOptions<Subject>,
): Promise<Block> {
  // One connection with one request at a time measures the response, not a queue in front of it.
  const client = new Client(url, { pipelining: 1 });
  const { path, body } = options.call(subject);
  const text = JSON.stringify(body);
  const latenciesMs: number[] = [];
  let [failed, gaveUp] = [0, 0];
  const cpuBefore = await cpuMicros(options.pids);
  for (let i = 0; i < options.requests(subject); i++) {
    const startMs = performance.now();
    const status = await ask(client, path, text);
    latenciesMs.push(Math.min(performance.now() - startMs, PATIENCE_MS));
    if (status === undefined) gaveUp += 1;
    else if (status !== 200) failed += 1;
    if (options.gapMs > 0) await sleep(options.gapMs);
  }
  await client.destroy();
  await sleep(options.restMs(subject));
  return { latenciesMs, failed, gaveUp, cpuMicros: (await cpuMicros(options.pids)) - cpuBefore };
}

/** Returns the status, or undefined if no answer came in time. */
async function ask(client: Client, path: string, body: string): Promise<number | undefined> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const answer = await client.request({ method: "POST", path, headers: HEADERS, body, signal });
    await answer.body.text();
    return answer.statusCode;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Drives the policy's core on a virtual clock and keeps what it publishes. */
import { deflateRawSync } from "node:zlib";
import { makePolicy } from "../../policy/policy.ts";
import type { Ports } from "../../policy/ports.ts";
import { GatewayDouble } from "../gateway-double.ts";
import { VirtualTime } from "../virtual-time.ts";
import { GATEWAY_ENVIRONMENT, generator, makeWorkload, POLICY_OPTIONS, type WorkloadOptions } from "../workload.ts";

/** How long the queue takes to acknowledge a message. Our assumption; it hardly matters for the figures. */
const PUBLISH_MS = 40;
const START_MS = Date.UTC(2026, 0, 1);

export interface Published {
  readonly body: string;
  readonly bytes: number;
  readonly records: number;
}

interface Drive extends WorkloadOptions {
  readonly requests: number;
  /** ms until the next request. */
  readonly gapMs: (draw: () => number) => number;
  /** ms until the response; default: as the workload draws it. */
  readonly durationMs?: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Poisson arrivals at a mean rate. */
export function poisson(perSecond: number): (draw: () => number) => number {
  return (draw) => (-Math.log(1 - draw()) * 1000) / perSecond;
}

/** Sends requests through the policy in one isolate and returns every message that it published. */
export async function drive({
  requests,
  gapMs,
  durationMs: fixedMs,
  options = {},
  ...workload
}: Drive): Promise<readonly Published[]> {
  const time = new VirtualTime(START_MS);
  const published: Published[] = [];
  const policy = makePolicy(portsOf(time, published), GATEWAY_ENVIRONMENT);
  const given = { ...POLICY_OPTIONS, ...options };
  const next = makeWorkload(workload);
  const draw = generator(2);
  let atMs = START_MS;
  for (let i = 0; i < requests; i++) {
    const { route, request, requestId, properties, status, durationMs } = next();
    time.at(atMs, () => {
      const context = new GatewayDouble(requestId, route, properties);
      void policy(request, context, given, "audit-log");
      time.after(fixedMs ?? durationMs, () => void context.respond(new Response("{}", { status }), request));
    });
    atMs += gapMs(draw);
  }
  await time.run();
  return published;
}

function portsOf(time: VirtualTime, published: Published[]): Ports {
  return {
    nowMs: () => Math.floor(time.now()),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    timer: time.after,
    post(_url, _headers, body) {
      published.push({ body, bytes: Buffer.byteLength(body), records: recordsIn(body) });
      return new Promise((resolve) =>
        time.after(PUBLISH_MS, () => resolve({ status: 200, text: '{"messageId":"msg_1"}' })),
      );
    },
    hmac: () => Promise.reject(new Error("nothing spills here")),
    sha256: () => Promise.reject(new Error("nothing is cut here")),
    // The same bytes as of the platform's stream, which works beside this clock.
    deflate: async (text) => deflateRawSync(text),
  };
}

function recordsIn(body: string): number {
  return (JSON.parse(body) as { records: unknown[] }).records.length;
}

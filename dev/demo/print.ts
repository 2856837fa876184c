/** The demo's output for people; colours only on a terminal. */
import { styleText } from "node:util";
import type { Arrival } from "./arrivals.ts";
import { isExact } from "./arrivals.ts";

const METHOD_WIDTH = 7;
const PATH_WIDTH = 34;

export interface Printer {
  title(text: string): void;
  note(text: string): void;
  step(text: string): void;
  arrival(arrival: Arrival): void;
  lines(text: string): void;
}

/** A printer for people. */
export function createPrinter(write: (line: string) => void): Printer {
  return {
    title: (text) => write(`\n${styleText("bold", text)}`),
    note: (text) => write(styleText("dim", `  ${text}`)),
    step: (text) => write(`  ${styleText("cyan", "·")} ${text}`),
    arrival: (arrival) => arrivalLines(arrival).forEach((line) => write(line)),
    lines: (text) => text.split("\n").forEach((line) => write(line)),
  };
}

/** A printer that prints nothing, for `--json`. */
export const silentPrinter: Printer = { title() {}, note() {}, step() {}, arrival() {}, lines() {} };

function arrivalLines(arrival: Arrival): string[] {
  const { call, status, latencyMs } = arrival.result;
  const statusText = styleText(status < 400 ? "green" : "yellow", String(status));
  const request = `${call.method.padEnd(METHOD_WIDTH)}${call.path.padEnd(PATH_WIDTH)}`;
  const children = arrival.children.map(({ event }) => `      └ ${event.action}, the call that it made`);
  return [
    `  ${request}${statusText} in ${latencyMs.toFixed(1).padStart(6)} ms`,
    `    ${eventText(arrival)}`,
    ...children,
  ];
}

function eventText(arrival: Arrival): string {
  const [stored] = arrival.events;
  if (!stored) return styleText("red", "✗ no event arrived");
  const { event } = stored;
  const afterMs = Math.max(0, stored.received_at_ms - arrival.result.answeredAtMs);
  const mark = isExact(arrival) ? styleText("green", "✓") : styleText("red", `✗ ${arrival.events.length} events`);
  const targets = event.targets.map((target) => `${target.type} ${target.id}`).join(", ");
  const actor = event.actor.name ?? event.actor.id;
  return `${mark} ${styleText("bold", event.action)} by ${actor} on ${targets} (${event.metadata?.outcome}), stored ${formatMs(afterMs)} after the answer`;
}

/** Formats milliseconds for people: `12 ms`, `3.4 s`. */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

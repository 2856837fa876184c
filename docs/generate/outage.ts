/** The picture of three outages: WorkOS is down, QStash is down, and one event that WorkOS keeps failing. */
import type { DeadLetterClass } from "../../shared/dead-letter.ts";
import { retryPlan } from "../../shared/retry-horizon.ts";
import { FAILURES_TO_OPEN, FIRST_PROBE_MS, PROBE_EVERY_MS } from "../../worker/monitor/breaker.ts";
import { arrow, type Area, box, heading, label, picture, type Tone } from "./svg.ts";

const LEFT = 124;
const RIGHT = 696;
/** When WorkOS fails, and when it is back. */
const DOWN = 236;
const UP = 512;
const BAR = 40;

const EXHAUSTED: DeadLetterClass = "exhausted";
const seconds = FIRST_PROBE_MS / 1_000;
const minutes = PROBE_EVERY_MS / 60_000;

/** `docs/images/outage.svg`. */
export function outagePicture(): string {
  return picture(
    { width: 720, height: 708 },
    {
      title: "What happens in an outage",
      description:
        `While WorkOS is down, the API answers as always. After ${FAILURES_TO_OPEN} failures in a row the breaker pauses the queue, ` +
        `so messages wait in QStash and use up no attempts. A probe goes out after ${seconds} seconds and then every minute. After a ` +
        "delivered probe, the events that used up an attempt are sent first, then the queue resumes. While QStash is down, messages " +
        "are spilled to the worker's outbox and published later. An event that fails at every attempt becomes a dead letter, which an " +
        "operator replays.",
    },
    [...workosDown(24), ...queueDown(332), ...attempts(482)],
  );
}

function workosDown(top: number): string[] {
  const lane = (index: number, name: string): string => label({ x: LEFT - 12, y: top + 58 + index * 52 }, name, "end");
  const at = (index: number, from: number, to: number): Area => ({
    x: from,
    y: top + 34 + index * 52,
    width: to - from,
    height: BAR,
  });
  const opened = DOWN + 28;
  const resumed = UP + 48;
  return [
    heading({ x: 24, y: top + 16 }, "WorkOS is down"),
    lane(0, "your API"),
    bar(at(0, LEFT, RIGHT), "answers as always", "ok"),
    lane(1, "WorkOS"),
    bar(at(1, LEFT, DOWN), "up", "ok"),
    bar(at(1, DOWN, UP), "down", "bad"),
    bar(at(1, UP, RIGHT), "up", "ok"),
    lane(2, "breaker"),
    bar(at(2, LEFT, opened), "closed", "plain"),
    bar(at(2, opened, resumed), `open after ${FAILURES_TO_OPEN} failures in a row`, "warn"),
    bar(at(2, resumed, RIGHT), "recovering", "plain"),
    lane(3, "QStash"),
    bar(at(3, LEFT, opened), "delivers", "plain"),
    bar(at(3, opened, resumed), "paused: messages use up no attempts", "warn"),
    bar(at(3, resumed, RIGHT), "delivers", "plain"),
    lane(4, "probes"),
    ...[40, 104, 168, 232].map((x) =>
      arrow([
        { x: opened + x, y: top + 282 },
        { x: opened + x, y: top + 250 },
      ]),
    ),
    label({ x: LEFT, y: top + 262 }, `after ${seconds} s, then`),
    label({ x: LEFT, y: top + 278 }, minutes === 1 ? "every minute" : `every ${minutes} minutes`),
    label({ x: resumed + 8, y: top + 262 }, "first the events that"),
    label({ x: resumed + 8, y: top + 278 }, "used up an attempt"),
  ];
}

function bar(area: Area, words: string, tone: Tone): string {
  return box(area, words, [], tone);
}

function queueDown(top: number): string[] {
  const y = top + 40;
  return [
    heading({ x: 24, y: top + 16 }, "QStash is down"),
    box({ x: 24, y, width: 156, height: 72 }, "Gateway", ["publish fails or", "takes too long"], "accent"),
    arrow([
      { x: 180, y: y + 36 },
      { x: 272, y: y + 36 },
    ]),
    label({ x: 226, y: y + 26 }, "spill", "middle"),
    box(
      { x: 272, y, width: 176, height: 72 },
      "Worker's outbox",
      ["202 only when the", "message is on disk"],
      "accent",
    ),
    arrow([
      { x: 448, y: y + 36 },
      { x: 540, y: y + 36 },
    ]),
    label({ x: 494, y: y + 26 }, "publish", "middle"),
    box({ x: 540, y, width: 156, height: 72 }, "QStash", ["as soon as it", "answers again"]),
  ];
}

function attempts(top: number): string[] {
  const { delaysMs } = retryPlan();
  const y = top + 44;
  const width = 92;
  const gap = (RIGHT - 24 - (delaysMs.length + 2) * width) / (delaysMs.length + 1);
  const x = (index: number): number => 24 + index * (width + gap);
  const boxes = [...delaysMs, 0].map((_, index) =>
    box({ x: x(index), y, width, height: 60 }, `Attempt ${index + 1}`, ["fails"], "bad"),
  );
  const between = delaysMs.flatMap((delayMs, index) => [
    arrow([
      { x: x(index) + width, y: y + 30 },
      { x: x(index + 1), y: y + 30 },
    ]),
    label({ x: x(index) + width + gap / 2, y: y + 20 }, duration(delayMs), "middle"),
  ]);
  const last = x(delaysMs.length);
  const end = x(delaysMs.length + 1);
  return [
    heading({ x: 24, y: top + 16 }, "One event fails at every attempt"),
    ...boxes,
    ...between,
    arrow([
      { x: last + width, y: y + 30 },
      { x: end, y: y + 30 },
    ]),
    box({ x: end, y, width, height: 60 }, "Dead letter", [EXHAUSTED], "warn"),
    arrow(
      [
        { x: end + width / 2, y: y + 60 },
        { x: end + width / 2, y: y + 128 },
        { x: 182, y: y + 128 },
      ],
      { dashed: true },
    ),
    label(
      { x: end + width / 2 - 8, y: y + 118 },
      "An operator fixes the cause and replays: same event id, new attempts",
      "end",
    ),
    box({ x: 24, y: y + 98, width: 158, height: 60 }, "WorkOS", ["has the event once"], "ok"),
  ];
}

function duration(ms: number): string {
  return ms < 3_600_000 ? `${ms / 60_000} min` : `${Math.round(ms / 3_600_000)} h`;
}

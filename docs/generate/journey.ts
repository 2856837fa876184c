/** The picture of a record's way from the gateway to WorkOS. Its numbers are the steps of "The journey of a record". */
import { arrow, box, group, label, picture, step } from "./svg.ts";

/** `docs/images/journey.svg`. */
export function journeyPicture(): string {
  return picture(
    { width: 720, height: 456 },
    {
      title: "The journey of a record",
      description:
        "The policy in the Zuplo gateway captures a record and sends it as a message to QStash, or, if QStash cannot be reached, " +
        "to the outbox of the Cloudflare worker, which passes it on later. QStash delivers the message to the worker, which " +
        "verifies it, claims it in the ledger and sends one event per event id to WorkOS Audit Logs. What cannot be delivered " +
        "becomes a dead letter, and a replay sends it through QStash again.",
    },
    [...arrows(), ...boxes()],
  );
}

function arrows(): string[] {
  return [
    group({ x: 208, y: 176, width: 488, height: 256 }, "Cloudflare worker"),
    arrow(
      [
        { x: 144, y: 78 },
        { x: 208, y: 78 },
      ],
      { both: true },
    ),
    arrow([
      { x: 400, y: 78 },
      { x: 500, y: 78 },
    ]),
    label({ x: 450, y: 68 }, "message", "middle"),
    step({ x: 450, y: 96 }, 2),
    arrow(
      [
        { x: 300, y: 116 },
        { x: 300, y: 224 },
      ],
      { dashed: true },
    ),
    label({ x: 292, y: 140 }, "if QStash cannot", "end"),
    label({ x: 292, y: 156 }, "be reached: spill", "end"),
    arrow(
      [
        { x: 380, y: 254 },
        { x: 436, y: 254 },
        { x: 436, y: 146 },
        { x: 524, y: 146 },
        { x: 524, y: 116 },
      ],
      { dashed: true },
    ),
    label({ x: 444, y: 164 }, "when QStash answers", "start"),
    arrow([
      { x: 602, y: 116 },
      { x: 602, y: 224 },
    ]),
    label({ x: 594, y: 206 }, "signed delivery", "end"),
    arrow([
      { x: 516, y: 282 },
      { x: 436, y: 282 },
      { x: 436, y: 374 },
      { x: 164, y: 374 },
    ]),
    label({ x: 228, y: 348 }, "one event per event id,"),
    label({ x: 228, y: 364 }, "which is its Idempotency-Key"),
    arrow([
      { x: 590, y: 312 },
      { x: 590, y: 356 },
    ]),
    label({ x: 582, y: 330 }, "rejected, or", "end"),
    label({ x: 582, y: 346 }, "no attempt left", "end"),
    arrow(
      [
        { x: 664, y: 386 },
        { x: 682, y: 386 },
        { x: 682, y: 116 },
      ],
      { dashed: true },
    ),
    label({ x: 676, y: 206 }, "replay", "end"),
  ];
}

function boxes(): string[] {
  return [
    box({ x: 24, y: 48, width: 120, height: 60 }, "Caller", ["person or agent"]),
    box({ x: 208, y: 40, width: 192, height: 76 }, "Zuplo gateway", ["policy audit-log:", "capture, redact"], "accent"),
    step({ x: 208, y: 40 }, 1),
    box({ x: 500, y: 40, width: 196, height: 76 }, "QStash", ["stores, retries"]),
    step({ x: 500, y: 40 }, 3),
    box({ x: 228, y: 224, width: 152, height: 60 }, "Outbox", ["spilled messages"], "accent"),
    box({ x: 516, y: 224, width: 148, height: 88 }, "Delivery", ["verify, claim in", "the ledger, enrich"], "accent"),
    step({ x: 516, y: 224 }, 4),
    box({ x: 516, y: 356, width: 148, height: 60 }, "Dead letters", ["inspect, fix, replay"], "warn"),
    step({ x: 664, y: 356 }, 5),
    step({ x: 682, y: 300 }, 6),
    box({ x: 24, y: 340, width: 140, height: 68 }, "WorkOS", ["Audit Logs"], "ok"),
  ];
}

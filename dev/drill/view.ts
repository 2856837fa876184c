/** The output of a drill on stderr: a bar on a terminal, plain lines in a pipe. */
import { Presets, SingleBar } from "cli-progress";
import { createPrinter } from "../demo/print.ts";
import type { DrillReport, DrillWatcher } from "./run.ts";

interface DrillView extends DrillWatcher {
  end(report: DrillReport): void;
  /** Restores the terminal, however the drill ends. */
  close(): void;
}

/** A view for a load of `lengthMs` at `ratePerSecond`. */
export function drillView({
  lengthMs,
  ratePerSecond,
  seed,
}: {
  readonly lengthMs: number;
  readonly ratePerSecond: number;
  readonly seed: number;
}): DrillView {
  const print = createPrinter(console.error);
  const total = Math.round((lengthMs / 1000) * ratePerSecond);
  const format = "{bar} {percentage}% | {value}/{total} requests | {note}";
  const bar = process.stderr.isTTY
    ? new SingleBar({ format, hideCursor: true, stream: process.stderr }, Presets.shades_classic)
    : undefined;
  let isLoading = false;
  let lastMissing = -1;
  print.title(`Drill with seed ${seed}: ${ratePerSecond} requests a second for ${lengthMs / 1000} s`);
  return {
    part: (name) => print.step(`starting ${name}`),
    load(sent) {
      if (!isLoading) bar?.start(total, 0, { note: "" });
      isLoading = true;
      bar?.update(sent);
    },
    fault({ kind, part, lastsMs }) {
      const note = `${kind} ${part}${kind === "clock" ? "" : ` for ${(lastsMs / 1000).toFixed(1)} s`}`;
      if (bar) bar.update({ note });
      else print.step(note);
    },
    look({ missing, acknowledged }) {
      bar?.stop();
      if (missing.length !== lastMissing) print.note(`${missing.length} of ${acknowledged} records have not ended yet`);
      lastMissing = missing.length;
    },
    end({ verdict, histories, refused, load, seed: used }) {
      print.lines(
        `${load.sent} requests, ${load.answered} answered. ${verdict.acknowledged} records acknowledged: ${verdict.delivered} delivered, ${verdict.parked} dead letters; ` +
          `${verdict.missing.length} missing, ${verdict.twice.length} twice, ${verdict.both.length} both, ` +
          `${verdict.orphans.length} corrections without their event. ${refused} hand-overs were refused or cut off.`,
      );
      for (const [id, lines] of Object.entries(histories)) print.lines([`\n${id}`, ...lines].join("\n  "));
      print.lines(
        verdict.ok ? "Every record ended exactly once." : `NOT every record ended exactly once. Seed ${used}.`,
      );
    },
    close: () => bar?.stop(),
  };
}

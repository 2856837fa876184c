/** Times: local, with UTC on hover. */

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** Formats a time in the person's local time. */
export function Time({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={`${at.slice(0, 19).replace("T", " ")} UTC`}>
      {LOCAL.format(new Date(at))}
    </time>
  );
}

/** Formats how long ago a time was, as `5 min`, `3 h` or `2 d`. */
export function ago(at: string, nowMs = Date.now()): string {
  return span(Math.max(0, nowMs - Date.parse(at)));
}

/** Formats a duration in its largest fitting unit. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000)
    return `${Math.round(ms / 100) / 10} s`.replace(/\.\d(?= s)/, (tenth) => (ms < 10_000 ? tenth : ""));
  if (ms < 2 * 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

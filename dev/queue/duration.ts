const SECONDS_IN = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const NANOSECONDS_IN: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Parses QStash's durations ("3s", "1d10h30m"; a bare number is seconds) to milliseconds; undefined if malformed. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+[smhd])+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g)) {
    seconds += Number(count) * SECONDS_IN[unit as keyof typeof SECONDS_IN];
  }
  return seconds * 1000;
}

/** Parses a Go duration ("6m5s", "1.5h", "250ms") to milliseconds; undefined if malformed (https://pkg.go.dev/time#ParseDuration). */
export function parseGoDuration(text: string): number | undefined {
  const part = "(\\d+(?:\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)";
  if (!new RegExp(`^(${part})+$`, "u").test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, count, unit] of text.matchAll(new RegExp(part, "gu"))) {
    nanoseconds += Number(count) * (NANOSECONDS_IN[unit as string] as number);
  }
  return nanoseconds / 1e6;
}

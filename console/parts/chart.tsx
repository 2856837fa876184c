/** A chart over time. Its caption gives the newest or total value for people who cannot see the chart. */
import { useEffect, useRef, useState } from "preact/hooks";
import UPlot, { type AlignedData, type Options } from "uplot";

export interface ChartSeries {
  readonly name: string;
  /** The custom property of the style sheet that holds its colour. */
  readonly colour: `--${string}`;
  /** Pairs of Unix seconds and a value. */
  readonly points: readonly (readonly [number, number | null])[];
}

interface ChartProps {
  readonly title: string;
  readonly caption: string;
  readonly series: readonly ChartSeries[];
  /** Unix seconds. */
  readonly from: number;
  readonly until: number;
  readonly format: (value: number) => string;
}

const HEIGHT_PX = 180;

export function Chart({ title, caption, series, from, until, format }: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = holder.current;
    if (!element) return undefined;
    const options = optionsOf({ series, from, until, format }, element);
    const plot = new UPlot(options, alignedData(series), element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [series, from, until, format, theme]);
  return (
    <figure class="card chart">
      <figcaption>
        <strong>{title}</strong>
        <span class="quiet">{caption}</span>
      </figcaption>
      <div ref={holder} class="plot" role="img" aria-label={`${title}: ${caption}`} />
      <ul class="legend plain" aria-hidden="true">
        {series.map(({ name, colour }) => (
          <li key={name}>
            <span class="swatch" style={{ background: `var(${colour})` }} />
            {name}
          </li>
        ))}
      </ul>
    </figure>
  );
}

function optionsOf(
  { series, from, until, format }: Omit<ChartProps, "title" | "caption">,
  element: HTMLElement,
): Options {
  const axis = {
    stroke: colourOf("--quiet", element),
    font: `12px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: colourOf("--line", element), width: 1 },
    ticks: { show: false },
  };
  const time = timeFormat(until - from);
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { range: () => [from, until] }, y: { range: (_, __, max) => [0, Math.max(max, 1) * 1.1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 32,
        space: 80,
        values: (_, splits) => splits.map((seconds) => time.format(seconds * 1_000)),
      },
      {
        ...axis,
        size: 60,
        values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? format(value) : "")),
      },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.name,
        stroke: colourOf(one.colour, element),
        fill: colourOf(one.colour, element).replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)"),
        width: 2,
        // Some steps have no sample or no delivered event.
        spanGaps: true,
        points: { show: one.points.filter(([, value]) => value !== null).length === 1 },
      })),
    ],
  };
}

/** Labels: times of day, or days for a long range. */
function timeFormat(spanSeconds: number): Intl.DateTimeFormat {
  const isDay = spanSeconds <= 86_400;
  return new Intl.DateTimeFormat(
    undefined,
    isDay ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" },
  );
}

/** Converts a custom property to a colour that a canvas accepts: `rgb(…)`. */
function colourOf(property: ChartSeries["colour"], element: HTMLElement): string {
  element.style.color = `var(${property})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}

/** Returns one row of times for all series, with null where a series has no value. */
function alignedData(series: readonly ChartSeries[]): AlignedData {
  const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].toSorted((a, b) => a - b);
  const columns = series.map(({ points }) => {
    const values = new Map(points);
    return times.map((at) => values.get(at) ?? null);
  });
  return [times, ...columns];
}

/** Changes with the system's colour scheme. */
function useTheme(): boolean {
  const [isDark, setDark] = useState(DARK.matches);
  useEffect(() => {
    const follow = () => setDark(DARK.matches);
    DARK.addEventListener("change", follow);
    return () => DARK.removeEventListener("change", follow);
  }, []);
  return isDark;
}

const DARK = matchMedia("(prefers-color-scheme: dark)");

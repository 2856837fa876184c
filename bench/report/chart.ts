/** A bar chart as SVG, readable on a light and on a dark page. Pure. */

export interface Chart {
  /** Part of the file's name. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly label: string; readonly value: number }[];
}

const WIDTH = 760;
const LABEL_MIN_WIDTH = 220;
/** About that of an average character at 13 px. */
const CHARACTER_WIDTH = 7;
const VALUE_WIDTH = 90;
const ROW_HEIGHT = 26;
const TITLE_HEIGHT = 34;

/** One row for each bar, the longest as wide as the chart; a value that is no number has no bar. */
export function svgOf({ title, unit, bars }: Chart): string {
  const longest = Math.max(...bars.map(({ value }) => value).filter(Number.isFinite), 0);
  const labelWidth = Math.max(LABEL_MIN_WIDTH, ...bars.map(({ label }) => label.length * CHARACTER_WIDTH + 16));
  const height = TITLE_HEIGHT + bars.length * ROW_HEIGHT + 8;
  const rows = bars.flatMap(({ label, value }, index) => {
    const y = TITLE_HEIGHT + index * ROW_HEIGHT;
    const isKnown = Number.isFinite(value);
    const width = isKnown && longest > 0 ? (value / longest) * (WIDTH - labelWidth - VALUE_WIDTH) : 0;
    const shown = isKnown ? `${value.toFixed(value < 10 ? 1 : 0)} ${unit}` : "none";
    return [
      `<text x="${labelWidth - 8}" y="${y + 16}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${labelWidth}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW_HEIGHT - 8}" rx="2"/>`,
      `<text x="${(labelWidth + width + 6).toFixed(1)}" y="${y + 16}">${escaped(shown)}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-weight:600}rect{fill:#2f81f7}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}</style>`,
    `<text class="title" x="8" y="20">${escaped(title)}</text>`,
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

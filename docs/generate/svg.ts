/** The parts of a diagram as SVG: boxes, arrows and texts in the console's colours, light or dark as the reader's page is. */

interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Area extends Point {
  readonly width: number;
  readonly height: number;
}

/** What a part means, which decides its colour. */
export type Tone = "plain" | "accent" | "ok" | "warn" | "bad";

/** An image keeps its own background, so that every text has a contrast of 4.5 wherever it is shown. */
const STYLE = `
    svg { color-scheme: light dark; font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
    .card { fill: #ffffff; stroke: #dfe3e9; }
    .group { fill: #f6f7f9; stroke: #8b94a1; stroke-dasharray: 5 4; }
    .plain { fill: #eef1f5; stroke: #8b94a1; }
    .accent { fill: #eaeefc; stroke: #3451d1; }
    .ok { fill: #e9f7ef; stroke: #0f7a45; }
    .warn { fill: #fdf4e1; stroke: #8a5300; }
    .bad { fill: #fdeeee; stroke: #bf2626; }
    text { fill: #1a1f26; }
    .title { font-weight: 600; font-size: 14px; }
    .quiet { fill: #535d6a; font-size: 12px; }
    .arrow { fill: none; stroke: #535d6a; stroke-width: 1.5; }
    .dashed { stroke-dasharray: 5 4; }
    .head { fill: #535d6a; }
    .badge { fill: #3451d1; }
    .number { fill: #ffffff; font-size: 11px; font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      .card { fill: #171b21; stroke: #2c333d; }
      .group { fill: #0f1216; stroke: #6b7684; }
      .plain { fill: #222831; stroke: #6b7684; }
      .accent { fill: #1c2440; stroke: #93a8ff; }
      .ok { fill: #10261b; stroke: #5bd394; }
      .warn { fill: #2a2110; stroke: #f0b849; }
      .bad { fill: #2e1517; stroke: #ff8f8f; }
      text { fill: #e8ecf1; }
      .quiet { fill: #a3adba; }
      .arrow { stroke: #a3adba; }
      .head { fill: #a3adba; }
      .badge { fill: #93a8ff; }
      .number { fill: #10141f; }
    }`;

/** A whole picture. Its title and description are what a screen reader says of the file itself. */
export function picture(
  size: { readonly width: number; readonly height: number },
  words: { readonly title: string; readonly description: string },
  parts: readonly string[],
): string {
  const { width, height } = size;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
  <!-- Made by docs/generate.ts; "npm run check" fails where it is out of step. Do not edit. -->
  <title id="title">${escaped(words.title)}</title>
  <desc id="description">${escaped(words.description)}</desc>
  <style>${STYLE}
  </style>
  <defs>
    <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
      <path class="head" d="M0 0 L8 4 L0 8 z"/>
    </marker>
  </defs>
  <rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${parts.map((part) => `  ${part}`).join("\n")}
</svg>
`;
}

/** A box with a title and lines below it, all centred. */
export function box(area: Area, title: string, lines: readonly string[] = [], tone: Tone = "plain"): string {
  const x = area.x + area.width / 2;
  const firstY = area.y + area.height / 2 + 5 - lines.length * 8.5;
  const rows = lines.map((line, index) => label({ x, y: firstY + 18 * (index + 1) }, line, "middle"));
  return [rectangle(area, tone), text({ x, y: firstY }, title, "title", "middle"), ...rows].join("");
}

/** A frame around parts of one service, with its name in the lower corner. */
export function group(area: Area, title: string): string {
  return rectangle(area, "group") + text({ x: area.x + 14, y: area.y + area.height - 14 }, title, "title");
}

/** An arrow along points. `ends` says which of its ends has a head. */
export function arrow(
  points: readonly Point[],
  kind: { readonly dashed?: boolean; readonly both?: boolean } = {},
): string {
  const path = points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join(" ");
  const start = kind.both ? ' marker-start="url(#head)"' : "";
  return `<path class="arrow${kind.dashed ? " dashed" : ""}" d="${path}" marker-end="url(#head)"${start}/>`;
}

type Anchor = "start" | "middle" | "end";

/** A small text. */
export function label(at: Point, words: string, anchor: Anchor = "start"): string {
  return text(at, words, "quiet", anchor);
}

/** A text that names a part of the picture. */
export function heading(at: Point, words: string): string {
  return text(at, words, "title");
}

/** A number in a disc, as a step in the text has it. */
export function step(at: Point, number: number): string {
  const digit = text({ x: at.x, y: at.y + 4 }, String(number), "number", "middle");
  return `<circle class="badge" cx="${at.x}" cy="${at.y}" r="9"/>${digit}`;
}

function rectangle({ x, y, width, height }: Area, className: string): string {
  return `<rect class="${className}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`;
}

function text({ x, y }: Point, words: string, className: string, anchor: Anchor = "start"): string {
  return `<text class="${className}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

import { expect, it } from "vitest";
import { svgOf } from "../../bench/report/chart.ts";

it("draws each value to scale, with its label and its unit", () => {
  const bars = [
    { label: "ours", value: 5 },
    { label: 'a < b & "c"', value: 20 },
    { label: "nothing", value: NaN },
  ];
  const svg = svgOf({ name: "x", title: "How <long>", unit: "ms", bars });
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect(widths).toHaveLength(3);
  expect(widths[1]! / widths[0]!).toBeCloseTo(4, 1);
  expect(widths[2]).toBe(0);
  expect(svg).toContain("a &lt; b &amp; &quot;c&quot;");
  expect(svg).toContain("5.0 ms");
  expect(svg).toContain("20 ms");
  expect(svg).toContain(">none<");
  expect(svg).not.toContain("<long>");
});

it("makes room for long labels", () => {
  const label = "a call with a name that is long, 1,000,000 dead letters";
  const svg = svgOf({ name: "x", title: "t", unit: "ms", bars: [{ label, value: 5 }] });
  const [, x, width] = /<rect x="(\d+)" y="\d+" width="([\d.]+)"/.exec(svg)?.map(Number) ?? [];
  expect(x).toBeGreaterThan(label.length * 7);
  expect(x! + width!).toBeLessThan(700);
});

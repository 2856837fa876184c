import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseExpression } from "../../../../dev/queue/delivery/expression.ts";

test.each([
  ["1000", 0, 1000],
  ["1000 * (1 + retried)", 2, 3000],
  ["pow(2, retried) * 1000", 3, 8000],
  ["pow(2, retried)", 5, 32],
  ["max(1000, pow(2, retried) * 100)", 1, 1000],
  ["max(1000, pow(2, retried) * 100)", 5, 3200],
  ["min(86400000, exp(2.5 * (retried + 1)) * 1000)", 0, Math.exp(2.5) * 1000],
  ["sqrt(16) + abs(-3)", 0, 7],
  ["floor(1.9) + ceil(1.1) + round(2.5)", 0, 6],
  ["10 - 4 - 3", 0, 3],
  ["100 / 5 / 2", 0, 10],
  ["7 % 4 * 2", 0, 6],
  ["2 + 3 * 4", 0, 14],
  ["-retried + 5", 2, 3],
  ["1e3", 0, 1000],
  ["  1000  ", 0, 1000],
  ["min(max(1, 2), ((3)))", 0, 2],
])("%s at %d is %d", (text, retried, value) => {
  expect(parseExpression(text)(retried)).toBeCloseTo(value, 6);
});

test.each([
  ["", "the expression ends too early"],
  ["1 +", "the expression ends too early"],
  ["(1", "the expression ends too early"],
  ["1 2", '"2" was not expected'],
  ["1)", '")" was not expected'],
  ["retries", '"retries" was not expected'],
  ["process", '"process" was not expected'],
  ["constructor", '"constructor" was not expected'],
  ["pow", "the expression ends too early"],
  ["pow(2)", '"pow" takes 2 values'],
  ["abs(1, 2)", '"abs" takes 1 value'],
  ["min(1,)", '")" was not expected'],
  ["pow(2, retried).x", '"." was not expected'],
  ["2 ** 3", '"*" was not expected'],
  ["`1`", '"`" was not expected'],
  ["exponential", '"exponential" was not expected'],
  ["(".repeat(60) + "1" + ")".repeat(60), "an expression nests at most 50 deep"],
  ["1+".repeat(600) + "1", "an expression has at most 1000 characters"],
])("refuses %s", (text, message) => {
  expect(() => parseExpression(text)).toThrow(new SyntaxError(message));
});

/** A sum or product in text, with its value worked out beside it. */
const { tree } = fc.letrec<{ tree: { text: string; value: number } }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.nat(99).map((value) => ({ text: String(value), value })),
    fc.tuple(tie("tree"), fc.constantFrom("+", "-", "*"), tie("tree")).map(([a, operator, b]) => ({
      text: `(${a.text} ${operator} ${b.text})`,
      value: operator === "+" ? a.value + b.value : operator === "-" ? a.value - b.value : a.value * b.value,
    })),
  ),
}));

test("works out any nest of sums and products", () => {
  fc.assert(
    fc.property(tree, ({ text, value }) => {
      fc.pre(text.length <= 1000);
      expect(parseExpression(text)(0)).toBe(value);
    }),
  );
});

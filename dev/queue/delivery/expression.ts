/** A parsed retry-delay expression: milliseconds for a number of retries already made. */
type Expression = (retried: number) => number;

const FUNCTIONS: Record<string, { run: (...values: number[]) => number; takes: number }> = {
  pow: { run: Math.pow, takes: 2 },
  sqrt: { run: Math.sqrt, takes: 1 },
  abs: { run: Math.abs, takes: 1 },
  exp: { run: Math.exp, takes: 1 },
  floor: { run: Math.floor, takes: 1 },
  ceil: { run: Math.ceil, takes: 1 },
  round: { run: Math.round, takes: 1 },
  min: { run: Math.min, takes: 2 },
  max: { run: Math.max, takes: 2 },
};
const LONGEST = 1000;
const DEEPEST = 50;

type Rest = { tokens: string[]; at: number; depth: number };

/**
 * Parses an `Upstash-Retry-Delay` expression; throws a SyntaxError naming what it cannot read.
 *
 * Accepts numbers, `retried`, `+ - * / %`, parentheses and the nine functions that QStash documents
 * (upstash.com/docs/qstash/features/retry); never evaluates JavaScript.
 */
export function parseExpression(text: string): Expression {
  if (text.length > LONGEST) throw new SyntaxError(`an expression has at most ${LONGEST} characters`);
  const tokens = text.match(/\d+(?:\.\d+)?(?:e[+-]?\d+)?|[a-z]+|\S/gi) ?? [];
  const rest: Rest = { tokens, at: 0, depth: 0 };
  const expression = sum(rest);
  if (rest.at < tokens.length) throw unexpected(rest);
  return expression;
}

function sum(rest: Rest): Expression {
  return chain(rest, product, { "+": (a, b) => a + b, "-": (a, b) => a - b });
}

function product(rest: Rest): Expression {
  return chain(rest, sign, { "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b });
}

type Operators = Record<string, (a: number, b: number) => number>;

function chain(rest: Rest, operand: (rest: Rest) => Expression, operators: Operators): Expression {
  let left = operand(rest);
  for (;;) {
    const apply = operators[rest.tokens[rest.at] ?? ""];
    if (apply === undefined) return left;
    rest.at += 1;
    const [before, after] = [left, operand(rest)];
    left = (retried) => apply(before(retried), after(retried));
  }
}

function sign(rest: Rest): Expression {
  rest.depth += 1;
  if (rest.depth > DEEPEST) throw new SyntaxError(`an expression nests at most ${DEEPEST} deep`);
  let negative = false;
  while (rest.tokens[rest.at] === "-" || rest.tokens[rest.at] === "+") {
    if (rest.tokens[rest.at] === "-") negative = !negative;
    rest.at += 1;
  }
  const value = atom(rest);
  rest.depth -= 1;
  return negative ? (retried) => -value(retried) : value;
}

function atom(rest: Rest): Expression {
  const token = rest.tokens[rest.at];
  if (token === undefined) throw unexpected(rest);
  rest.at += 1;
  if (/^\d/.test(token)) return () => Number(token);
  if (token === "retried") return (retried) => retried;
  if (token === "(") {
    const inner = sum(rest);
    expect(rest, ")");
    return inner;
  }
  if (Object.hasOwn(FUNCTIONS, token)) return call(rest, token);
  rest.at -= 1;
  throw unexpected(rest);
}

function call(rest: Rest, name: string): Expression {
  const { run, takes } = FUNCTIONS[name] as (typeof FUNCTIONS)[string];
  expect(rest, "(");
  const values = [sum(rest)];
  while (rest.tokens[rest.at] === ",") {
    rest.at += 1;
    values.push(sum(rest));
  }
  expect(rest, ")");
  if (values.length !== takes) throw new SyntaxError(`"${name}" takes ${takes} value${takes === 1 ? "" : "s"}`);
  return (retried) => run(...values.map((value) => value(retried)));
}

function expect(rest: Rest, token: string): void {
  if (rest.tokens[rest.at] !== token) throw unexpected(rest);
  rest.at += 1;
}

function unexpected(rest: Rest): SyntaxError {
  const token = rest.tokens[rest.at];
  return new SyntaxError(token === undefined ? "the expression ends too early" : `"${token}" was not expected`);
}

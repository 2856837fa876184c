/** Formats a comparison of schemas for people. Pure. */
import type { Io } from "../run/io.ts";
import { count, visible } from "../run/text.ts";
import type { Survey } from "./survey.ts";

/** One line for each problem, change and note, and the diff below each change. */
export function surveyLines({ derived, comparison }: Survey, paint: Io["paint"]): readonly string[] {
  const { changes, current, unlocked, unused } = comparison;
  return [
    ...derived.problems.map((problem) => `${paint("red", "wrong")}   ${visible(problem)}`),
    ...changes.flatMap(({ action, state, diff }) =>
      [`${paint("red", state.padEnd(7))} ${visible(action)}`].concat(
        diff.map((line) => paint(line.startsWith("+") ? "green" : "red", `          ${visible(line)}`)),
      ),
    ),
    ...unlocked.map((action) => `${paint("red", "lock")}    ${visible(action)} has another version in the lock file`),
    ...derived.notes.map((note) => `${paint("yellow", "note")}    ${visible(note)}`),
    ...unused.map((action) => `${paint("yellow", "unused")}  ${visible(action)} is registered, but no route has it`),
    `${paint("green", "ok")}      ${count(current.size - unlocked.length, "action")}`,
  ];
}

/** The same content for programs. */
export function surveyJson({ derived, comparison }: Survey) {
  return {
    problems: derived.problems,
    notes: derived.notes,
    changes: comparison.changes.map(({ action, state, diff }) => ({ action, state, diff })),
    unlocked: comparison.unlocked,
    unused: comparison.unused,
    current: Object.fromEntries(comparison.current),
  };
}

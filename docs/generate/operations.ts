/** The tables of `docs/operations.md` that list the lines of the worker's log; the rest of the page is written by hand. */
import { LOG_ATTRIBUTES, LOG_EVENTS } from "../../worker/log-events.ts";
import { code, filled, table } from "./markdown.ts";

/** The page with its tables filled in. */
export function operationsPage(page: string): string {
  const events = Object.entries(LOG_EVENTS).map(([name, { about, severities, attributes }]) => [
    code(name),
    severities.map(code).join(", "),
    about,
    attributes.map(code).join(", "),
  ]);
  const attributes = Object.entries(LOG_ATTRIBUTES).map(([name, about]) => [code(name), about]);
  return [
    ["log-events", table(["event.name", "severity_text", "when", "attributes"].map(headOf), events)],
    ["log-attributes", table(["attribute", "meaning"], attributes)],
  ].reduce((text, [name = "", content = ""]) => filled(text, name, content), page);
}

function headOf(name: string): string {
  return /[._]/.test(name) ? code(name) : name;
}

/** The tables of `docs/api.md` that come from the contract of the API; the rest of the page is written by hand. */
import {
  ACTION_FIELDS,
  DEAD_LETTER_FIELDS,
  DISCARD_FIELDS,
  INCIDENT_FIELDS,
  ME_FIELDS,
  PAGE_DEFAULT,
  PAGE_MAX,
  WHOLE_PAGE_MAX,
  PAST_FAILURE_FIELDS,
  WHOLE_FIELDS,
  metricTexts,
} from "../../shared/api.ts";
import { ATTEMPT_FIELDS, EVENT_FIELDS } from "../../shared/event-answers.ts";
import type { Fields } from "../../shared/fields.ts";
import { PLAN_FIELDS, REPLAY_FIELDS, REPLAY_ITEM_FIELDS } from "../../shared/replay-answers.ts";
import { DEAD_LETTER_CLASSES, DEAD_LETTER_GROUPS, DEAD_LETTER_STATES } from "../../shared/dead-letter.ts";
import { code, filled, table } from "./markdown.ts";

/** The page with its tables filled in. */
export function apiPage(page: string): string {
  return [
    ["list-parameters", listParameters()],
    ["incident-fields", fieldTable(INCIDENT_FIELDS)],
    ["action-fields", fieldTable(ACTION_FIELDS)],
    [
      "metric-series",
      table(
        ["series", "value"],
        Object.entries(metricTexts()).map(([name, about]) => [code(name), about]),
      ),
    ],
    ["discard-fields", fieldTable(DISCARD_FIELDS)],
    ["whole-fields", fieldTable(WHOLE_FIELDS)],
    ["past-failure-fields", fieldTable(PAST_FAILURE_FIELDS)],
    ["plan-fields", fieldTable(PLAN_FIELDS)],
    ["replay-fields", fieldTable(REPLAY_FIELDS)],
    ["replay-item-fields", fieldTable(REPLAY_ITEM_FIELDS)],
    ["event-fields", fieldTable(EVENT_FIELDS)],
    ["attempt-fields", fieldTable(ATTEMPT_FIELDS)],
    ["me-fields", fieldTable(ME_FIELDS)],
    ["dead-letter-fields", fieldTable(DEAD_LETTER_FIELDS)],
  ].reduce((text, [name = "", content = ""]) => filled(text, name, content), page);
}

function listParameters(): string {
  return table(
    ["parameter", "value"],
    [
      [code("class"), `${names(DEAD_LETTER_CLASSES)}; several separated by commas`],
      [code("state"), `${names(DEAD_LETTER_STATES)}; several separated by commas. Default ${code("open,replaying")}`],
      [names(["action", "organization", "route", "reason"]), "exact"],
      [code("status"), "a number, or `none`"],
      [names(["since", "until"]), "ISO 8601; `since <= parked_at < until`"],
      [code("limit"), `1 to ${PAGE_MAX}, default ${PAGE_DEFAULT}`],
      [code("cursor"), "as answered; a malformed one is refused"],
      [code("group_by"), `${names(DEAD_LETTER_GROUPS)}: counts instead of entries`],
      [
        code("whole"),
        `${code("true")}: each entry as under ${code("GET /api/dead-letters/:event_id")}; ${code("limit")} at most ${WHOLE_PAGE_MAX} (the export)`,
      ],
      [code("reveal"), "`true`, with `whole`: nothing hidden"],
    ],
  );
}

function fieldTable(fields: Fields): string {
  const rows = Object.entries(fields).map(([name, { isAlways, about, values }]) => [
    code(name),
    isAlways ? "always" : "if known",
    values ? `${about} (${names(values)})` : about,
  ]);
  return table(["field", "", "meaning"], rows);
}

function names(values: readonly string[]): string {
  return values.map(code).join(", ");
}

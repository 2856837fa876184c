/** The filters of the dead letters; each choice changes the address at once. */
import { useId } from "preact/hooks";
import { DEAD_LETTER_CLASSES, DEAD_LETTER_GROUPS, DEAD_LETTER_STATES } from "../../shared/dead-letter.ts";
import { addressOf, go } from "../location.ts";
import { fromLocalField, toLocalField, withFilter } from "../words/filters.ts";

interface FiltersProps {
  readonly filters: URLSearchParams;
  readonly groupBy: string;
}

const TEXTS = [
  { name: "action", label: "Action" },
  { name: "organization", label: "Organization" },
  { name: "route", label: "Route" },
  { name: "status", label: "Status" },
  { name: "reason", label: "Reason" },
] as const;

const TIMES = [
  { name: "since", label: "Parked since" },
  { name: "until", label: "Parked before" },
] as const;

/** The states that the API returns without a filter. */
const DEFAULT_STATES = "open,replaying";

export function Filters({ filters, groupBy }: FiltersProps) {
  const query = withFilter(filters, "group_by", groupBy);
  const set = (name: string, value: string) => {
    go(addressOf("/dead-letters", Object.fromEntries(withFilter(query, name, value))));
  };
  const active = [...filters].length;
  return (
    <details class="card filters" open={active > 0 || matchMedia("(min-width: 861px)").matches}>
      <summary>{active === 0 ? "Filters" : `Filters (${active})`}</summary>
      <form class="fields" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="Class"
          name="class"
          all="every class"
          options={DEAD_LETTER_CLASSES}
          filters={filters}
          onChange={set}
        />
        <Choice
          label="State"
          name="state"
          all="open and replaying"
          options={DEAD_LETTER_STATES}
          filters={filters}
          defaultValue={DEFAULT_STATES}
          onChange={set}
        />
        {TEXTS.map(({ name, label }) => (
          <Field
            key={name}
            label={label}
            value={filters.get(name) ?? ""}
            onChange={(value) => set(name, value.trim())}
          />
        ))}
        {TIMES.map(({ name, label }) => (
          <Field
            key={name}
            label={label}
            isTime
            value={toLocalField(filters.get(name))}
            onChange={(value) => set(name, fromLocalField(value))}
          />
        ))}
        <Choice
          label="Group by"
          name="group_by"
          all="no groups"
          options={DEAD_LETTER_GROUPS}
          filters={query}
          onChange={set}
        />
      </form>
      {active > 0 && (
        <p>
          <a href={addressOf("/dead-letters", { group_by: groupBy })}>Clear the filters</a>
        </p>
      )}
    </details>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly name: string;
  /** The label for "no choice". */
  readonly all: string;
  readonly options: readonly string[];
  readonly filters: URLSearchParams;
  readonly defaultValue?: string;
  readonly onChange: (name: string, value: string) => void;
}

function Choice({ label, name, all, options, filters, defaultValue = "", onChange }: ChoiceProps) {
  const id = useId();
  const value = filters.get(name) ?? "";
  const chosen = value === defaultValue ? "" : value;
  // Several values, for example from a runbook link, become one more choice.
  const several = chosen === "" || options.includes(chosen) ? [] : [chosen];
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={chosen} onChange={(event) => onChange(name, event.currentTarget.value)}>
        <option value="">{all}</option>
        {[...options, ...several].map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly isTime?: boolean;
  readonly onChange: (value: string) => void;
}

function Field({ label, value, isTime = false, onChange }: FieldProps) {
  const id = useId();
  const type = isTime ? ({ type: "datetime-local" } as const) : ({ type: "text" } as const);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        {...type}
        value={value}
        autoComplete="off"
        spellcheck={false}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}

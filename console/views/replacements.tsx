/** The rows of the form that replace one value of a field by another in all records of a plan. */
import { useEffect, useId, useRef } from "preact/hooks";
import { TextField } from "../parts/text-field.tsx";
import { newReplacement, REPLACED_FIELDS, type Replacement } from "../words/mending.ts";

interface ReplacementsProps {
  readonly rows: readonly Replacement[];
  readonly onChange: (rows: readonly Replacement[]) => void;
}

export function Replacements({ rows, onChange }: ReplacementsProps) {
  const add = useRef<HTMLButtonElement>(null);
  const remove = (gone: Replacement) => {
    onChange(rows.filter((row) => row !== gone));
    add.current?.focus();
  };
  return (
    <fieldset class="stack">
      <legend>Replace values</legend>
      {rows.map((row, index) => (
        <Row
          key={row.key}
          row={row}
          name={`Replacement ${index + 1}`}
          onChange={(changed) => onChange(rows.map((other) => (other === row ? changed : other)))}
          onRemove={() => remove(row)}
        />
      ))}
      <div>
        <button ref={add} type="button" onClick={() => onChange([...rows, newReplacement(rows)])}>
          Add a replacement
        </button>
      </div>
    </fieldset>
  );
}

interface RowProps {
  readonly row: Replacement;
  readonly name: string;
  readonly onChange: (row: Replacement) => void;
  readonly onRemove: () => void;
}

function Row({ row, name, onChange, onRemove }: RowProps) {
  const id = useId();
  const first = useRef<HTMLSelectElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <div class="replacement" role="group" aria-label={name}>
      <div class="field">
        <label for={id}>Field</label>
        <select
          id={id}
          ref={first}
          value={row.field}
          onChange={(event) => onChange({ ...row, field: event.currentTarget.value as Replacement["field"] })}
        >
          {REPLACED_FIELDS.map(({ field, label }) => (
            <option key={field} value={field}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <TextField label="Old value" value={row.from} onInput={(from) => onChange({ ...row, from })} />
      <TextField label="New value" value={row.to} onInput={(to) => onChange({ ...row, to })} />
      <button type="button" class="link" aria-label={`Remove ${name.toLowerCase()}`} onClick={onRemove}>
        Remove
      </button>
    </div>
  );
}

/** The changes that a replay makes to its events, and how it runs. */
import { useId } from "preact/hooks";
import type { Plan } from "../api/answers.ts";
import type { ApiFailure } from "../api/client.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { count } from "../words/metrics.ts";

export interface Mend {
  readonly action: string;
  readonly organization: string;
  /** Paths, separated by commas. */
  readonly drop: string;
  readonly name: string;
  readonly rate: string;
  readonly acceptDuplicates: boolean;
}

export const EMPTY_MEND: Mend = { action: "", organization: "", drop: "", name: "", rate: "", acceptDuplicates: false };

/** The part of a plan request that describes the changes; empty fields are left out. */
export function mendBody({ action, organization, drop, name, rate, acceptDuplicates }: Mend) {
  const set = { ...(action && { action: action.trim() }), ...(organization && { organization: organization.trim() }) };
  const paths = drop.split(/[\s,]+/).filter((path) => path !== "");
  return {
    ...(Object.keys(set).length > 0 && { set }),
    ...(paths.length > 0 && { drop: paths }),
    ...(name.trim() && { name: name.trim() }),
    ...(rate.trim() && { rate: Number(rate) }),
    ...(acceptDuplicates && { accept_duplicates: true }),
  };
}

interface MendFieldsProps {
  readonly mend: Mend;
  readonly plan: Plan;
  readonly onChange: (mend: Mend) => void;
  readonly onPlan: (mend: Mend) => Promise<void>;
  readonly onFailure: (failure: ApiFailure | undefined) => void;
}

const FIELDS = [
  { key: "action", label: "Set the action", help: "such as member.invited" },
  { key: "organization", label: "Set the organization", help: "an id of WorkOS, such as org_01…" },
  { key: "drop", label: "Leave out metadata", help: "such as metadata.plan, separated by commas" },
  { key: "name", label: "Name of the replay", help: "for the incident and the receipt" },
  { key: "rate", label: "Records a second", help: "40 unless you change it" },
] as const;

export function MendFields({ mend, plan, onChange, onPlan, onFailure }: MendFieldsProps) {
  return (
    <>
      {(plan.duplicates_possible > 0 || mend.acceptDuplicates) && (
        <label class="notice warn check">
          <input
            type="checkbox"
            checked={mend.acceptDuplicates}
            onChange={(event) => void onPlan({ ...mend, acceptDuplicates: event.currentTarget.checked })}
          />
          <span>
            {count(plan.duplicates_possible)} may be in WorkOS already. Send them too; they may appear twice there.
          </span>
        </label>
      )}
      <details class="card">
        <summary>Change before sending</summary>
        <div class="columns">
          {FIELDS.map(({ key, label, help }) => (
            <TextField
              key={key}
              label={label}
              help={help}
              value={mend[key]}
              onInput={(value) => onChange({ ...mend, [key]: value })}
            />
          ))}
        </div>
        <ActionButton onPress={() => onPlan({ ...mend })} onFailure={onFailure}>
          Update the plan
        </ActionButton>
      </details>
    </>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly help: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

function TextField({ label, help, value, onInput }: TextFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        autoComplete="off"
        spellcheck={false}
        aria-describedby={`${id}-help`}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <span id={`${id}-help`} class="quiet">
        {help}
      </span>
    </div>
  );
}

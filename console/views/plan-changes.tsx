/** The changes that a replay makes to its events, and how it runs. */
import type { PlanAnswer } from "../../shared/replay-answers.ts";
import type { ApiFailure } from "../api/client.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { TextField } from "../parts/text-field.tsx";
import type { MendForm } from "../words/mending.ts";
import { count } from "../words/metrics.ts";
import { Replacements } from "./replacements.tsx";

interface MendFieldsProps {
  readonly mend: MendForm;
  readonly plan: PlanAnswer;
  readonly onChange: (mend: MendForm) => void;
  readonly onPlan: (mend: MendForm) => Promise<void>;
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
        <Replacements rows={mend.replacements} onChange={(replacements) => onChange({ ...mend, replacements })} />
        <ActionButton onPress={() => onPlan({ ...mend })} onFailure={onFailure}>
          Update the plan
        </ActionButton>
      </details>
    </>
  );
}

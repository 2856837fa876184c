/** From a selection to a replay: the plan, the changes before sending, and the confirmation, which sends exactly the plan. */
import { useEffect, useState } from "preact/hooks";
import type { PlanAnswer } from "../../shared/replay-answers.ts";
import { api, ApiFailure, failureOf } from "../api/client.ts";
import { addressOf, go } from "../location.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Failure, Skeleton } from "../parts/notice.tsx";
import type { Selection } from "../words/filters.ts";
import { EMPTY_MEND_FORM, type MendForm, mendBody, replacementProblem } from "../words/mending.ts";
import { MendFields } from "./plan-changes.tsx";
import { PlanDetails } from "./plan-details.tsx";

interface PlanDialogProps {
  readonly selection: Selection;
  readonly onClose: () => void;
}

export function PlanDialog({ selection, onClose }: PlanDialogProps) {
  const [mend, setMend] = useState<MendForm>(EMPTY_MEND_FORM);
  const [plan, setPlan] = useState<PlanAnswer>();
  /** The changes that the plan includes; different ones need a new plan before sending. */
  const [planned, setPlanned] = useState<MendForm>();
  const [failure, setFailure] = useState<ApiFailure>();
  const make = async (wanted: MendForm) => {
    setFailure(undefined);
    setMend(wanted);
    const problem = replacementProblem(wanted.replacements);
    if (problem !== undefined) return setFailure(new ApiFailure(400, "invalid_request", problem));
    try {
      const answer = await api.post<{ plan: PlanAnswer }>("/api/replays", {
        ...selection,
        ...mendBody(wanted),
        dry_run: true,
      });
      setPlan(answer.plan);
      setPlanned(wanted);
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  useEffect(() => void make(EMPTY_MEND_FORM), []);
  const send = async () => {
    const { id } = await api.post<{ id: string }>("/api/replays", { plan: plan?.id });
    go(addressOf(`/replays/${id}`));
  };
  const isStale = planned !== mend;
  return (
    <Dialog title="Plan of a replay" onClose={onClose}>
      {(close) => (
        <>
          {!plan && !failure && <Skeleton lines={5} />}
          {plan && <PlanDetails plan={plan} />}
          {plan && (
            <MendFields
              mend={mend}
              plan={plan}
              onChange={setMend}
              onPlan={(wanted) => make(wanted)}
              onFailure={setFailure}
            />
          )}
          <Failure
            failure={failure}
            what={plan ? "Nothing was sent" : "The plan could not be made"}
            onRetry={() => void make(mend)}
          />
          <div class="row end">
            <button type="button" onClick={close}>
              Cancel
            </button>
            {plan && plan.send > 0 && (
              <ActionButton kind="primary" disabled={isStale} onPress={send} onFailure={setFailure}>
                Send {plan.send}
              </ActionButton>
            )}
          </div>
          {plan && isStale && <p class="quiet">Update the plan to send it with these changes.</p>}
        </>
      )}
    </Dialog>
  );
}

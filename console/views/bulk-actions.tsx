/** Actions on the selected dead letters, or on all matches if none is selected. */
import { useState } from "preact/hooks";
import type { DeadLetterAnswer } from "../../shared/api.ts";
import type { ApiFailure } from "../api/client.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Failure } from "../parts/notice.tsx";
import { useMay } from "../session.tsx";
import { type Chosen, NONE_CHOSEN } from "../words/chosen.ts";
import { matchesOpen, selectionOf } from "../words/filters.ts";
import { count } from "../words/metrics.ts";
import { DiscardDialog } from "./discard-dialog.tsx";
import { exportLetters } from "./export.ts";
import { PlanDialog } from "./plan-dialog.tsx";

interface BulkActionsProps {
  readonly filters: URLSearchParams;
  readonly letters: readonly DeadLetterAnswer[];
  /** Number of all matches, including those not loaded. */
  readonly total: number;
  readonly chosen: Chosen;
  readonly onChoose: (chosen: Chosen) => void;
  readonly onDone: () => Promise<void>;
}

export function BulkActions({ filters, letters, total, chosen, onChoose, onDone }: BulkActionsProps) {
  const [open, setOpen] = useState<"plan" | "discard">();
  const [failure, setFailure] = useState<ApiFailure>();
  const [reveal, setReveal] = useState(false);
  const may = useMay("operate");
  if (!may)
    return <p class="quiet">{count(total)} match. Your role may only look. To act, you need the role operate.</p>;
  const ids = chosen === "all" || chosen.ids.size === 0 ? undefined : [...chosen.ids];
  const selection = ids ? { event_ids: ids } : selectionOf(filters);
  const canSend = ids !== undefined || matchesOpen(filters);
  return (
    <div class="card toolbar">
      <Choose letters={letters} total={total} chosen={chosen} onChoose={onChoose} />
      <div class="row">
        <button type="button" class="primary" disabled={!canSend} onClick={() => setOpen("plan")}>
          Plan replay
        </button>
        <button type="button" disabled={!canSend} onClick={() => setOpen("discard")}>
          Discard
        </button>
        <ActionButton onPress={() => exportLetters(filters, ids, reveal)} onFailure={setFailure}>
          Export
        </ActionButton>
        <label class="check quiet">
          <input type="checkbox" checked={reveal} onChange={(event) => setReveal(event.currentTarget.checked)} />
          with hidden values
        </label>
      </div>
      <Failure failure={failure} what="Nothing was exported" />
      {open === "plan" && <PlanDialog selection={selection} onClose={() => setOpen(undefined)} />}
      {open === "discard" && <DiscardDialog selection={selection} onClose={() => setOpen(undefined)} onDone={onDone} />}
    </div>
  );
}

type ChooseProps = Pick<BulkActionsProps, "letters" | "total" | "chosen" | "onChoose">;

/** What the buttons act on, and the selection of the page or of all matches. */
function Choose({ letters, total, chosen, onChoose }: ChooseProps) {
  const isAll = chosen === "all";
  const number = isAll ? total : chosen.ids.size;
  const isPage = !isAll && number === letters.length;
  const said =
    number === 0
      ? `All ${count(total)} that match`
      : isAll
        ? `All ${count(total)} selected`
        : `${count(number)} selected`;
  return (
    <div class="row">
      <strong aria-live="polite">{said}</strong>
      {!isAll && !isPage && (
        <button
          type="button"
          class="link"
          onClick={() => onChoose({ ids: new Set(letters.map(({ event_id }) => event_id)) })}
        >
          Select the {count(letters.length)} shown
        </button>
      )}
      {isPage && total > letters.length && (
        <button type="button" class="link" onClick={() => onChoose("all")}>
          Select all {count(total)} that match
        </button>
      )}
      {number > 0 && (
        <button type="button" class="link" onClick={() => onChoose(NONE_CHOSEN)}>
          Clear the selection
        </button>
      )}
    </div>
  );
}

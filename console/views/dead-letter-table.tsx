/** The table of dead letters; on a narrow screen each row becomes a card. */
import type { DeadLetterAnswer } from "../../shared/api.ts";
import { recordAddress } from "../location.ts";
import { OutsideText } from "../parts/outside-text.tsx";
import { StateTag } from "../parts/state-tag.tsx";
import { Time } from "../parts/time.tsx";
import { shortReason } from "../words/reasons.ts";
import type { Chosen } from "../words/chosen.ts";

interface DeadLetterTableProps {
  readonly letters: readonly DeadLetterAnswer[];
  readonly chosen: Chosen;
  /** Undefined for a role that has no actions on a row. */
  readonly onChoose: ((chosen: Chosen) => void) | undefined;
}

export function DeadLetterTable({ letters, chosen, onChoose }: DeadLetterTableProps) {
  const isChosen = (id: string) => chosen === "all" || chosen.ids.has(id);
  const toggle = (id: string) => {
    const ids = new Set(chosen === "all" ? letters.map(({ event_id }) => event_id) : chosen.ids);
    if (!ids.delete(id)) ids.add(id);
    onChoose?.({ ids });
  };
  return (
    <table class="cards">
      <thead>
        <tr>
          {onChoose && (
            <th scope="col" class="tick">
              <span class="hidden">Select</span>
            </th>
          )}
          <th scope="col">Event</th>
          <th scope="col">Why</th>
          <th scope="col">Organization</th>
          <th scope="col">Parked</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {letters.map((letter) => (
          <tr key={letter.event_id} aria-selected={isChosen(letter.event_id)}>
            {onChoose && (
              <td class="tick">
                <input
                  type="checkbox"
                  aria-label={`Select ${letter.event_id}`}
                  checked={isChosen(letter.event_id)}
                  onChange={() => toggle(letter.event_id)}
                />
              </td>
            )}
            <Cells letter={letter} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cells({ letter }: { readonly letter: DeadLetterAnswer }) {
  const words = shortReason(letter.reason);
  return (
    <>
      <td data-label="Event" class="event">
        <p>
          {letter.action === undefined ? (
            <span class="quiet">no action</span>
          ) : (
            <strong>
              <OutsideText text={letter.action} />
            </strong>
          )}
        </p>
        {letter.route !== undefined && (
          <p class="quiet">
            <OutsideText text={`${letter.method ?? ""} ${letter.route}`.trim()} />
          </p>
        )}
        <a class="mono" href={recordAddress(letter.event_id)}>
          <OutsideText text={letter.event_id} />
        </a>
      </td>
      <td data-label="Why">
        {words !== undefined && <p>{words}</p>}
        <p class={words === undefined ? "" : "quiet"}>
          <OutsideText text={letter.reason} />
        </p>
      </td>
      <td data-label="Organization">
        {letter.organization === undefined ? (
          <span class="quiet">none</span>
        ) : (
          <OutsideText text={letter.organization} />
        )}
      </td>
      <td data-label="Parked" class="time">
        <Time at={letter.parked_at} />
      </td>
      <td data-label="State">
        <StateTag state={letter.state} />
        <p class="quiet">{letter.class}</p>
      </td>
    </>
  );
}

/** Dead letters: filters in the address, groups, and actions on a row, a page, or all matches. */
import { useState } from "preact/hooks";
import type { DeadLetterAnswer } from "../../shared/api.ts";
import type { Groups } from "../api/answers.ts";
import { type Pages, useDeadLetters } from "../api/pages.ts";
import { useResource } from "../api/resource.ts";
import { addressOf } from "../location.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Empty, Failure, Skeleton } from "../parts/notice.tsx";
import { View } from "../parts/view.tsx";
import { useMay } from "../session.tsx";
import { type Chosen, NONE_CHOSEN } from "../words/chosen.ts";
import { filtersOf, withFilter } from "../words/filters.ts";
import { BulkActions } from "./bulk-actions.tsx";
import { DeadLetterTable } from "./dead-letter-table.tsx";
import { Filters } from "./filters.tsx";
import { GroupTable } from "./group-table.tsx";

export function DeadLetters({ query }: { readonly query: URLSearchParams }) {
  const filters = filtersOf(query);
  const groupBy = query.get("group_by") ?? "";
  return (
    <View title="Dead letters">
      <Filters filters={filters} groupBy={groupBy} />
      {groupBy === "" ? (
        <Letters key={filters.toString()} filters={filters} />
      ) : (
        <GroupTable filters={filters} groupBy={groupBy} />
      )}
    </View>
  );
}

function Letters({ filters }: { readonly filters: URLSearchParams }) {
  const text = filters.toString();
  const pages = useDeadLetters(text);
  const groups = useResource<Groups>(`/api/dead-letters?${withFilter(filters, "group_by", "class")}`);
  const [chosen, setChosen] = useState<Chosen>(NONE_CHOSEN);
  const may = useMay("operate");
  const { letters, failure } = pages;
  const total = groups.data?.total ?? letters?.length ?? 0;
  const reload = async () => {
    setChosen(NONE_CHOSEN);
    await Promise.all([pages.reload(), groups.reload()]);
  };
  return (
    <section aria-label="List">
      <Failure failure={failure} what="The list could not be loaded" onRetry={() => void pages.reload()}>
        {text !== "" && (
          <a class="button" href={addressOf("/dead-letters")}>
            Clear the filters
          </a>
        )}
      </Failure>
      {!letters && !failure && <Skeleton lines={9} />}
      {letters?.length === 0 && !failure && <NothingHere isFiltered={text !== ""} />}
      {letters && letters.length > 0 && (
        <>
          <BulkActions
            filters={filters}
            letters={letters}
            total={total}
            chosen={chosen}
            onChoose={setChosen}
            onDone={reload}
          />
          <DeadLetterTable letters={letters} chosen={chosen} onChoose={may ? setChosen : undefined} />
          <More pages={pages} shown={letters} total={total} />
        </>
      )}
    </section>
  );
}

function NothingHere({ isFiltered }: { readonly isFiltered: boolean }) {
  if (!isFiltered)
    return (
      <Empty title="No dead letters are open.">
        <p>A record that WorkOS refuses for good, or that failed every attempt, is kept here for 100 days.</p>
      </Empty>
    );
  return (
    <Empty title="Nothing matches these filters.">
      <a href={addressOf("/dead-letters")}>Clear the filters</a>
    </Empty>
  );
}

interface MoreProps {
  readonly pages: Pages;
  readonly shown: readonly DeadLetterAnswer[];
  readonly total: number;
}

function More({ pages, shown, total }: MoreProps) {
  const loaded = `${shown.length} of ${Math.max(total, shown.length)} shown`;
  return (
    <div class="row">
      {pages.hasMore && (
        <ActionButton onPress={pages.more} onFailure={() => undefined}>
          Load more
        </ActionButton>
      )}
      <span class="quiet" aria-live="polite">
        {loaded}
      </span>
    </div>
  );
}

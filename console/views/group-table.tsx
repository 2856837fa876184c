/** Dead letters counted by one of their fields; each group links to its list. */
import type { Groups } from "../api/answers.ts";
import { useResource } from "../api/resource.ts";
import { addressOf } from "../location.ts";
import { Empty, Failure, Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { Time } from "../parts/time.tsx";
import { groupFilter, withFilter } from "../words/filters.ts";
import { count } from "../words/metrics.ts";
import { reasonWords } from "../words/reasons.ts";

interface GroupTableProps {
  readonly filters: URLSearchParams;
  readonly groupBy: string;
}

export function GroupTable({ filters, groupBy }: GroupTableProps) {
  const path = `/api/dead-letters?${withFilter(filters, "group_by", groupBy)}`;
  const { data, failure, reload } = useResource<Groups>(path);
  if (failure)
    return (
      <Failure failure={failure} what="The groups could not be loaded" onRetry={() => void reload()}>
        <a class="button" href={addressOf("/dead-letters")}>
          Clear the filters
        </a>
      </Failure>
    );
  if (!data) return <Skeleton lines={6} />;
  if (data.groups.length === 0)
    return (
      <Empty title="Nothing matches these filters.">
        <a href={addressOf("/dead-letters")}>Clear the filters</a>
      </Empty>
    );
  return (
    <section aria-label="Groups">
      <p class="quiet">
        {count(data.total)} in {count(data.groups.length)} {data.groups.length === 1 ? "group" : "groups"}
      </p>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{groupBy.charAt(0).toUpperCase() + groupBy.slice(1)}</th>
            <th scope="col">Count</th>
            <th scope="col">Oldest</th>
            <th scope="col">Newest</th>
          </tr>
        </thead>
        <tbody>
          {data.groups.map((group) => (
            <tr key={String(group.value)}>
              <td data-label={groupBy}>
                <GroupName filters={filters} groupBy={groupBy} value={group.value} />
              </td>
              <td data-label="Count">{count(group.count)}</td>
              <td data-label="Oldest" class="time">
                <Time at={group.oldest_parked_at} />
              </td>
              <td data-label="Newest" class="time">
                <Time at={group.newest_parked_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface GroupNameProps extends GroupTableProps {
  readonly value: string | number | null;
}

function GroupName({ filters, groupBy, value }: GroupNameProps) {
  const filter = groupFilter(groupBy, value);
  const text = value === null ? "none" : String(value);
  if (filter === undefined) return <span class="quiet">{text}</span>;
  const words = groupBy === "reason" ? reasonWords(text) : undefined;
  const query = Object.fromEntries(withFilter(filters, groupBy, filter));
  return (
    <>
      <a href={addressOf("/dead-letters", query)}>
        <OutsideText text={text} />
      </a>
      {words !== undefined && <p class="quiet">{words}</p>}
    </>
  );
}

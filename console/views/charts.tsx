/** How much went through: the charts of the overview. */
import { useMemo } from "preact/hooks";
import type { Metrics } from "../api/answers.ts";
import { useResource } from "../api/resource.ts";
import { addressOf } from "../location.ts";
import { Chart, type ChartSeries } from "../parts/chart.tsx";
import { Failure, Skeleton } from "../parts/notice.tsx";
import { span } from "../parts/time.tsx";
import { count, newestOf, RANGES, rangeNamed, totalOf } from "../words/metrics.ts";

const REFRESH_MS = 60_000;

export function Charts({ query }: { readonly query: URLSearchParams }) {
  const name = rangeNamed(query.get("range"));
  const { seconds, step } = RANGES[name];
  // Anew with each range; the end stays while the view does, so that the path does, too.
  const until = useMemo(() => Math.ceil(Date.now() / 1_000 / step) * step, [name]);
  const from = until - seconds;
  const path = `/api/metrics?from=${from}&until=${until}&step=${step}`;
  const { data, failure, reload } = useResource<Metrics>(path, REFRESH_MS);
  return (
    <section aria-label="History">
      <div class="heading">
        <h2>History</h2>
        <div class="row segments" role="group" aria-label="Range of the charts">
          {Object.entries(RANGES).map(([range, { label }]) => (
            <a key={range} href={addressOf("", { range })} aria-current={range === name ? "true" : undefined}>
              {label}
            </a>
          ))}
        </div>
      </div>
      <Failure failure={failure} what="The history could not be loaded" onRetry={() => void reload()} />
      {data ? (
        <Panels metrics={data} from={from} until={until} />
      ) : (
        !failure && (
          <div class="charts">
            {[1, 2, 3, 4].map((index) => (
              <div key={index} class="card chart">
                <Skeleton lines={6} />
              </div>
            ))}
          </div>
        )
      )}
    </section>
  );
}

interface PanelsProps {
  readonly metrics: Metrics;
  readonly from: number;
  readonly until: number;
}

function Panels({ metrics: { series }, from, until }: PanelsProps) {
  const lines = useMemo(() => linesOf(series), [series]);
  const age = (name: string) => ageText(newestOf(series[name]));
  const events = `${count(totalOf(series["delivered"]))} delivered, ${count(totalOf(series["retried"]))} retried, ${count(totalOf(series["refused"]))} refused`;
  return (
    <div class="charts">
      <Chart title="Events" caption={events} series={lines.events} from={from} until={until} format={count} />
      <Chart
        title="Age at delivery"
        caption={`p50 ${age("age_p50_ms")}, p99 ${age("age_p99_ms")}`}
        series={lines.ages}
        from={from}
        until={until}
        format={span}
      />
      <Chart
        title="Waiting for WorkOS"
        caption={`${count(newestOf(series["waiting"]) ?? 0)} now`}
        series={lines.waiting}
        from={from}
        until={until}
        format={count}
      />
      <Chart
        title="Open failures"
        caption={`${count(newestOf(series["dead_letters_open"]) ?? 0)} now`}
        series={lines.deadLetters}
        from={from}
        until={until}
        format={count}
      />
    </div>
  );
}

function linesOf(
  series: Metrics["series"],
): Readonly<Record<"events" | "ages" | "waiting" | "deadLetters", ChartSeries[]>> {
  const line = (name: string, colour: ChartSeries["colour"], key: string): ChartSeries => ({
    name,
    colour,
    points: series[key] ?? [],
  });
  return {
    events: [
      line("delivered", "--ok", "delivered"),
      line("retried", "--warn", "retried"),
      line("refused", "--bad", "refused"),
    ],
    ages: [line("p50", "--accent", "age_p50_ms"), line("p99", "--warn", "age_p99_ms")],
    waiting: [line("waiting", "--accent", "waiting")],
    deadLetters: [line("open", "--bad", "dead_letters_open")],
  };
}

function ageText(ms: number | undefined): string {
  return ms === undefined ? "no event yet" : span(ms);
}

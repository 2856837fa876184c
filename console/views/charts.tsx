/** The charts of the overview: how many events went through. */
import { useMemo } from "preact/hooks";
import { DEAD_LETTER_CLASSES, type DeadLetterClass } from "../../shared/dead-letter.ts";
import type { MetricsAnswer, MetricSeries } from "../../shared/api.ts";
import { useHistory } from "../api/history.ts";
import { addressOf } from "../location.ts";
import { Chart, type ChartSeries } from "../parts/chart.tsx";
import { Failure, Skeleton } from "../parts/notice.tsx";
import { span } from "../parts/time.tsx";
import { count, newestOf, RANGES, rangeNamed, totalOf } from "../words/metrics.ts";

const CLASS_COLOURS: Readonly<Record<DeadLetterClass, ChartSeries["colour"]>> = {
  rejected: "--bad",
  exhausted: "--warn",
  credential: "--accent",
  unreadable: "--quiet",
};

export function Charts({ query }: { readonly query: URLSearchParams }) {
  const name = rangeNamed(query.get("range"));
  const { history, failure, reload } = useHistory(name);
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
      <Failure failure={failure} what="The history could not be loaded" onRetry={reload} />
      {history ? (
        <Panels {...history} />
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

/** A worker older than the console lacks some series. */
type Series = Partial<MetricsAnswer["series"]>;

interface PanelsProps {
  readonly metrics: MetricsAnswer;
  readonly from: number;
  readonly until: number;
}

function Panels({ metrics: { series }, from, until }: PanelsProps) {
  const lines = useMemo(() => linesOf(series), [series]);
  const age = (name: MetricSeries) => ageText(newestOf(series[name]));
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
        title="Dead letters by class"
        caption={classesText(series)}
        series={lines.deadLetters}
        from={from}
        until={until}
        format={count}
      />
    </div>
  );
}

function linesOf(series: Series): Readonly<Record<"events" | "ages" | "waiting" | "deadLetters", ChartSeries[]>> {
  const line = (name: string, colour: ChartSeries["colour"], key: MetricSeries): ChartSeries => ({
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
    deadLetters: hasClasses(series)
      ? DEAD_LETTER_CLASSES.map((name) => line(name, CLASS_COLOURS[name], `dead_letters_open_${name}`))
      : [line("open", "--bad", "dead_letters_open")],
  };
}

function hasClasses(series: Series): boolean {
  return DEAD_LETTER_CLASSES.some((name) => series[`dead_letters_open_${name}`] !== undefined);
}

/** The number of open dead letters by class. */
function classesText(series: Series): string {
  if (!hasClasses(series)) return `${count(newestOf(series.dead_letters_open) ?? 0)} open`;
  const counts = DEAD_LETTER_CLASSES.map((name) => [newestOf(series[`dead_letters_open_${name}`]) ?? 0, name] as const);
  const open = counts.filter(([number]) => number > 0).map(([number, name]) => `${count(number)} ${name}`);
  return open.length === 0 ? "none open" : `${open.join(", ")} open`;
}

function ageText(ms: number | undefined): string {
  return ms === undefined ? "no event yet" : span(ms);
}

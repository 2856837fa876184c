/** The open incidents, with what each means and what to do, and the ended ones. */
import type { IncidentAnswer } from "../../shared/api.ts";
import type { Health, OpenIncident } from "../api/answers.ts";
import { useResource } from "../api/resource.ts";
import { addressOf } from "../location.ts";
import { Failure, Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { ago, span, Time } from "../parts/time.tsx";
import { actionWords, incidentWords } from "../words/incidents.ts";

const REFRESH_MS = 15_000;

export function Incidents({ health }: { readonly health: Health | undefined }) {
  const { data, failure, reload } = useResource<{ incidents: readonly IncidentAnswer[] }>("/api/incidents", REFRESH_MS);
  const actionsOf = (kind: string) =>
    data?.incidents.find((one) => one.kind === kind && one.until === undefined)?.actions;
  const ended = data?.incidents.filter(({ until }) => until !== undefined) ?? [];
  return (
    <>
      <section id="incidents" aria-label="Incidents">
        <h2>Open incidents</h2>
        {!health && <Skeleton lines={3} />}
        {health?.incidents.length === 0 && (
          <p class="quiet">None. If something goes wrong, it is described here with what to do.</p>
        )}
        <ul class="plain stack">
          {health?.incidents.map((incident) => (
            <li key={incident.kind}>
              <IncidentCard incident={incident} actions={actionsOf(incident.kind) ?? []} />
            </li>
          ))}
        </ul>
      </section>
      <Failure failure={failure} what="The earlier incidents could not be loaded" onRetry={() => void reload()} />
      {ended.length > 0 && <Ended incidents={ended} />}
    </>
  );
}

type Actions = IncidentAnswer["actions"];

/** What operators did about an incident. */
function Actions({ actions }: { readonly actions: Actions }) {
  if (actions.length === 0) return null;
  return (
    <ul class="plain quiet">
      {actions.map(({ action, by, at, target }) => (
        <li key={`${at} ${target.id}`}>
          <Time at={at} />: <OutsideText text={by} /> {actionWords(action)}
          {target.type === "replay" && (
            <>
              {" "}
              <a href={addressOf(`/replays/${target.id}`)}>{target.id}</a>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function Ended({ incidents }: { readonly incidents: readonly IncidentAnswer[] }) {
  return (
    <details class="card">
      <summary>
        {incidents.length === 1 ? "1 incident" : `${incidents.length} incidents`} ended in the last 30 days
      </summary>
      <ul class="plain stack">
        {incidents.map(({ kind, since, until = since, detail, actions }) => (
          <li key={`${kind} ${since}`}>
            <strong>{incidentWords(kind).title}</strong>{" "}
            <span class="quiet">
              <Time at={since} /> to <Time at={until} /> ({span(Date.parse(until) - Date.parse(since))}) ·{" "}
              <OutsideText text={detail} />
            </span>
            <Actions actions={actions} />
          </li>
        ))}
      </ul>
    </details>
  );
}

interface IncidentCardProps {
  readonly incident: OpenIncident;
  readonly actions: Actions;
}

function IncidentCard({ incident: { kind, detail, since }, actions }: IncidentCardProps) {
  const { title, means, steps, deadLetters } = incidentWords(kind);
  return (
    <article class="card incident">
      <h3>{title}</h3>
      <p class="quiet">
        <code>{kind}</code> · since <Time at={since} />, for {ago(since)}
      </p>
      <p>{means}</p>
      <p class="quiet">
        Detail: <OutsideText text={detail} />
      </p>
      <h4>What to do</h4>
      <ol>
        {steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <Actions actions={actions} />
      {deadLetters !== undefined && (
        <p>
          <a class="button" href={`${addressOf("/dead-letters")}?${deadLetters}`}>
            See what failed
          </a>
        </p>
      )}
    </article>
  );
}

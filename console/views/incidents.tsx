/** The open incidents: what each means and what to do. */
import type { Health, OpenIncident } from "../api/answers.ts";
import { addressOf } from "../location.ts";
import { Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { ago, Time } from "../parts/time.tsx";
import { incidentWords } from "../words/incidents.ts";

export function Incidents({ health }: { readonly health: Health | undefined }) {
  return (
    <section id="incidents" aria-label="Incidents">
      <h2>Open incidents</h2>
      {!health && <Skeleton lines={3} />}
      {health?.incidents.length === 0 && (
        <p class="quiet">None. If something goes wrong, it is described here with what to do.</p>
      )}
      <ul class="plain stack">
        {health?.incidents.map((incident) => (
          <li key={incident.kind}>
            <IncidentCard incident={incident} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function IncidentCard({ incident: { kind, detail, since } }: { readonly incident: OpenIncident }) {
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

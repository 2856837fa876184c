/** Evidence: proves that nobody changed delivered events afterwards, if it is switched on. */
import { useEffect, useState } from "preact/hooks";
import { type ApiFailure, failureOf } from "../api/client.ts";
import { type Evidence, loadEvidence } from "../api/evidence.ts";
import { Empty, Failure, Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { Time } from "../parts/time.tsx";
import { View } from "../parts/view.tsx";
import { useHealth } from "../shell.tsx";
import { count } from "../words/metrics.ts";

export function EvidenceView() {
  const { data: health } = useHealth();
  const [evidence, setEvidence] = useState<Evidence | null>();
  const [failure, setFailure] = useState<ApiFailure>();
  const isOff = health?.evidence.state === "off";
  const load = async () => {
    setFailure(undefined);
    await loadEvidence().then(setEvidence, (error: unknown) => setFailure(failureOf(error)));
  };
  useEffect(() => void load(), []);
  return (
    <View title="Evidence">
      <Failure failure={failure} what="The evidence could not be loaded" onRetry={() => void load()} />
      {(evidence === undefined || !health) && !failure && <Skeleton lines={6} />}
      {isOff && <Off />}
      {health && !isOff && evidence === null && <Waiting detail={health.evidence.detail} />}
      {evidence && <On evidence={evidence} />}
    </View>
  );
}

function Waiting({ detail }: { readonly detail: string | undefined }) {
  return (
    <Empty title="Nothing is sealed yet.">
      <p>{detail ?? "Evidence is switched on. The first digest is sealed at the next quarter of an hour."}</p>
    </Empty>
  );
}

function Off() {
  return (
    <section class="card" aria-label="Switched off">
      <p class="lead">Evidence is switched off.</p>
      <p>
        With evidence, the worker signs every quarter of an hour what it delivered. An auditor can then check, without
        trusting you, that no event was removed, changed or added afterwards.
      </p>
      <h2>Switch it on</h2>
      <ol>
        <li>
          In a clone of the repository, run <code>npm run deploy -- --env production --evidence</code>. It creates the
          bucket and the key.
        </li>
        <li>
          Commit <code>audit-evidence.pub</code>, which it writes, and give it to your auditors.
        </li>
      </ol>
      <p class="quiet">It costs nothing per event, and it can neither delay nor fail a delivery.</p>
    </section>
  );
}

function On({ evidence: { origin, size, root, digests, missing } }: { readonly evidence: Evidence }) {
  return (
    <>
      <section class="card" aria-label="Last checkpoint">
        <h2>Last checkpoint</h2>
        <dl class="record">
          <div>
            <dt>Log</dt>
            <dd>
              <OutsideText text={origin} />
            </dd>
          </div>
          <div>
            <dt>Digests</dt>
            <dd>{count(size)}</dd>
          </div>
          <div>
            <dt>Root</dt>
            <dd class="mono">
              <OutsideText text={root} />
            </dd>
          </div>
        </dl>
      </section>
      <section class="card" aria-label="Gaps">
        <h2>Gaps</h2>
        <p>
          {missing === 0
            ? "In the digests below, no number of a gateway isolate is missing."
            : `In the digests below, ${count(missing)} numbers of gateway isolates are missing. Run audit-forwarder verify to see which.`}
        </p>
      </section>
      <section aria-label="Newest digests">
        <h2>Newest digests</h2>
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">Number</th>
              <th scope="col">From</th>
              <th scope="col">Until</th>
              <th scope="col">Events</th>
              <th scope="col">Missing</th>
            </tr>
          </thead>
          <tbody>
            {digests.map((digest) => (
              <tr key={digest.number}>
                <td data-label="Number">{digest.number}</td>
                <td data-label="From" class="time">
                  <Time at={digest.from} />
                </td>
                <td data-label="Until" class="time">
                  <Time at={digest.until} />
                </td>
                <td data-label="Events">{count(digest.events)}</td>
                <td data-label="Missing">{count(digest.missing)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

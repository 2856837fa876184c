/** Compares the acknowledged records with how they ended. Pure. */

interface Findings {
  /** Event ids for which a publish or a spill was answered with 2xx. */
  readonly acknowledged: ReadonlySet<string>;
  /** `metadata.event_id` of each event that WorkOS stored, in the order of storing. */
  readonly stored: readonly string[];
  /** Event ids of the open dead letters. */
  readonly deadLetters: readonly string[];
}

export interface Verdict {
  readonly ok: boolean;
  readonly acknowledged: number;
  /** Acknowledged records that ended as one event, and those that ended as one dead letter. */
  readonly delivered: number;
  readonly parked: number;
  /** Neither event nor dead letter. */
  readonly missing: readonly string[];
  /** More than one event with the same id. */
  readonly twice: readonly string[];
  /** An event and an open dead letter. */
  readonly both: readonly string[];
  /** Late outcomes: second events that correct a first one. */
  readonly corrections: number;
  /** Late outcomes without the event that they correct. */
  readonly orphans: readonly string[];
  /** Events that WorkOS holds although the gateway never saw an acknowledgement. They are allowed. */
  readonly unacknowledged: number;
}

const OUTCOME_SUFFIX = ":outcome";

/** Judges a drill: every acknowledged record must end as one event or one dead letter, and no event may exist twice. */
export function judge({ acknowledged, stored, deadLetters }: Findings): Verdict {
  const counts = new Map<string, number>();
  for (const id of stored) counts.set(id, (counts.get(id) ?? 0) + 1);
  const parked = new Set(deadLetters);
  const late = [...counts.keys()].filter((id) => id.endsWith(OUTCOME_SUFFIX));
  const missing = [...acknowledged].filter((id) => !counts.has(id) && !parked.has(id));
  const twice = [...counts].filter(([, count]) => count > 1).map(([id]) => id);
  const both = [...parked].filter((id) => counts.has(id));
  const orphans = late.filter((id) => {
    const corrected = id.slice(0, -OUTCOME_SUFFIX.length);
    return !counts.has(corrected) && !parked.has(corrected);
  });
  return {
    ok: [missing, twice, both, orphans].every((ids) => ids.length === 0),
    acknowledged: acknowledged.size,
    delivered: [...acknowledged].filter((id) => counts.has(id)).length,
    parked: [...acknowledged].filter((id) => parked.has(id) && !counts.has(id)).length,
    missing,
    twice,
    both,
    corrections: late.length,
    orphans,
    unacknowledged: [...counts.keys()].filter((id) => !id.endsWith(OUTCOME_SUFFIX) && !acknowledged.has(id)).length,
  };
}

/** The QStash regions that match a Cloudflare jurisdiction. Pure. */

export const JURISDICTIONS = ["eu", "fedramp"] as const;
export type Jurisdiction = (typeof JURISDICTIONS)[number];

/** QStash has two regions. Its address without a region is the European one. https://upstash.com/docs/qstash/howto/multi-region */
const QUEUE_LABELS: Readonly<Record<Jurisdiction, readonly [label: string, ...others: string[]]>> = {
  eu: ["qstash-eu-central-1", "qstash"],
  fedramp: ["qstash-us-east-1"],
};

/** The queue's URL for a new deployment in this jurisdiction. */
export function queueUrl(jurisdiction: Jurisdiction): string {
  return `https://${QUEUE_LABELS[jurisdiction][0]}.upstash.io`;
}

/**
 * Says that QStash's URL belongs to another Upstash region; undefined if it fits, or is not Upstash's. Wrangler may have truncated
 * the URL.
 */
export function queueRegionFault(jurisdiction: string | undefined, url: string | undefined): string | undefined {
  const wanted = JURISDICTIONS.find((name) => name === jurisdiction);
  const label = /^https:\/\/(qstash(?:-[a-z0-9-]+)?)\.ups/i.exec(url ?? "")?.[1]?.toLowerCase();
  if (wanted === undefined || label === undefined || QUEUE_LABELS[wanted].includes(label)) return undefined;
  return `"AUDIT_JURISDICTION" is "${wanted}", but "QSTASH_URL" is of another region; the one that fits is ${queueUrl(wanted)}`;
}

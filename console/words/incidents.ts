/** What each incident means and what to do, with the same words as docs/operations.md. */

interface IncidentWords {
  readonly title: string;
  readonly means: string;
  readonly steps: readonly string[];
  /** The query of the dead letters that belong to it. */
  readonly deadLetters?: string;
}

const ALL_WORDS: Readonly<Record<string, IncidentWords>> = {
  paused: {
    title: "Delivery is paused",
    means: "Nothing goes to WorkOS. Messages wait in QStash and use up no attempts. Nothing is lost.",
    steps: [
      "If WorkOS refuses the API key, create a new one in WorkOS's dashboard and set it as WORKOS_API_KEY of the worker.",
      "Resume delivery. If the key is still wrong, delivery pauses again within about a second. Trying loses nothing.",
    ],
  },
  destination_down: {
    title: "WorkOS is down",
    means:
      "The worker has paused delivery and sends one of the waiting events every one to ten minutes. When WorkOS accepts it, delivery continues by itself.",
    steps: ["Do nothing. WorkOS's status page (status.workos.com) may tell you more."],
  },
  dead_letters_rejected: {
    title: "WorkOS rejected events for good",
    means:
      "WorkOS answered 400, 404, 413 or 422 and stored nothing. It would reject the same event again. Other events are not affected.",
    steps: [
      "Find the reason and fix the cause.",
      "Plan a replay, with changes to the events if they need any, and send it.",
    ],
    deadLetters: "class=rejected",
  },
  dead_letters_exhausted: {
    title: "All attempts of some records failed",
    means: "Every attempt failed over about 20 hours, although WorkOS accepted other events.",
    steps: ["Check that WorkOS answers again.", "Plan a replay. The plan counts the events that could be duplicated."],
    deadLetters: "class=exhausted",
  },
  dead_letters_credential: {
    title: "The API key was wrong at the last attempt",
    means: "At the last attempt of these records, WorkOS refused the API key, or the wrong key had paused delivery.",
    steps: ["Give the worker a valid WORKOS_API_KEY.", "Resume delivery, then plan a replay."],
    deadLetters: "class=credential",
  },
  dead_letters_unreadable: {
    title: "A message could not be decoded",
    means:
      "Either the policy and the worker do not match, or someone else sent the bytes. The worker keeps them unchanged.",
    steps: [
      "If a newer worker can read them, deploy it and replay.",
      "If your policy did not send them, find out who has QSTASH_TOKEN, change it, and discard the dead letter.",
    ],
    deadLetters: "class=unreadable",
  },
  undelivered_too_long: {
    title: "A record waits for more than 15 minutes",
    means:
      "The worker has tried and WorkOS did not accept it yet. Usually WorkOS is slow or answers 5xx or 429. Retries continue by themselves.",
    steps: ["Look at the charts of retried events, and at WorkOS's status page (status.workos.com)."],
  },
  outbox_waits_too_long: {
    title: "Spilled messages wait for QStash",
    means:
      "Messages that the gateway spilled to the worker have waited for more than 15 minutes. They are on disk, and the worker publishes them as soon as QStash answers.",
    steps: ["Check Upstash's status page (status.upstash.com)."],
  },
  queue_unreachable: {
    title: "The worker cannot reach QStash",
    means:
      "QStash does not answer the worker, or refuses its requests. The gateway usually spills to the worker's outbox meanwhile.",
    steps: [
      "Check Upstash's status page (status.upstash.com).",
      "If the reason is http_401, QSTASH_TOKEN of the worker is wrong: set it. The outbox then empties by itself.",
    ],
  },
  ledger_unreachable: {
    title: "The worker's storage does not answer",
    means: "The worker sends nothing to WorkOS without its ledger, and asks QStash to retry.",
    steps: ["Check Cloudflare's status page (cloudflarestatus.com). The incident ends by itself."],
  },
  newer_message: {
    title: "The gateway's policy is newer than the worker",
    means: "The worker asks QStash to retry the messages that it cannot read yet, for about 20 hours.",
    steps: ["Deploy the worker of the same version as the gateway."],
  },
  not_configured: {
    title: "The worker is not configured",
    means:
      "A variable is missing or malformed. Nothing is delivered, and QStash retries until its attempts are used up.",
    steps: ["Set the variables that the detail names."],
  },
  deliveries_refused: {
    title: "The worker refuses calls that look like QStash's",
    means: "QStash retries refused messages for about 20 hours. Fix the cause within that time, and nothing is lost.",
    steps: [
      "key: QStash's signing keys were rolled. Set the new ones.",
      "url: the gateway publishes to another URL than AUDIT_WORKER_URL. Set that URL, or add the old one to AUDIT_WORKER_URL_PREVIOUS.",
      "clock: nothing for a single call. If it continues, tell Cloudflare's or Upstash's support.",
      "body: find the Cloudflare rule or proxy in front of the worker that changes the body.",
    ],
  },
  requests_refused: {
    title: "Many requests had a wrong token",
    means: "Within a minute, 20 requests had a wrong access token. Someone is guessing, or a script uses an old token.",
    steps: ["Find the script, or rotate the token and put Cloudflare Access in front of the worker."],
  },
  operator_events_refused: {
    title: "WorkOS refuses the events about operators",
    means: "Your actions here are no longer recorded in WorkOS. Your API's own events are not affected.",
    steps: [
      "Check that AUDIT_ORGANIZATION_ID names an organization of this WorkOS environment.",
      "Register the schemas with audit-forwarder schemas push.",
    ],
  },
  foreign_messages: {
    title: "QStash holds messages for another URL",
    means:
      "Its dead-letter queue has messages with this system's label that are not for this worker. Usually the worker's URL has changed.",
    steps: [
      "If the URL was this worker's, add it to AUDIT_WORKER_URL_PREVIOUS. If it is another environment's, do nothing.",
    ],
  },
  sweep_failing: {
    title: "QStash's dead-letter queue cannot be read",
    means: "Three sweeps in a row failed. Failure callbacks still arrive, but nothing replaces a lost one.",
    steps: [
      "Check Upstash's status page (status.upstash.com). On small plans, QStash keeps its entries for 3 to 7 days.",
    ],
  },
  evidence_not_sealed: {
    title: "The evidence is not sealed",
    means: "What was delivered is not sealed into the evidence yet. Deliveries go on and nothing is lost.",
    steps: [
      "If the detail names a variable, set it. Use the key that signed before, or auditors cannot check the log.",
      "Otherwise check Cloudflare's status page (cloudflarestatus.com) for R2. Sealing then catches up by itself.",
    ],
  },
  anchor_failing: {
    title: "A checkpoint could not be anchored",
    means:
      "A service outside has not accepted the newest checkpoint of the evidence. Deliveries and sealing go on, and the worker tries again.",
    steps: [
      "The detail names the anchor. Check AUDIT_TSA_URL, AUDIT_ANCHOR_URL or AUDIT_ORGANIZATION_ID, and whether that service answers.",
    ],
  },
  gateway_silent: {
    title: "The gateway sends no records",
    means: "The worker called AUDIT_PROBE_URL twice, five minutes apart, and received no record of it.",
    steps: [
      "Call the route yourself. If it does not answer, the gateway is down. If it answers, read the gateway's log.",
    ],
  },
  queue_backlog: {
    title: "Many messages wait at QStash",
    means: "More than 10,000 messages wait, although delivery is not paused: events arrive faster than AUDIT_RATE.",
    steps: [
      "Do nothing if it is a burst. If it lasts, ask WorkOS for a higher limit, or exempt operations that nobody needs.",
    ],
  },
  storage_nearly_full: {
    title: "Storage is nearly full",
    means: "A database of the worker uses more than 70 % of its 10 GB. The detail names it.",
    steps: ["If it is the archive, replay or discard dead letters. If it is a ledger shard, audit fewer routes."],
  },
};

/** Describes an incident; an unknown one is named by its kind. */
export function incidentWords(kind: string): IncidentWords {
  return (
    ALL_WORDS[kind] ?? {
      title: kind.replaceAll("_", " "),
      means: "This console is older than the worker and does not know this incident.",
      steps: ["Look for its name in the runbook (docs/operations.md)."],
    }
  );
}

const ACTIONS: Readonly<Record<string, string>> = {
  replay_started: "started replay",
  replay_paused: "paused replay",
  replay_resumed: "resumed replay",
  replay_cancelled: "cancelled replay",
  dead_letter_discarded: "discarded a dead letter",
  dead_letters_discarded: "discarded dead letters",
  dead_letters_revealed: "revealed a dead letter",
  dead_letters_exported: "exported dead letters",
  dead_letters_imported: "imported dead letters",
  delivery_paused: "paused delivery",
  delivery_resumed: "resumed delivery",
};

/** Describes what an operator did, by the action of its event. */
export function actionWords(action: string): string {
  const name = action.replace("audit_forwarder.", "");
  return ACTIONS[name] ?? name.replaceAll("_", " ");
}

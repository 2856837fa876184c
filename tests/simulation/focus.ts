/** What runs look for: each focus lets a few kinds of trouble meet more often than a run of everything would. */
import { LINK_TROUBLES, QUEUE_TROUBLES, type Spell, WORKOS_TROUBLES } from "./chaos.ts";
import type { ApiRequest } from "./gateway.ts";

const OPERATOR_ACTIONS = [
  "pause_and_resume",
  "replay_all",
  "replay_some",
  "replay_accepting",
  "replay_mended",
  "replay_cancelled",
  "discard",
  "queue_retry",
  "dry_run",
] as const;
const MACHINE_ACTIONS = [
  "kill_gateway",
  "kill_worker",
  "kill_object",
  "deploy_worker",
  "rotate_queue_keys",
  "rotate_ingest_key",
  "wrong_credential",
  "mend_schema",
] as const;
export type ActionName = (typeof OPERATOR_ACTIONS)[number] | (typeof MACHINE_ACTIONS)[number];

type SpellKind = readonly [target: Spell["target"], kind: string];

/** What a run looks for: rare things meet more often where the rest of the world is quiet. */
export interface Focus {
  readonly spells: readonly SpellKind[];
  readonly actions: readonly ActionName[];
  readonly assurances: readonly ApiRequest["assurance"][];
  /** Chances. */
  readonly poison: number;
  readonly slow: number;
  /** How long a slow handler takes, in ms; an intent waits for two minutes. */
  readonly slowMs: readonly [min: number, max: number];
  readonly neighbour: number;
  readonly longOutage: number;
  /** Requests come one after another, every few seconds, and at first neither path takes their records. */
  readonly noWayOut?: boolean;
}

const ANY_LINK = LINK_TROUBLES.flatMap((kind): SpellKind[] => [
  ["workos", kind],
  ["workos", kind],
  ["queue", kind],
  ["worker", kind],
]);
const ANY_SPELL: readonly SpellKind[] = [
  ...ANY_LINK,
  ...WORKOS_TROUBLES.map((kind): SpellKind => ["workos", kind]),
  ...QUEUE_TROUBLES.map((kind): SpellKind => ["queue", kind]),
  ...["ledger", "archive", "outbox", "monitor", ""].map((kind): SpellKind => ["rpc", kind]),
  ["crash", ""],
  ["crash", ""],
];
const ANYTHING: Focus = {
  spells: ANY_SPELL,
  actions: [...OPERATOR_ACTIONS, ...OPERATOR_ACTIONS, ...MACHINE_ACTIONS],
  assurances: ["best-effort", "best-effort", "durable", "required"],
  poison: 0.12,
  slow: 0.1,
  slowMs: [1_000, 400_000],
  neighbour: 0.2,
  longOutage: 0.05,
};
export const FOCUSES: readonly Focus[] = [
  ANYTHING,
  // Several records of one event id.
  {
    ...ANYTHING,
    spells: [
      ...["429", "429_later", "503", "stored_500"].map((kind): SpellKind => ["workos", kind]),
      ["worker", "reset"],
      ["rpc", "archive"],
      ["rpc", "archive"],
    ],
    assurances: ["required"],
    poison: 0.3,
    slow: 0.5,
    slowMs: [100_000, 250_000],
    neighbour: 0.5,
  },
  // One record by both paths.
  {
    ...ANYTHING,
    spells: [
      ["queue", "answer_reset"],
      ["queue", "answer_hang"],
      ["worker", "answer_reset"],
      ["crash", ""],
      ["rpc", "outbox"],
    ],
  },
  // Refusals, mended and replayed.
  {
    ...ANYTHING,
    spells: [
      ["rpc", "archive"],
      ["rpc", "ledger"],
      ["crash", ""],
      ["workos", "429"],
    ],
    actions: [...OPERATOR_ACTIONS, "mend_schema"],
    poison: 0.5,
  },
  // Events of which nobody knows whether they were stored.
  {
    ...ANYTHING,
    spells: ["stored_500", "html", "success_false", "409", "answer_reset", "answer_hang", "late"].map(
      (kind): SpellKind => ["workos", kind],
    ),
    actions: [
      "queue_retry",
      "queue_retry",
      "replay_all",
      "replay_some",
      "replay_accepting",
      "kill_worker",
      "rotate_queue_keys",
    ],
  },
  // Lives that end early.
  {
    ...ANYTHING,
    spells: [
      ["crash", ""],
      ["crash", ""],
      ["rpc", ""],
      ["rpc", "ledger"],
    ],
    actions: ["kill_gateway", "kill_gateway", "kill_worker", "kill_object", "deploy_worker", "replay_all"],
  },
  { ...ANYTHING, longOutage: 1 },
  // Nothing takes a record for a while.
  {
    ...ANYTHING,
    spells: ["reset", "hang"].flatMap((kind): SpellKind[] => [
      ["queue", kind],
      ["worker", kind],
    ]),
    assurances: ["best-effort", "durable"],
    noWayOut: true,
  },
];

import * as z from "zod";

/** Groups of QStash routes that a fault can be set for. */
const FAULT_GROUPS = ["publish", "listing", "dlq", "messages", "flow_control", "all"] as const;
export type FaultGroup = (typeof FAULT_GROUPS)[number];

const when = z.enum(["before", "after"]);

/** One fault; it holds for the next `times` requests, or until it is taken back. `before` and `after` mean the commit. */
const faultSchema = z.strictObject({
  times: z.int().min(1).optional(),
  delay_ms: z.int().min(0).optional(),
  status: z.int().min(200).max(599).optional(),
  /** Answers 200 with an HTML page, as a captive proxy does. */
  html: z.literal(true).optional(),
  /** Never answers. */
  hang: when.optional(),
  /** Breaks the connection off. */
  reset: when.optional(),
});
export type Fault = z.infer<typeof faultSchema>;

const count = z.union([z.literal(true), z.int().min(0)]);

/** What can be made to go wrong; a group or number that is not named stays as it is, and null takes it back. */
export const faultsSchema = z.strictObject({
  ...(Object.fromEntries(FAULT_GROUPS.map((group) => [group, faultSchema.nullable().optional()])) as Record<
    FaultGroup,
    z.ZodOptional<z.ZodNullable<typeof faultSchema>>
  >),
  /** Failure callbacks that are never made: a number of them, or true for all from now on. */
  drop_failure_callbacks: count.nullable().optional(),
  /** Attempts whose outcome is lost, so that the message is delivered again. */
  forget_outcomes: count.nullable().optional(),
});
export type Faults = z.input<typeof faultsSchema>;

export interface FaultBoard {
  set(faults: Faults): void;
  clear(): void;
  current(): Faults;
  /** The fault for a request of this group, used up by one. */
  take(group: FaultGroup | undefined): Fault | undefined;
  dropFailureCallback(): boolean;
  forgetOutcome(): boolean;
}

/** Holds the faults that are set now; a fault with `times` is used up by the requests it meets. */
export function createFaultBoard(): FaultBoard {
  let faults: Faults = {};

  const useUp = (name: "drop_failure_callbacks" | "forget_outcomes"): boolean => {
    const left = faults[name];
    if (left === true) return true;
    if (!left) return false;
    faults[name] = left - 1;
    return true;
  };

  return {
    set(changes) {
      for (const [name, value] of Object.entries(faultsSchema.parse(changes))) {
        if (value === null) delete faults[name as keyof Faults];
        else Object.assign(faults, { [name]: value });
      }
    },
    clear: () => void (faults = {}),
    current: () => structuredClone(faults),
    take(group) {
      if (group === undefined) return undefined;
      const name = faults[group] ? group : "all";
      const fault = faults[name];
      if (!fault) return undefined;
      if (fault.times !== undefined) {
        if (fault.times <= 1) delete faults[name];
        else faults[name] = { ...fault, times: fault.times - 1 };
      }
      return fault;
    },
    dropFailureCallback: () => useUp("drop_failure_callbacks"),
    forgetOutcome: () => useUp("forget_outcomes"),
  };
}

import * as z from "zod";

/** Groups of QStash routes that can have a fault. */
const FAULT_GROUPS = ["publish", "listing", "dlq", "messages", "flow_control", "all"] as const;
export type FaultGroup = (typeof FAULT_GROUPS)[number];

const when = z.enum(["before", "after"]);

/** One fault; it applies to the next `times` requests, or until it is removed. `before` and `after` refer to the commit. */
const faultSchema = z.strictObject({
  times: z.int().min(1).optional(),
  delay_ms: z.int().min(0).optional(),
  status: z.int().min(200).max(599).optional(),
  /** Answers 200 with an HTML page, as a captive proxy does. */
  html: z.literal(true).optional(),
  /** Never answers. */
  hang: when.optional(),
  /** Resets the connection. */
  reset: when.optional(),
});
export type Fault = z.infer<typeof faultSchema>;

const count = z.union([z.literal(true), z.int().min(0)]);

/** The faults to set; a group or number that is not named stays unchanged, and null removes it. */
export const faultsSchema = z.strictObject({
  ...(Object.fromEntries(FAULT_GROUPS.map((group) => [group, faultSchema.nullable().optional()])) as Record<
    FaultGroup,
    z.ZodOptional<z.ZodNullable<typeof faultSchema>>
  >),
  /** Failure callbacks to drop: a number of them, or true for all from now on. */
  drop_failure_callbacks: count.nullable().optional(),
  /** Attempts whose result is lost, so that the message is delivered again. */
  forget_outcomes: count.nullable().optional(),
});
export type Faults = z.input<typeof faultsSchema>;

export interface FaultBoard {
  set(faults: Faults): void;
  clear(): void;
  current(): Faults;
  /** Returns the fault for a request of this group, and counts the request. */
  take(group: FaultGroup | undefined): Fault | undefined;
  dropFailureCallback(): boolean;
  forgetOutcome(): boolean;
}

/** Holds the current faults; a fault with `times` is used up by its requests. */
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

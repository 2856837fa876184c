/** The changes that a replay makes to its events, as a person fills them in, and the part of the request for them. Pure. */

/** The fields whose values can be replaced, as the API names them. */
export const REPLACED_FIELDS = [
  { field: "action", label: "Action" },
  { field: "organization", label: "Organization" },
  { field: "actor.type", label: "Actor type" },
  { field: "targets.type", label: "Target type" },
] as const;

export interface Replacement {
  /** Tells the rows of the form apart. */
  readonly key: number;
  readonly field: (typeof REPLACED_FIELDS)[number]["field"];
  readonly from: string;
  readonly to: string;
}

export interface MendForm {
  readonly action: string;
  readonly organization: string;
  /** Paths, separated by commas. */
  readonly drop: string;
  readonly replacements: readonly Replacement[];
  readonly name: string;
  readonly rate: string;
  readonly acceptDuplicates: boolean;
}

export const EMPTY_MEND_FORM: MendForm = {
  action: "",
  organization: "",
  drop: "",
  replacements: [],
  name: "",
  rate: "",
  acceptDuplicates: false,
};

/** Another row for the form. */
export function newReplacement(rows: readonly Replacement[]): Replacement {
  return { key: 1 + Math.max(0, ...rows.map(({ key }) => key)), field: "action", from: "", to: "" };
}

/** What is wrong with the replacements, in a sentence; the API cannot say it, as it sees no rows. */
export function replacementProblem(rows: readonly Replacement[]): string | undefined {
  const seen = new Set<string>();
  for (const { field, from, to } of rows.filter(isFilled)) {
    if (from === "" || to.trim() === "") return "A replacement needs both the old and the new value.";
    const pair = JSON.stringify([field, from]);
    if (seen.has(pair)) return `Two replacements have the old value "${from}". Remove one of them.`;
    seen.add(pair);
  }
  return undefined;
}

/** The part of a plan request that describes the changes; empty fields are left out. */
export function mendBody({ action, organization, drop, replacements, name, rate, acceptDuplicates }: MendForm) {
  const set = { ...(action && { action: action.trim() }), ...(organization && { organization: organization.trim() }) };
  const paths = drop.split(/[\s,]+/).filter((path) => path !== "");
  const map = mapOf(replacements.filter(isFilled));
  return {
    ...(Object.keys(set).length > 0 && { set }),
    ...(paths.length > 0 && { drop: paths }),
    ...(Object.keys(map).length > 0 && { map }),
    ...(name.trim() && { name: name.trim() }),
    ...(rate.trim() && { rate: Number(rate) }),
    ...(acceptDuplicates && { accept_duplicates: true }),
  };
}

function isFilled({ from, to }: Replacement): boolean {
  return from !== "" || to.trim() !== "";
}

/** Maps old values to new ones, by field. Old values are not trimmed, because a blank may be the mistake to fix. */
function mapOf(rows: readonly Replacement[]): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const fields = new Set(rows.map(({ field }) => field));
  return Object.fromEntries(
    [...fields].map((field) => [
      field,
      Object.fromEntries(rows.filter((row) => row.field === field).map(({ from, to }) => [from, to.trim()])),
    ]),
  );
}

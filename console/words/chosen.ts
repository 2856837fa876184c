/** The selected rows: some rows, or all matches, including those not loaded. */
export type Chosen = { readonly ids: ReadonlySet<string> } | "all";

export const NONE_CHOSEN: Chosen = { ids: new Set() };

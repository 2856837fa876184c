/** The rows that are chosen: some of them, or all that match, also those that are not loaded. */
export type Chosen = { readonly ids: ReadonlySet<string> } | "all";

export const NONE_CHOSEN: Chosen = { ids: new Set() };

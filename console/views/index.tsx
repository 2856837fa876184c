/** Which view an address names. */
import type { ComponentChild } from "preact";
import type { Place } from "../location.ts";
import { Unknown } from "./unknown.tsx";
import { Overview } from "./overview.tsx";

type Show = (place: Place, parameter: string) => ComponentChild;

/** The views by the pattern of their path; what the pattern captures is the view's parameter. */
const VIEWS: readonly (readonly [RegExp, Show])[] = [[/^$/, ({ query }) => <Overview query={query} />]];

/** The view of an address; an address that names none says so. */
export function viewOf(place: Place): ComponentChild {
  for (const [pattern, show] of VIEWS) {
    const match = pattern.exec(place.path);
    if (match) return show(place, match[1] ?? "");
  }
  return <Unknown />;
}

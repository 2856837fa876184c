/** Maps an address to a view. */
import type { ComponentChild } from "preact";
import type { Place } from "../location.ts";
import { DeadLetters } from "./dead-letters.tsx";
import { EvidenceView } from "./evidence.tsx";
import { Overview } from "./overview.tsx";
import { RecordView } from "./record.tsx";
import { ReplayView } from "./replay.tsx";
import { Replays } from "./replays.tsx";
import { Search } from "./search.tsx";
import { Unknown } from "./unknown.tsx";

type Show = (place: Place, parameter: string) => ComponentChild;

/** The views by path pattern; the part that the pattern captures is the view's parameter. */
const VIEWS: readonly (readonly [RegExp, Show])[] = [
  [/^$/, ({ query }) => <Overview query={query} />],
  [/^\/dead-letters$/, ({ query }) => <DeadLetters query={query} />],
  [/^\/events\/([^/]+)$/, (_, id) => <RecordView key={id} eventId={id} />],
  [/^\/search$/, ({ query }) => <Search key={query.toString()} wanted={query.get("q") ?? ""} />],
  [/^\/replays$/, () => <Replays />],
  [/^\/replays\/([^/]+)$/, (_, id) => <ReplayView key={id} id={id} />],
  [/^\/evidence$/, () => <EvidenceView />],
];

/** Returns the view of an address; an unknown address gets a view that says so. */
export function viewOf(place: Place): ComponentChild {
  for (const [pattern, show] of VIEWS) {
    const match = pattern.exec(place.path);
    const parameter = decoded(match?.[1]);
    if (match && parameter !== undefined) return show(place, parameter);
  }
  return <Unknown />;
}

/** Undefined for a malformed escape. */
function decoded(part = ""): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** What a preset reads of a request: one reading for each message in it. */
import type { Metadata, RequestOutcome } from "../../shared/record.ts";
import type { Seen } from "../selector.ts";

export interface Reading {
  /** What selectors see: in a batch, `$body` is the message and `$response.body` its answer. */
  readonly seen: Seen;
  /** Why the message leaves no record. */
  readonly skip?: string | undefined;
  readonly action: string;
  /** Absent: the route. An id that is missing is named in `missing`. */
  readonly target?: { readonly type: string; readonly id: string | undefined } | undefined;
  /** Absent: the status decides. */
  readonly outcome?: RequestOutcome | undefined;
  readonly metadata: Metadata;
  /** Metadata to be hashed: the text under its name. */
  readonly hashed?: Readonly<Record<string, string>> | undefined;
  readonly missing: readonly string[];
}

/** The result of a preset: one reading for each message in a request. */
import type { Metadata, RequestOutcome } from "../../shared/record.ts";
import type { Seen } from "../selector.ts";

export interface Reading {
  /** The input of selectors: in a batch, `$body` is the message and `$response.body` its answer. */
  readonly seen: Seen;
  /** Why the message leaves no record. */
  readonly skip?: string | undefined;
  readonly action: string;
  /** Absent: the route. A missing id is listed in `missing`. */
  readonly target?: { readonly type: string; readonly id: string | undefined } | undefined;
  /** Absent: the status decides. */
  readonly outcome?: RequestOutcome | undefined;
  readonly metadata: Metadata;
  /** Metadata to hash: the text by its name. */
  readonly hashed?: Readonly<Record<string, string>> | undefined;
  readonly missing: readonly string[];
}

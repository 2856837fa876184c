/** Parts of the parsers of queries and bodies. What they refuse is `invalid_request`, with the field in quotes. */
import * as z from "zod/mini";
// By its own name, because bundlers take the whole of `z.iso` along.
import { _isoDateTime } from "zod/v4/core";
import { AuditError } from "../../shared/errors.ts";

/** ISO 8601 with a zone; ms since the epoch. */
export const Time = z.pipe(
  _isoDateTime(z.ZodMiniISODateTime, { offset: true }),
  z.transform((text: string) => Date.parse(text)),
);
/** The size of a page, from 1. */
export function limitTo(max: number) {
  return z.optional(z.pipe(z.transform(Number), z.int().check(z.gte(1), z.lte(max))));
}
/** The parameters as an object; refuses one that is there twice. */
export function onceEach(search: URLSearchParams): Record<string, string> {
  const names = [...search.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`"${printable(twice)}" must be given at most once`);
  return Object.fromEntries(search);
}

/** The refusal of wrong use; `message` names the field in quotes. */
export function invalid(message: string): AuditError {
  return new AuditError("invalid_request", message);
}

/** A name from outside, short and without control characters or quotes. */
export function printable(name: string): string {
  return name.replaceAll(/[^ -~]|"/g, "?").slice(0, 40);
}

/** A path parameter as the caller meant it; undefined where its percent-encoding is wrong. */
export function decodedParameter(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

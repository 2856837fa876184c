/** Shared parts of the parsers of queries and bodies. They throw `invalid_request` with the field in quotes. */
import * as z from "zod/mini";
// Imported by name, because bundlers would include all of `z.iso`.
import { _isoDateTime } from "zod/v4/core";
import { AuditError } from "../../shared/errors.ts";
import { wholeNumber } from "../whole-number.ts";

/** An ISO 8601 time with a zone, parsed to ms since the epoch. */
export const Time = z.pipe(
  _isoDateTime(z.ZodMiniISODateTime, { offset: true }),
  z.transform((text: string) => Date.parse(text)),
);
/** The size of a page, from 1. */
export function limitTo(max: number) {
  return z.optional(z.pipe(z.transform(Number), wholeNumber.check(z.gte(1), z.lte(max))));
}
/** Returns the parameters as an object; refuses a repeated one. */
export function onceEach(search: URLSearchParams): Record<string, string> {
  const names = [...search.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`"${printable(twice)}" must be given at most once`);
  return Object.fromEntries(search);
}

/** Makes an `invalid_request` error; `message` names the field in quotes. */
export function invalid(message: string): AuditError {
  return new AuditError("invalid_request", message);
}

/** Makes a name from outside safe to print: short, without control characters or quotes. */
export function printable(name: string): string {
  return name.replaceAll(/[^ -~]|"/g, "?").slice(0, 40);
}

/** Decodes a path parameter; undefined if its percent-encoding is wrong. */
export function decodedParameter(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

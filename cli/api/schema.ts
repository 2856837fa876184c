/** Builds the parser of an answer from the API contract. */
import * as z from "zod";
import type { Field, Fields } from "../../shared/fields.ts";

const KINDS = {
  text: z.string(),
  number: z.number(),
  boolean: z.boolean(),
  time: z.string(),
  texts: z.array(z.string()),
  object: z.looseObject({}),
  list: z.array(z.looseObject({})),
} as const satisfies Record<Field["kind"], z.ZodType>;

/** Strings stay open: a newer worker may send a value that this CLI does not know. */
type Parser<T> = z.ZodType<T extends string ? string : T>;
type Shape<F extends Fields, N> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? (K extends N ? Parser<T> : z.ZodOptional<Parser<T>>) : never;
};

/**
 * Parses the fields of an answer. Only those in `needed` are required, because an older worker may send fewer. Unknown fields pass
 * through, because a newer one may send more.
 */
export function schemaOf<F extends Fields, N extends keyof F & string>(fields: F, needed: readonly N[]) {
  const shape = Object.entries(fields).map(([name, { kind }]) => {
    return [name, (needed as readonly string[]).includes(name) ? KINDS[kind] : z.optional(KINDS[kind])];
  });
  return z.looseObject(Object.fromEntries(shape) as Shape<F, N>);
}

/** Fields of an answer as data, with the TypeScript type that they describe. */

/** A value of an answer: `T` is its type in TypeScript, `kind` says how to parse and show it. */
export interface Field<T = unknown> {
  readonly kind: "text" | "number" | "boolean" | "time" | "texts" | "object" | "list";
  /** False if the field is left out when the worker does not know it. */
  readonly isAlways: boolean;
  /** One line for docs/api.md. */
  readonly about: string;
  readonly values?: readonly string[];
  /** Never set; carries the type. */
  readonly type?: T;
}
export type Fields = Readonly<Record<string, Field>>;

/** The answer that a list of fields describes. */
export type AnswerOf<F extends Fields> = {
  readonly [K in keyof F as F[K]["isAlways"] extends true ? K : never]: TypeOf<F[K]>;
} & {
  readonly [K in keyof F as F[K]["isAlways"] extends true ? never : K]?: TypeOf<F[K]>;
};
type TypeOf<F> = F extends Field<infer T> ? T : never;

type Required<T> = Field<T> & { readonly isAlways: true };
type Optional<T> = Field<T> & { readonly isAlways: false };

/** A field that is always there. */
export const required = <T>(kind: Field["kind"], about: string, values?: readonly string[]): Required<T> => ({
  kind,
  isAlways: true,
  about,
  ...(values ? { values } : {}),
});
/** A field that is left out if it is not known. */
export const optional = <T>(kind: Field["kind"], about: string, values?: readonly string[]): Optional<T> => ({
  kind,
  isAlways: false,
  about,
  ...(values ? { values } : {}),
});

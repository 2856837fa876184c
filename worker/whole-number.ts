/** A whole number in what comes from outside. */
import * as z from "zod/mini";

/** Not `z.int`, which brings the ranges of every number format with it: 400 bytes of the upload. */
export const wholeNumber = z.number().check(z.refine(Number.isSafeInteger));

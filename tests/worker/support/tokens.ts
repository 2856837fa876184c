/** The operators of the worker in its own runtime; `vitest.config.ts` gives it the hashes. */
import type { Role } from "../../../shared/access-tokens.ts";

interface TestOperator {
  readonly name: string;
  readonly role: Role;
  readonly token: string;
  readonly expires?: string;
}

export const OPERATORS = {
  ann: { name: "ann", role: "read", token: "token-of-ann-0000000000000" },
  bob: { name: "bob", role: "operate", token: "token-of-bob-0000000000000" },
  cleo: { name: "cleo", role: "admin", token: "token-of-cleo-000000000000", expires: "2099-12-31" },
  /** Whose token has expired. */
  dan: { name: "dan", role: "admin", token: "token-of-dan-0000000000000", expires: "2024-12-31" },
  /** Whose token is too short to be accepted. */
  eve: { name: "eve", role: "admin", token: "short-token-of-eve" },
} as const satisfies Readonly<Record<string, TestOperator>>;

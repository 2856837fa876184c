/** API keys: one that is accepted, and some that are known but lack the permission. */
import { ANSWERS, type Answer } from "./answers.ts";

export class Keys {
  readonly #initial: string;
  readonly #restricted = new Set<string>();
  #accepted: string;

  constructor(accepted: string) {
    this.#initial = accepted;
    this.#accepted = accepted;
  }

  get accepted(): string {
    return this.#accepted;
  }

  /** Accepts only this key from now on, like a rotation in the dashboard. */
  rotate(key: string): void {
    this.#accepted = key;
  }

  /** Makes a key known that may do nothing here: 403 instead of 401. */
  restrict(key: string): void {
    this.#restricted.add(key);
  }

  reset(): void {
    this.#accepted = this.#initial;
    this.#restricted.clear();
  }

  /** The refusal of an `Authorization` header, or undefined when it may pass. */
  refusal(authorization: string | undefined): Answer | undefined {
    const key = authorization?.startsWith("Bearer ") ? authorization.slice(7) : undefined;
    if (key !== undefined && this.#restricted.has(key)) return ANSWERS.forbidden;
    return key === this.#accepted ? undefined : ANSWERS.unauthorized;
  }
}

/** API keys: the accepted one, and known ones that lack the permission. */
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

  /** Accepts only this key from now on, as after a rotation in the dashboard. */
  rotate(key: string): void {
    this.#accepted = key;
  }

  /** Registers a key without permissions: it gets 403 instead of 401. */
  restrict(key: string): void {
    this.#restricted.add(key);
  }

  reset(): void {
    this.#accepted = this.#initial;
    this.#restricted.clear();
  }

  /** Returns the refusal of an `Authorization` header; undefined if it is accepted. */
  refusal(authorization: string | undefined): Answer | undefined {
    const key = authorization?.startsWith("Bearer ") ? authorization.slice(7) : undefined;
    if (key !== undefined && this.#restricted.has(key)) return ANSWERS.forbidden;
    return key === this.#accepted ? undefined : ANSWERS.unauthorized;
  }
}

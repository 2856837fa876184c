/** The existing organizations, and what WorkOS shows of them. */
type AuditLogState = "active" | "inactive" | "disabled";

export class Organizations {
  readonly #initial: readonly string[] | undefined;
  readonly #states = new Map<string, AuditLogState>();
  #known: Set<string> | undefined;

  /** `undefined` accepts any id. */
  constructor(known: readonly string[] | undefined) {
    this.#initial = known;
    this.#known = known && new Set(known);
  }

  has(id: string): boolean {
    return this.#known?.has(id) ?? true;
  }

  /** Replaces the list; undefined accepts any id. */
  set(known: readonly string[] | undefined): void {
    this.#known = known && new Set(known);
  }

  /** Sets the audit log state that the configuration endpoint shows; default active. */
  setState(id: string, state: AuditLogState): void {
    this.#states.set(id, state);
  }

  reset(): void {
    this.set(this.#initial);
    this.#states.clear();
  }

  /** `GET /organizations/{id}` (Organization). */
  show(id: string): object {
    const created = "2026-01-15T12:00:00.000Z";
    return {
      object: "organization",
      id,
      name: `Organization ${id}`,
      domains: [],
      metadata: {},
      external_id: null,
      created_at: created,
      updated_at: created,
    };
  }

  /** `GET /organizations/{id}/audit_log_configuration` (AuditLogConfiguration). */
  showConfiguration(id: string): object {
    return { organization_id: id, retention_period_in_days: 30, state: this.#states.get(id) ?? "active" };
  }
}

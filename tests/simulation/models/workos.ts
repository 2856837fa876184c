/**
 * A model of WorkOS's `POST /audit_logs/events`: stores an event once for each idempotency key within 24 h, and then repeats its
 * stored answer. What the documentation leaves open is drawn for each run.
 */
import type { VirtualTime } from "../../../bench/virtual-time.ts";
import type { HttpReply, HttpRequest } from "../network.ts";

const WINDOW_MS = 24 * 3_600_000;

export interface StoredEvent {
  readonly id: string;
  readonly key: string;
  readonly body: string;
  readonly atMs: number;
}

export interface ReceivedRequest extends StoredEvent {
  /** `repeated`: the key was known. `refused`: nothing was stored, and the answer says so. `failed`: nothing was stored. */
  readonly effect: "stored" | "repeated" | "refused" | "failed";
  readonly status: number;
}

/** What happens to one request instead of being stored and answered with 201; `after`: it was stored nevertheless. */
export interface Spoiled {
  readonly reply: HttpReply;
  readonly isStored: boolean;
}

interface WorkosPorts {
  readonly time: VirtualTime;
  readonly spoil: () => Spoiled | undefined;
  /** Whether a definite refusal is repeated under its key, as a literal reading of the documentation says. */
  readonly repeatsRefusals: boolean;
}

interface Remembered {
  readonly reply: HttpReply;
  readonly atMs: number;
}

export class Workos {
  readonly events: StoredEvent[] = [];
  readonly requests: ReceivedRequest[] = [];
  apiKey = "sk_live_1";
  /** Actions whose schema is wrong until somebody registers a new one. */
  readonly wrongSchemas = new Set<string>();
  readonly organizations = new Set(["org_1"]);
  readonly #remembered = new Map<string, Remembered>();
  readonly #ports: WorkosPorts;

  constructor(ports: WorkosPorts) {
    this.#ports = ports;
  }

  readonly serve = (request: HttpRequest): Promise<HttpReply> => {
    const { headers, body } = request;
    const key = headers["idempotency-key"] ?? "";
    const parsed = JSON.parse(body) as {
      organization_id: string;
      event: { action: string; metadata: { event_id: string } };
    };
    const received = { id: parsed.event.metadata.event_id, key, body, atMs: this.#ports.time.now() };
    const { effect, reply } = this.#handle(
      received,
      headers["authorization"],
      parsed.organization_id,
      parsed.event.action,
    );
    this.requests.push({ ...received, effect, status: reply.status });
    return Promise.resolve(reply);
  };

  #handle(
    received: StoredEvent,
    authorization: string | undefined,
    organization: string,
    action: string,
  ): { readonly effect: ReceivedRequest["effect"]; readonly reply: HttpReply } {
    if (authorization !== `Bearer ${this.apiKey}`) {
      return { effect: "refused", reply: answer(401, { message: "Unauthorized" }) };
    }
    const spoiled = this.#ports.spoil();
    if (spoiled && !spoiled.isStored)
      return { effect: spoiled.reply.status === 429 ? "refused" : "failed", reply: spoiled.reply };
    const known = this.#remembered.get(received.key);
    const isKnown = known !== undefined && received.atMs - known.atMs < WINDOW_MS;
    const reply = isKnown ? known.reply : this.#judge(organization, action);
    const isRefused = reply.status >= 400;
    if (!isKnown && (!isRefused || this.#ports.repeatsRefusals)) {
      this.#remembered.set(received.key, { reply, atMs: received.atMs });
    }
    if (!isKnown && !isRefused) this.events.push(received);
    const effect = isRefused ? "refused" : isKnown ? "repeated" : "stored";
    return { effect, reply: spoiled?.reply ?? reply };
  }

  #judge(organization: string, action: string): HttpReply {
    if (!this.organizations.has(organization))
      return answer(404, { message: `Organization not found: '${organization}'.` });
    if (this.wrongSchemas.has(action)) {
      return answer(400, { code: "invalid_audit_log", errors: [{ instancePath: "/targets", keyword: "contains" }] });
    }
    return answer(201, { success: true });
  }
}

function answer(status: number, json: unknown): HttpReply {
  return { status, text: JSON.stringify(json), headers: { "content-type": "application/json" } };
}

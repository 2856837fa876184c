/** What operators do, through the worker's API and QStash's console: one action at a time, answers may be lost. */
import { POISON_ACTION, type PlannedAction } from "./plan.ts";
import type { Random } from "./random.ts";
import type { HttpReply, HttpRequest } from "./network.ts";
import type { Queue } from "./models/queue.ts";
import type { Workos } from "./models/workos.ts";

export const WORKER_URL = "https://worker.sim";

interface OperatorPorts {
  readonly random: Random;
  readonly send: (request: HttpRequest) => Promise<HttpReply>;
  readonly wait: (ms: number) => Promise<void>;
  readonly queue: Queue;
  readonly workos: Workos;
  readonly adminToken: string;
}

interface Listed {
  readonly event_id: string;
}

export class Operator {
  readonly #ports: OperatorPorts;

  constructor(ports: OperatorPorts) {
    this.#ports = ports;
  }

  /** Never rejects: what fails is left as it is. */
  async act({ name, forMs }: PlannedAction): Promise<void> {
    const { random, queue, wait } = this.#ports;
    if (name === "pause_and_resume") {
      await this.#api("POST", "/api/pause");
      await wait(forMs);
      await this.resume();
    } else if (name === "replay_all" || name === "replay_accepting" || name === "dry_run") {
      const asked = { all: true, accept_duplicates: name === "replay_accepting", dry_run: name === "dry_run" };
      await this.replay(asked);
    } else if (name === "replay_some") {
      const ids = (await this.deadLetters()).filter(() => random.chance(0.5));
      if (ids.length > 0) await this.replay({ event_ids: ids });
    } else if (name === "replay_mended") {
      await this.replay({ filter: { class: "rejected" }, map: { action: { [POISON_ACTION]: "item.made" } } });
    } else if (name === "replay_cancelled") {
      const id = await this.replay({ all: true, rate: 0.1 });
      if (id !== undefined) await this.#api("POST", `/api/replays/${id}/${random.pick(["cancel", "pause"])}`);
      await wait(forMs);
      if (id !== undefined) await this.#api("POST", `/api/replays/${id}/resume`);
    } else if (name === "discard") {
      const [id] = await this.deadLetters();
      if (id !== undefined) await this.#api("POST", `/api/dead-letters/${id}/discard`, { reason: "not needed" });
    } else if (name === "queue_retry") {
      for (const { dlqId } of queue.listDead()) if (random.chance(0.5)) queue.retryDead(dlqId);
    }
  }

  async replay(body: object): Promise<string | undefined> {
    const json = await this.#api<{ readonly id?: string | null }>("POST", "/api/replays", body);
    return json?.id ?? undefined;
  }

  async resumeReplay(id: string): Promise<void> {
    await this.#api("POST", `/api/replays/${id}/resume`);
  }

  /** Asks until it is done. */
  async resume(): Promise<void> {
    for (let tries = 0; tries < 50; tries++) {
      if (await this.#api("POST", "/api/resume")) return;
      await this.#ports.wait(60_000);
    }
  }

  async deadLetters(): Promise<readonly string[]> {
    const json = await this.#api<{ readonly dead_letters: readonly Listed[] }>("GET", "/api/dead-letters?limit=100");
    return json?.dead_letters.map(({ event_id }) => event_id) ?? [];
  }

  /** The JSON of a 2xx answer. */
  async #api<T = unknown>(method: string, path: string, body?: object): Promise<T | undefined> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.#ports.adminToken}`,
      "content-type": "application/json",
      "content-length": String(text.length),
    };
    try {
      const reply = await this.#ports.send({ method, url: `${WORKER_URL}${path}`, headers, body: text });
      return reply.status < 300 ? (JSON.parse(reply.text) as T) : undefined;
    } catch {
      return undefined;
    }
  }
}

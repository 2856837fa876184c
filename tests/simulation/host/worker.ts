/** The real worker on a model of its platform: a few isolates, Durable Objects, deployments, and crashes at any wait. */
import type { VirtualTime } from "../../../bench/virtual-time.ts";
import type { HttpReply, HttpRequest } from "../network.ts";
import type { Random } from "../random.ts";
import { DurableObjectHost, type DurableObjectPorts } from "./durable-objects.ts";
import type { FetchInit } from "./globals.ts";
import { callInto, current, Incarnation, waiting } from "./incarnation.ts";
import type { System } from "./system.ts";

const ISOLATES = 2;

type Variables = Readonly<Record<string, string>>;

interface WorkerPorts extends Omit<DurableObjectPorts, "time"> {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly send: (request: HttpRequest, signal?: AbortSignal) => Promise<HttpReply>;
}

interface Isolate {
  readonly incarnation: Incarnation;
  readonly env: object;
}

const BINDINGS = { LEDGER: "Ledger", OUTBOX: "Outbox", ARCHIVE: "Archive", MONITOR: "Monitor" } as const;

export class WorkerHost {
  readonly #system: System;
  readonly #ports: WorkerPorts;
  readonly #objects = new Map<string, DurableObjectHost>();
  #isolates: Isolate[] = [];
  #variables: Variables;
  #requests = 0;

  constructor(system: System, variables: Variables, ports: WorkerPorts) {
    this.#system = system;
    this.#variables = variables;
    this.#ports = ports;
  }

  /** Answers a request in one of the isolates; rejects where that dies. */
  readonly serve = ({ method, url, headers, body }: HttpRequest): Promise<HttpReply> =>
    new Promise((resolve, reject) => {
      const { request, env } = this.#enter();
      const handle = async () => {
        const init = { method, headers, ...(method === "GET" ? {} : { body }) };
        const response = await this.#system.worker.default.fetch(new Request(url, init), env, {
          waitUntil: () => undefined,
        });
        return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
      };
      void callInto(request, handle, resolve, reject);
    });

  /** The cron's turn; a crash ends it early. */
  cron(): void {
    const { request, env } = this.#enter();
    void callInto(request, () => this.#system.worker.default.scheduled({}, env), ignore, ignore);
  }

  /** New variables for new isolates and objects; old isolates end, as after a deployment. */
  deploy(variables: Variables): void {
    this.#variables = { ...this.#variables, ...variables };
    this.killIsolates();
    for (const object of this.#objects.values()) object.kill();
  }

  killIsolates(): void {
    for (const { incarnation } of this.#isolates.splice(0)) incarnation.kill();
  }

  killObject(random: Random): void {
    if (this.#objects.size > 0) random.pick([...this.#objects.values()]).kill();
  }

  objects(prefix: string): readonly DurableObjectHost[] {
    return [...this.#objects.values()].filter(({ name }) => name.startsWith(prefix));
  }

  /** `fetch` of the worker's code. */
  readonly fetch = async (url: string, init: FetchInit): Promise<Response> => {
    const headers = Object.fromEntries(new Headers(init.headers as Record<string, string>));
    const request = { method: init.method ?? "GET", url, headers, body: init.body ?? "" };
    const { text, status, headers: answered = {} } = await this.#crashing(() => this.#ports.send(request, init.signal));
    return new Response(status === 204 ? null : text, { status, headers: answered });
  };

  close(): void {
    for (const object of this.#objects.values()) object.close();
  }

  /** The running isolate or object may die just before a call or right after making it. */
  #crashing<T>(call: () => Promise<T>): Promise<T> {
    // What was killed a moment ago may still run to its next wait.
    if (current()?.isAlive === false) return waiting(ignore);
    const root = current()?.root;
    const isKilled = root !== undefined && this.#ports.mayCrash();
    if (!isKilled) return call();
    const answer = this.#ports.random.chance(0.5) ? call() : undefined;
    root.kill();
    return answer ?? waiting(ignore);
  }

  #enter(): { readonly request: Incarnation; readonly env: object } {
    this.#isolates = this.#isolates.filter(({ incarnation }) => incarnation.isAlive);
    while (this.#isolates.length < ISOLATES) {
      const incarnation = new Incarnation("isolate", this.#ports.skewMs());
      this.#isolates.push({ incarnation, env: this.#env() });
    }
    const { incarnation, env } = this.#ports.random.pick(this.#isolates);
    this.#requests += 1;
    return { request: new Incarnation(`request ${this.#requests}`, incarnation.skewMs, incarnation), env };
  }

  #env(): object {
    const bindings = Object.entries(BINDINGS).map(([binding, type]) => [
      binding,
      { getByName: (name: string) => this.#stub(name, type), idFromName },
    ]);
    return { ...this.#variables, ...Object.fromEntries(bindings) };
  }

  #stub(name: string, type: (typeof BINDINGS)[keyof typeof BINDINGS]): object {
    const known = this.#objects.get(name);
    const object = known ?? new DurableObjectHost(name, this.#system.worker[type], () => this.#env(), this.#ports);
    this.#objects.set(name, object);
    return object.stub((call) => this.#crashing(call));
  }
}

/** https://developers.cloudflare.com/durable-objects/api/id/ */
function idFromName(name: string) {
  return { equals: (other: { readonly name: string }) => other.name === name };
}

function ignore(): void {}

/**
 * Durable Objects with SQLite: storage outlives the object, calls and alarms come from outside, and the object may be killed at any
 * of its waits. https://developers.cloudflare.com/durable-objects/
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { VirtualTime } from "../../../bench/virtual-time.ts";
import { callInto, Incarnation, runIn, waiting } from "./incarnation.ts";
import type { DurableObjectClass } from "./system.ts";

/** Exceptions after which an alarm is not tried again. https://developers.cloudflare.com/durable-objects/api/alarms/ */
const ALARM_RETRIES_MAX = 6;
const ALARM_RETRY_FIRST_MS = 2_000;

type SqlValue = string | number | null;

/** What may go wrong with one call; decided by the run. */
export interface CallTrouble {
  readonly delayMs: number;
  readonly answerDelayMs: number;
  readonly lost: "request" | "answer" | undefined;
}

export interface DurableObjectPorts {
  readonly time: VirtualTime;
  readonly skewMs: () => number;
  readonly trouble: (object: string, method: string) => CallTrouble;
  /** Told of each call that arrives: it may take effect even where the object dies before its end. */
  readonly arrived: (object: DurableObjectHost, method: string, args: readonly unknown[]) => void;
  /** Told after each call took effect, before its answer is on the way. */
  readonly observe: (object: DurableObjectHost, method: string, args: readonly unknown[], result: unknown) => void;
  /** Asked wherever an isolate or an object may be killed. */
  readonly mayCrash: () => boolean;
}

type Methods = Readonly<Record<string, (...args: unknown[]) => unknown>>;

export class DurableObjectHost {
  readonly name: string;
  readonly database = new DatabaseSync(":memory:");
  readonly #kv = new Map<string, unknown>();
  readonly #statements = new Map<string, StatementSync>();
  readonly #class: DurableObjectClass;
  readonly #env: () => object;
  readonly #ports: DurableObjectPorts;
  #life: { readonly incarnation: Incarnation; readonly object: Methods; readonly ready: Promise<unknown> } | undefined;
  #alarm: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #depth = 0;

  constructor(name: string, type: DurableObjectClass, env: () => object, ports: DurableObjectPorts) {
    this.name = name;
    this.#class = type;
    this.#env = env;
    this.#ports = ports;
  }

  /** A stub of the object as `getByName` gives it; `around` wraps each call. */
  stub(around: (call: () => Promise<unknown>) => Promise<unknown>): object {
    const call = (method: string, args: readonly unknown[]) => around(() => this.#call(method, args));
    const get = (_: object, method: string | symbol) =>
      method === "then" ? undefined : (...args: unknown[]) => call(String(method), args);
    return new Proxy({}, { get });
  }

  /** Ends the object as a crash or an eviction does; the next call makes it anew. */
  kill(): void {
    const life = this.#life;
    this.#life = undefined;
    life?.incarnation.kill();
  }

  close(): void {
    this.#alarm?.cancel();
    this.database.close();
  }

  #call(method: string, args: readonly unknown[]): Promise<unknown> {
    const { time, trouble, arrived, observe } = this.#ports;
    const { delayMs, answerDelayMs, lost } = trouble(this.name, method);
    // What crosses an RPC is copied.
    const copied = structuredClone(args);
    return waiting((done, fail) => {
      const broken = () => fail(new Error("network connection lost"));
      time.after(delayMs, () => {
        if (lost === "request") return broken();
        const answer = (result: unknown) => {
          observe(this, method, copied, result);
          if (lost === "answer") time.after(answerDelayMs, broken);
          else if (answerDelayMs === 0) done(structuredClone(result));
          else time.after(answerDelayMs, () => done(structuredClone(result)));
        };
        arrived(this, method, copied);
        this.#run(method, copied, answer, fail);
      });
    });
  }

  #run(
    method: string,
    args: readonly unknown[],
    done: (result: unknown) => void,
    fail: (error: unknown) => void,
  ): void {
    const { incarnation, object, ready } = this.#living();
    void callInto(
      incarnation,
      async () => {
        await ready;
        return object[method]?.(...args);
      },
      done,
      fail,
    );
  }

  #living() {
    if (this.#life) return this.#life;
    const incarnation = new Incarnation(this.name, this.#ports.skewMs());
    incarnation.onDeath(() => {
      if (this.#life?.incarnation === incarnation) this.#life = undefined;
    });
    let ready: Promise<unknown> = Promise.resolve();
    const state = {
      id: { name: this.name },
      storage: this.#storage(incarnation),
      waitUntil: () => undefined,
      blockConcurrencyWhile: (run: () => Promise<unknown>) => {
        ready = run();
        return ready;
      },
    };
    const object = runIn(incarnation, () => new this.#class(state, this.#env()) as Methods);
    const life = { incarnation, object, ready };
    if (incarnation.isAlive) this.#life = life;
    return life;
  }

  #storage(incarnation: Incarnation) {
    const stop = () => {
      if (!this.#ports.mayCrash()) return undefined;
      incarnation.kill();
      return new Promise<never>(() => undefined);
    };
    return {
      sql: { databaseSize: 0, exec: (query: string, ...values: SqlValue[]) => this.#cursor(query, values) },
      transactionSync: <T>(run: () => T) => this.#transaction(run),
      kv: {
        get: (key: string) => structuredClone(this.#kv.get(key)),
        put: (key: string, value: unknown) => void this.#kv.set(key, structuredClone(value)),
        delete: (key: string) => this.#kv.delete(key),
      },
      getAlarm: () => stop() ?? Promise.resolve(this.#alarm ? this.#alarm.atMs + incarnation.skewMs : null),
      setAlarm: (atMs: number) => {
        const stopped = stop();
        if (!stopped) this.#setAlarm(atMs - incarnation.skewMs, 0);
        return stopped ?? Promise.resolve();
      },
    };
  }

  #cursor(query: string, values: readonly SqlValue[]) {
    const rows = this.#exec(query, values);
    return { toArray: () => rows, [Symbol.iterator]: () => rows[Symbol.iterator]() };
  }

  #exec(query: string, values: readonly SqlValue[]): Record<string, unknown>[] {
    if (values.length === 0 && query.includes(";")) {
      this.database.exec(query);
      return [];
    }
    const statement = this.#statements.get(query) ?? this.database.prepare(query);
    this.#statements.set(query, statement);
    return statement.all(...values);
  }

  #transaction<T>(run: () => T): T {
    const savepoint = `s${this.#depth++}`;
    this.database.exec(`SAVEPOINT ${savepoint}`);
    try {
      const result = run();
      this.database.exec(`RELEASE ${savepoint}`);
      return result;
    } catch (error) {
      this.database.exec(`ROLLBACK TO ${savepoint}`);
      this.database.exec(`RELEASE ${savepoint}`);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** An alarm rings once, is gone while it is handled, and comes again where its handler died or threw. */
  #setAlarm(atMs: number, retries: number): void {
    this.#alarm?.cancel();
    const cancel = this.#ports.time.at(atMs, () => {
      this.#alarm = undefined;
      const { incarnation } = this.#living();
      const again = () => {
        if (this.#alarm) return;
        const isThrown = incarnation.isAlive;
        if (isThrown && retries >= ALARM_RETRIES_MAX) return;
        this.#setAlarm(this.#ports.time.now() + ALARM_RETRY_FIRST_MS * 2 ** retries, isThrown ? retries + 1 : retries);
      };
      this.#run("alarm", [], () => undefined, again);
    });
    this.#alarm = { atMs, cancel };
  }
}

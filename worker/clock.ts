/** The time, waits, and the alarms of the Durable Objects. Only this module asks the platform for them. */
export interface Clock {
  /** ms since the epoch. */
  readonly now: () => number;
  readonly wait: (waitMs: number) => Promise<void>;
  /** Sets the one alarm of a Durable Object to a time in ms since the epoch. */
  readonly setAlarm: (storage: DurableObjectStorage, atMs: number) => Promise<void>;
  /** When that alarm will ring; null if none is set. */
  readonly getAlarm: (storage: DurableObjectStorage) => Promise<number | null>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (waitMs) => new Promise((resolve) => setTimeout(resolve, waitMs)),
  setAlarm: (storage, atMs) => storage.setAlarm(atMs),
  getAlarm: (storage) => storage.getAlarm(),
};

/** Ways to break a part on purpose, from outside, so that the oracle can be seen to notice. */
import type { DurableObjectHost } from "./host/durable-objects.ts";
import type { HttpReply, HttpRequest } from "./network.ts";
import type { Random } from "./random.ts";

export interface Sabotage {
  /** Changes a request on its way to WorkOS. */
  readonly spoilWorkos?: (request: HttpRequest, random: Random) => HttpRequest;
  /** Answers in place of the worker. */
  readonly spoilDelivery?: (request: HttpRequest, random: Random) => HttpReply | undefined;
  /** Does something to a Durable Object's storage after a call. */
  readonly afterCall?: (host: DurableObjectHost, method: string, args: readonly unknown[], random: Random) => void;
}

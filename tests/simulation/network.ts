/** Carries HTTP between the parts: with delays, and with whatever the weather of a link does to a request or its answer. */
import type { VirtualTime } from "../../bench/virtual-time.ts";
import { timeoutsOf } from "./host/globals.ts";
import { waiting } from "./host/incarnation.ts";
import type { Random } from "./random.ts";

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A link is named by what stands at its far end. */
export type Link = "workos" | "queue" | "worker";

/** `hang`: no answer ever comes; `late`: it comes after seconds. `answer_…`: the request took effect first. */
export type LinkTrouble = "reset" | "answer_reset" | "hang" | "answer_hang" | "late" | undefined;

interface NetworkPorts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly trouble: (link: Link, request: HttpRequest) => LinkTrouble;
}

export type Server = (request: HttpRequest) => Promise<HttpReply>;

export class Network {
  readonly #servers = new Map<Link, Server>();
  readonly #ports: NetworkPorts;

  constructor(ports: NetworkPorts) {
    this.#ports = ports;
  }

  serve(link: Link, server: Server): void {
    this.#servers.set(link, server);
  }

  /** Sends a request for the running incarnation; rejects as `fetch` does. */
  send(request: HttpRequest, signal?: AbortSignal): Promise<HttpReply> {
    const link = new URL(request.url).hostname.split(".")[0] as Link;
    const trouble = this.#ports.trouble(link, request);
    return waiting((done, fail) => this.#carry(link, request, trouble, signal, done, fail));
  }

  #carry(
    link: Link,
    request: HttpRequest,
    trouble: LinkTrouble,
    signal: AbortSignal | undefined,
    done: (reply: HttpReply) => void,
    fail: (error: unknown) => void,
  ): void {
    const { time, random } = this.#ports;
    const end = () => signal && timeoutsOf.get(signal)?.();
    const broken = () => {
      end();
      fail(new TypeError("fetch failed"));
    };
    signal?.addEventListener("abort", () => fail(signal.reason));
    if (trouble === "hang") return;
    const delayMs = trouble === "late" ? random.int(1_000, 40_000) : random.int(1, 30);
    const exchange = async () => {
      const server = this.#servers.get(link);
      if (trouble === "reset" || !server) return broken();
      let reply: HttpReply;
      try {
        reply = await server(request);
      } catch {
        return broken();
      }
      if (trouble === "answer_hang") return;
      time.after(random.int(1, 30), () => {
        if (trouble === "answer_reset") return broken();
        end();
        done(reply);
      });
    };
    time.after(delayMs, () => void exchange());
  }
}

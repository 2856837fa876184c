/** At the gateway: the API never notices us, and what is lost there is lost for a reason that somebody can see. */
import type { Served } from "../gateway.ts";
import type { Check, Evidence } from "./evidence.ts";

const sameAnswers: Check = ({ finish: { world } }) =>
  world.gateway.served
    .filter(({ answer, expected }) => answer !== expected)
    .map(({ requestId, answer, expected }) => `${requestId} was answered ${answer}, not ${expected}`);

/** `durable` may hold the response for its budget, `required` the request for its budget on each path. */
const inTime: Check = ({ finish: { world } }) => {
  const { budgetMs } = world.plan.options;
  return world.gateway.served
    .filter(({ request: { assurance }, delayBeforeMs = 0, delayAfterMs = 0 }) => {
      const before = assurance === "required" ? 2 * budgetMs : 0;
      const after = assurance === "durable" ? budgetMs : 0;
      return delayBeforeMs > before || delayAfterMs > after;
    })
    .map(({ requestId, delayBeforeMs, delayAfterMs }) => `${requestId} was held ${delayBeforeMs} + ${delayAfterMs} ms`);
};

/** Nobody waits forever: a request without an answer is one whose isolate was killed. */
const allAnswered: Check = ({ finish: { world } }) =>
  world.gateway.served
    .filter(({ answer, life }) => answer === undefined && life.death !== "killed")
    .map(({ requestId }) => `${requestId} was never answered`);

/** `required` is refused only where no path took the intent, and its handler never runs without one. */
const required: Check = (evidence) => {
  const { gateway } = evidence.finish.world;
  return gateway.served.flatMap((served) => {
    const { request, requestId, refused, startedMs, delayBeforeMs = 0 } = served;
    if (request.assurance !== "required") return refused ? [`${requestId} was refused`] : [];
    const intent = gateway.posts.some(
      (post) => post.requestId === requestId && (post.acknowledgedMs ?? Infinity) <= startedMs + delayBeforeMs,
    );
    if (refused) return intent ? [`${requestId} was refused, though its intent was taken`] : [];
    return intent || served.handlerMs === undefined ? [] : [`${requestId} was handled without an intent`];
  });
};

/** A record is lost only with the isolate's memory, or where both paths were asked in vain. */
const lostOnlyFromMemory: Check = (evidence) => {
  const { gateway, history } = evidence.finish.world;
  const known = new Set(history.seen.map(({ record }) => record.requestId));
  return gateway.served
    .filter(({ requestId, life }) => !known.has(requestId) && life.death !== "killed")
    .filter((served) => !wereBothAsked(served, evidence))
    .map(
      ({ requestId, request, lostLines }) => `${requestId} (${request.assurance}) is lost, ${lostLines} lines say so`,
    );
};

function wereBothAsked({ life, startedMs, endedMs = Infinity }: Served, { finish: { world } }: Evidence): boolean {
  const during = world.gateway.posts.filter(
    (post) =>
      post.isolate === life.root && post.atMs >= startedMs && post.atMs <= endedMs && post.acknowledgedMs === undefined,
  );
  return ["queue.sim", "worker.sim"].every((host) => during.some((post) => post.host === host));
}

export const answersChecks = { sameAnswers, inTime, allAnswered, required, lostOnlyFromMemory } satisfies Readonly<
  Record<string, Check>
>;

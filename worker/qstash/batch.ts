/** Publishes several messages to the worker's own `/deliver` in one request. https://upstash.com/docs/qstash/api/publish */
import { publishHeaders } from "../../shared/qstash-headers.ts";
import type { Settings } from "../variables.ts";
import { comeBackAt } from "./dlq.ts";
import { qstashRequest, type Fetch } from "./request.ts";

export interface BatchMessage {
  readonly body: string;
  readonly deduplicationId: string;
}

export type BatchResult =
  /** One result for each message, in order: QStash accepts or refuses each one separately. */
  | {
      readonly kind: "answered";
      readonly messages: readonly ({ readonly messageId: string } | { readonly error: string })[];
    }
  /** Nothing is known to be accepted; sending again is safe. `notBeforeMs` if QStash said when. */
  | { readonly kind: "failed"; readonly notBeforeMs?: number };

type BatchSettings = Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN" | "AUDIT_WORKER_URL" | "AUDIT_FLOW_CONTROL_KEY">;

/** Never throws. A message counts as accepted only with a message id. */
export async function publishBatch(
  settings: BatchSettings,
  fetcher: Fetch,
  messages: readonly BatchMessage[],
  nowMs: number,
): Promise<BatchResult> {
  const elements = messages.map(({ body, deduplicationId }) => ({
    destination: `${settings.AUDIT_WORKER_URL}/deliver`,
    headers: publishHeaders({
      workerUrl: settings.AUDIT_WORKER_URL,
      deduplicationId,
      flowControlKey: settings.AUDIT_FLOW_CONTROL_KEY,
    }),
    body,
  }));
  try {
    const response = await qstashRequest(settings, fetcher, "/v2/batch", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(elements),
    });
    if (response.status === 429) return { kind: "failed", notBeforeMs: comeBackAt(response.headers, nowMs) };
    if (!response.ok) return { kind: "failed" };
    return readAnswer(await response.json(), messages.length);
  } catch {
    return { kind: "failed" };
  }
}

function readAnswer(json: unknown, expected: number): BatchResult {
  if (!Array.isArray(json) || json.length !== expected) return { kind: "failed" };
  const messages = (json as unknown[]).map((element) => {
    const isTaken = typeof element === "object" && element !== null && "messageId" in element;
    return isTaken && typeof element.messageId === "string" && element.messageId !== ""
      ? { messageId: element.messageId }
      : { error: errorOf(element) };
  });
  return { kind: "answered", messages };
}

/** QStash's reason for refusing a message, shortened. */
function errorOf(element: unknown): string {
  const error = typeof element === "object" && element !== null && "error" in element ? element.error : undefined;
  return typeof error === "string" ? error.slice(0, 200) : "no message id";
}

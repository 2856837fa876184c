/** A receiver of alerts that checks their signatures. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

export const ALERT_KEY = "whsec_YWxlcnQta2V5LW9mLXRoZS10ZXN0cy0wMDAwMQ==";

interface Alert {
  readonly type: string;
  readonly data: {
    readonly incident: string;
    readonly detail: string;
    readonly since: string;
    readonly until?: string;
  };
}

export async function startAlertReceiver() {
  const alerts: Alert[] = [];
  let refusals = 0;
  let refuseNext = 0;
  let delayMs = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (refuseNext > 0) {
        refuseNext -= 1;
        refusals += 1;
        response.writeHead(500).end();
        return;
      }
      const headers = request.headers as Record<string, string>;
      alerts.push(new Webhook(ALERT_KEY).verify(Buffer.concat(chunks).toString(), headers) as Alert);
      setTimeout(() => response.writeHead(204).end(), delayMs);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`,
    /** What came, in order, as `incident started` or `incident ended`. */
    seen: () => alerts.map(({ type, data }) => `${data.incident} ${type.split(".").at(-1)}`),
    alerts,
    refuse(times: number) {
      refuseNext = times;
    },
    refusals: () => refusals,
    /** Answers so many ms after an alert came. */
    delay(ms: number) {
      delayMs = ms;
    },
    stop: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Serves evidence as the worker does, from memory. */
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Files } from "../../verifier/evidence.ts";

export interface EvidenceServer {
  readonly env: Readonly<Record<string, string>>;
  /** What is served; tests change it. */
  files: Files;
  /** Answers of the API by path, without the query. */
  api: Map<string, unknown>;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** Answers before the files: a status, or nothing. */
  failure: (path: string) => number | undefined;
  readonly stop: () => Promise<void>;
}

const TOKEN = "evidence-test-token-0001";

export async function serveEvidence(files: Files): Promise<EvidenceServer> {
  const http = createServer((request, response) => {
    const path = (request.url ?? "").replace(/^\/evidence\//, "");
    server.asked.push(path);
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`;
    const json = server.api.get(path.split("?", 1)[0] ?? "");
    const found = json === undefined ? server.files.get(path) : Buffer.from(JSON.stringify(json));
    const bytes = isKnown ? found : undefined;
    response
      .writeHead(isKnown ? (server.failure(path) ?? (bytes ? 200 : 404)) : 401)
      .end(bytes ?? '{"code":"not_found","detail":"there is no such thing"}');
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const server: EvidenceServer = {
    env: { AUDIT_WORKER_URL: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, AUDIT_ADMIN_TOKEN: TOKEN },
    files,
    api: new Map(),
    asked: [],
    failure: () => undefined,
    stop: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
  return server;
}

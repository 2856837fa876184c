import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { runDoctor, waitForWorker } from "../../../cli/deploy/after.ts";
import { newAccount } from "./process.ts";

type Reply = { readonly status: number; readonly type: string };

/** A server that gives the answers in turn, the last one for ever. */
async function serve(replies: readonly Reply[]): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const { status, type } = replies[Math.min(asked.length, replies.length) - 1] as Reply;
    response.writeHead(status, { "content-type": type }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

it("waits while Cloudflare itself answers for a name it does not know yet, and takes any answer of the worker", async () => {
  const page = { status: 404, type: "text/html" };
  const { url, asked } = await serve([page, page, { status: 503, type: "application/problem+json" }]);
  await waitForWorker(url, fetch, 10_000, 1);
  expect(asked).toEqual(["/health", "/health", "/health"]);
});

it("gives up with the URL that does not answer", async () => {
  const dead = () => Promise.reject(new TypeError("fetch failed"));
  await expect(waitForWorker("https://worker.example", dead, 5, 1)).rejects.toMatchObject({
    code: "timeout",
    message: '"https://worker.example/health" does not answer; check the worker\'s route',
  });
});

it("hands the doctor its variables and brings back its output and its exit code", async () => {
  const { write } = await newAccount();
  const program = await write(
    "doctor.mjs",
    "console.log(process.argv.slice(2).join(), process.env.AUDIT_WORKER_URL); process.exit(1);",
  );
  expect(await runDoctor(program, ["--json"], { AUDIT_WORKER_URL: "https://worker.example" })).toEqual({
    exitCode: 1,
    output: "doctor,--json https://worker.example\n",
  });
});

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failToRun, newFolder, runQueue, type QueueProcess } from "./process.ts";
import { clientFor, startReceiver, until } from "./stage.ts";

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true }));

describe("a queue on its own", () => {
  let queue: QueueProcess;
  beforeAll(async () => {
    queue = await runQueue(["--port", "0", "--path", join(folder, "deep/er/queue.sqlite"), "--quiet"]);
  });
  afterAll(() => queue.end("SIGKILL"));

  test("prints one line with its url, token and keys", () => {
    expect(queue.line).toMatch(
      /^QSTASH_URL=http:\/\/127\.0\.0\.1:\d+ QSTASH_TOKEN=\S+= QSTASH_CURRENT_SIGNING_KEY=sig_\w+ QSTASH_NEXT_SIGNING_KEY=sig_\w+\n$/,
    );
  });

  test("says in one line that its port is taken, and what to do", async () => {
    const port = new URL(queue.url).port;
    expect(await failToRun(["--port", port, "--path", join(folder, "other.sqlite")])).toEqual({
      code: 1,
      stdout: "",
      stderr: `port_taken: port ${port} is taken: stop what listens there, or choose another "--port" (0 takes a free one)\n`,
    });
  });

  test("says in one line that another queue has its file open", async () => {
    const path = join(folder, "deep/er/queue.sqlite");
    expect(await failToRun(["--port", "0", "--path", path])).toEqual({
      code: 1,
      stdout: "",
      stderr: `database_in_use: another queue has "${path}" open: stop it, or choose another "--path"\n`,
    });
  });
});

test("says in one line that its file is none of its own", async () => {
  const path = join(folder, "text.sqlite");
  writeFileSync(path, "this is no database, and long enough to be seen as none ".repeat(20));
  const { code, stderr } = await failToRun(["--port", "0", "--path", path]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^database_unreadable: ".*text\.sqlite" cannot be opened \(.+\): choose another "--path"\n$/);
});

test("refuses a flag it does not know", async () => {
  const { code, stderr } = await failToRun(["--prot", "1"]);
  expect(code).toBe(1);
  expect(stderr).toContain("Unknown argument: prot");
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "ends on %s with 0, even with a delivery under way, which comes again",
  async (signal) => {
    const receiver = await startReceiver();
    const path = join(folder, `${signal}.sqlite`);
    const first = await runQueue(["--port", "0", "--path", path, "--quiet"]);
    receiver.answer = () => new Promise(() => {});
    await clientFor(first).publish({ url: receiver.url, body: "x" });
    await until(() => receiver.open === 1);
    expect(await first.end(signal)).toBe(0);

    receiver.answer = () => ({});
    const second = await runQueue(["--port", "0", "--path", path, "--quiet"]);
    await until(() => receiver.received.length === 2);
    expect(receiver.received.map((got) => got.headers["upstash-retried"])).toEqual(["0", "0"]);
    await second.end("SIGTERM");
    await receiver.close();
  },
);

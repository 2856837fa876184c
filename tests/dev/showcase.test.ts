/** What `npm run dev -- --incident <name>` causes: the incident of that name, on the real worker. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { causeIncident, INCIDENTS, parseIncident } from "../../dev/showcase/incidents.ts";
import { type LocalPath, startLocalPath, until } from "../worker/support/local-path.ts";

let path: LocalPath;
beforeAll(async () => {
  path = await startLocalPath();
});
afterAll(() => path.stop());

/** The next incident finds nothing of the last one. */
afterEach(async () => {
  path.workos.faults.clear();
  path.workos.keys.rotate("sk_test_workos");
  path.queue.clearFaults();
  await path.post("/api/resume");
});

const openIncidents = async (): Promise<string[]> => {
  const { json } = await path.get("/health");
  return json.incidents.map(({ kind }: { kind: string }) => kind);
};

it.each(INCIDENTS)("causes %s", async (name) => {
  await causeIncident(name, { ...path, workerUrl: path.url });
  const open = await until(
    async () => {
      await path.scheduled();
      return openIncidents();
    },
    (kinds) => kinds.includes(name),
  );
  expect(open).toContain(name);
});

describe("a name", () => {
  it("of an incident that needs more than a laptop says why", () => {
    expect(() => parseIncident("storage_nearly_full")).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining("7 GB") }),
    );
  });

  it("of no incident lists those that there are", () => {
    expect(() => parseIncident("fire")).toThrow("dead_letters_rejected");
  });
});

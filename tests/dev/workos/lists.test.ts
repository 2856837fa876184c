import { expect, test } from "vitest";
import type { WorkosStandIn } from "../../../dev/workos/server.ts";
import { call, started } from "./harness.ts";

async function withActions(count: number): Promise<WorkosStandIn> {
  const standIn = await started();
  for (let i = 0; i < count; i++) {
    standIn.registry.register(`action.n${i}`, { targets: [{ type: "team" }] }, "2026-11-24T10:00:00.000Z");
  }
  return standIn;
}

interface Page {
  readonly names: string[];
  readonly before: string | null;
  readonly after: string | null;
}

async function page(standIn: WorkosStandIn, query: string): Promise<Page> {
  const { json } = await call(standIn, `/audit_logs/actions${query}`);
  return { names: json.data.map((action: { name: string }) => action.name), ...json.list_metadata };
}

const named = (from: number, to: number): string[] =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => `action.n${from + Math.sign(to - from) * i}`);

test("500 actions come in pages of 100, newest first, each once", async () => {
  const standIn = await withActions(500);
  const seen: string[] = [];
  let pages = 0;
  for (let after: string | null = ""; after !== null; pages++) {
    const got: Page = await page(standIn, `?limit=100${after && `&after=${after}`}`);
    seen.push(...got.names);
    after = got.after;
  }
  expect(pages).toBe(5);
  expect(seen).toEqual(named(499, 0));
});

test("the default page holds ten", async () => {
  const standIn = await withActions(11);
  const first = await page(standIn, "");
  expect([first.names, first.before]).toEqual([named(10, 1), null]);
  expect(await page(standIn, `?after=${first.after}`)).toMatchObject({ names: ["action.n0"], after: null });
});

test("before walks back over the same pages", async () => {
  const standIn = await withActions(5);
  const first = await page(standIn, "?limit=2");
  const second = await page(standIn, `?limit=2&after=${first.after}`);
  expect(second.names).toEqual(["action.n2", "action.n1"]);
  const third = await page(standIn, `?limit=2&after=${second.after}`);
  expect(await page(standIn, `?limit=2&before=${third.before}`)).toEqual(second);
  expect(await page(standIn, `?limit=2&before=${second.before}`)).toEqual(first);
});

test("asc is oldest first; normal is newest first with cursors the other way round", async () => {
  const standIn = await withActions(3);
  expect((await page(standIn, "?order=asc")).names).toEqual(named(0, 2));
  const first = await page(standIn, "?order=normal&limit=2");
  expect([first.names, first.after]).toEqual([["action.n2", "action.n1"], null]);
  expect((await page(standIn, `?order=normal&limit=2&before=${first.before}`)).names).toEqual(["action.n0"]);
});

test("an empty registry is an empty list", async () => {
  const standIn = await started();
  const got = await call(standIn, "/audit_logs/actions");
  expect(got.json).toEqual({ object: "list", data: [], list_metadata: { before: null, after: null } });
});

const wrong = ["limit=0", "limit=101", "limit=ten", "limit=1.5", "order=up", "after=nobody", "before=nobody"];

test.each(wrong)("%s is 422 and names the parameter", async (query) => {
  const standIn = await withActions(2);
  const got = await call(standIn, `/audit_logs/actions?${query}`);
  expect(got.status).toBe(422);
  expect(got.json.errors).toEqual([{ code: "invalid", field: query.split("=")[0] }]);
});

/** The preset `mcp` as a table: each request with the reading that it leaves. */
import { describe, expect, it } from "vitest";
import { isAnswered, readMcp } from "../../../policy/presets/mcp.ts";
import type { Reading } from "../../../policy/presets/reading.ts";
import type { Seen } from "../../../policy/selector.ts";

const call = (method: string, params?: unknown, id: unknown = 1) => ({
  jsonrpc: "2.0",
  id,
  method,
  ...(params ? { params } : {}),
});
const TOOL = call("tools/call", { name: "remove_member", arguments: { b: 1, a: "x" } });
const OK = { jsonrpc: "2.0", id: 1, result: { content: [] } };

function seenOf(body: unknown, status?: number, answer?: unknown, more: Partial<Seen> = {}): Seen {
  const response = status === undefined ? undefined : { status, headers: new Headers(), body: answer };
  return { method: "POST", headers: new Headers({ "mcp-session-id": "s-1" }), body, response, ...more };
}

function read(...args: Parameters<typeof seenOf>): Reading {
  const [reading, ...more] = readMcp(seenOf(...args));
  if (!reading || more.length > 0) throw new Error("not one reading");
  return reading;
}

const short = ({ skip, action, target, outcome }: Reading) =>
  skip ? "none" : [action, target?.type ?? "route", target?.id, outcome];

describe("a request", () => {
  it.each([
    [TOOL, ["mcp.tool_called", "mcp_tool", "remove_member", "success"]],
    [call("resources/read", { uri: "file:///a" }), ["mcp.resource_read", "mcp_resource", "file:///a", "success"]],
    [call("prompts/get", { name: "greet" }), ["mcp.prompt_read", "mcp_prompt", "greet", "success"]],
    [call("tasks/cancel", {}), ["mcp.method_called", "route", undefined, "success"]],
    [call("resources/subscribe", {}), ["mcp.method_called", "route", undefined, "success"]],
    [call("constructor"), ["mcp.method_called", "route", undefined, "success"]],
    [{ method: "tools/call", id: 1 }, ["mcp.request_refused", "route", undefined, "success"]],
    [{ jsonrpc: "1.0", method: "tools/call", id: 1 }, ["mcp.request_refused", "route", undefined, "success"]],
    [{ jsonrpc: "2.0", id: 1 }, ["mcp.request_refused", "route", undefined, "success"]],
    [{ jsonrpc: "2.0", id: 1, method: 5 }, ["mcp.request_refused", "route", undefined, "success"]],
  ])("%j leaves %j", (body, expected) => {
    expect(short(read(body, 200, OK))).toEqual(expected);
  });

  it.each([
    "initialize",
    "ping",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "notifications/initialized",
    "notifications/tools/list_changed",
  ])("%s leaves none, unless HTTP refuses it", (method) => {
    expect(short(read(call(method), 200, OK))).toBe("none");
    expect(short(read(call(method), 200, { jsonrpc: "2.0", id: 1, error: { code: 1 } }))).toBe("none");
    expect(short(read(call(method), 401))).toEqual(["mcp.request_refused", "route", undefined, "denied"]);
    expect(short(read(call(method), 404))).toEqual(["mcp.request_refused", "route", undefined, "failure"]);
  });

  it("that is an answer of the client leaves none", () => {
    expect(short(read({ jsonrpc: "2.0", id: 1, result: {} }, 202))).toBe("none");
    expect(short(read({ jsonrpc: "2.0", id: 1, error: {} }, 202))).toBe("none");
  });

  it.each(["GET", "DELETE"])("%s leaves none, unless the caller is refused", (method) => {
    for (const status of [200, 404, 405, 500])
      expect(short(read(undefined, status, undefined, { method }))).toBe("none");
    // The status decides its outcome.
    for (const status of [401, 403]) {
      expect(short(read(undefined, status, undefined, { method }))).toEqual([
        "mcp.request_refused",
        "route",
        undefined,
        undefined,
      ]);
    }
  });

  it("that HTTP refuses keeps its action and target", () => {
    expect(short(read(TOOL, 403, {}))).toEqual(["mcp.tool_called", "mcp_tool", "remove_member", "denied"]);
    expect(short(read(TOOL, 500, OK))).toEqual(["mcp.tool_called", "mcp_tool", "remove_member", "failure"]);
  });

  it("without a name is marked", () => {
    expect(read(call("tools/call", {}), 200, OK)).toMatchObject({
      target: { id: undefined },
      missing: ["$body.params.name"],
    });
  });

  it("whose body could not be read is told by what is known", () => {
    expect(read(undefined, 401, undefined, { bodyFault: "unread" })).toMatchObject({
      action: "mcp.request_refused",
      missing: ["$body"],
    });
    expect(read(undefined, 200, undefined, { bodyFault: "unread" })).toMatchObject({
      action: "mcp.method_called",
      missing: ["$body"],
    });
    expect(read(undefined, 200, undefined, { bodyFault: "too_large" })).toMatchObject({
      action: "mcp.method_called",
      missing: ["$body"],
    });
    expect(read(undefined, 401, undefined, { bodyFault: "too_large" })).toMatchObject({ action: "mcp.method_called" });
    expect(read(undefined, 400, undefined, { bodyFault: "unreadable" })).toMatchObject({
      action: "mcp.request_refused",
      outcome: "failure",
    });
  });
});

describe("the outcome", () => {
  it.each([
    [OK, "success"],
    [{ ...OK, result: { isError: true } }, "failure"],
    [{ ...OK, result: { isError: false } }, "success"],
    [{ jsonrpc: "2.0", id: 1, error: { code: -32602, message: "no" } }, "failure"],
    [{ ...OK, id: 2 }, "unknown"],
    [{ ...OK, id: "1" }, "unknown"],
    [undefined, "unknown"],
    ["text", "unknown"],
    [[{ jsonrpc: "2.0", id: 1, method: "sampling/createMessage" }, OK], "success"],
    [[{ jsonrpc: "2.0", method: "notifications/progress" }], "unknown"],
  ])("of the answer %j is %s", (answer, outcome) => {
    expect(read(TOOL, 200, answer).outcome).toBe(outcome);
  });

  it("of a notification is what HTTP says, because nothing answers it", () => {
    expect(read({ jsonrpc: "2.0", method: "custom/event" }, 202)).toMatchObject({
      action: "mcp.method_called",
      outcome: "success",
    });
  });

  it("of what is no JSON-RPC is a failure where the answer says so", () => {
    expect(
      read(undefined, 200, { jsonrpc: "2.0", id: null, error: { code: -32700 } }, { bodyFault: "unreadable" }),
    ).toMatchObject({
      action: "mcp.request_refused",
      outcome: "failure",
      metadata: { mcp_error_code: -32700 },
    });
  });
});

describe("metadata", () => {
  it("has the method, the session and the error's code", () => {
    expect(read(TOOL, 200, { jsonrpc: "2.0", id: 1, error: { code: -32602 } }).metadata).toEqual({
      mcp_method: "tools/call",
      mcp_session: "s-1",
      mcp_error_code: -32602,
    });
  });

  it("has the canonical arguments to hash, the same however they are written", () => {
    expect(read(TOOL, 200).hashed).toEqual({ mcp_arguments: '{"a":"x","b":1}' });
    expect(read(call("tools/call", { name: "x" }), 200).hashed).toBeUndefined();
  });
});

describe("a batch", () => {
  it("gives a reading for each message, with its own answer", () => {
    const body = [call("ping", undefined, 0), TOOL, call("resources/read", { uri: "u" }, "b"), 7];
    const answers = [{ jsonrpc: "2.0", id: "b", error: { code: 5 } }, OK, { jsonrpc: "2.0", id: 0, result: {} }];
    expect(readMcp(seenOf(body, 200, answers)).map(short)).toEqual([
      "none",
      ["mcp.tool_called", "mcp_tool", "remove_member", "success"],
      ["mcp.resource_read", "mcp_resource", "u", "failure"],
      ["mcp.request_refused", "route", undefined, "unknown"],
    ]);
  });

  it("that is empty is no JSON-RPC", () => {
    expect(short(read([], 400))).toEqual(["mcp.request_refused", "route", undefined, "failure"]);
  });
});

describe("a stream", () => {
  it("is read until every request has its answer", () => {
    const body = [TOOL, call("tools/call", { name: "b" }, "two"), { jsonrpc: "2.0", method: "notifications/x" }];
    expect(isAnswered(body, [OK])).toBe(false);
    expect(isAnswered(body, [OK, { jsonrpc: "2.0", id: "two", method: "elicitation/create" }])).toBe(false);
    expect(isAnswered(body, [OK, { jsonrpc: "2.0", id: "two", result: {} }])).toBe(true);
    expect(isAnswered(TOOL, [OK])).toBe(true);
  });
});

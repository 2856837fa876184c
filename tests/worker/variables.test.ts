/** The URLs among the worker's variables: what is taken, and as what. */
import { expect, it } from "vitest";
import { parseSettings } from "../../worker/variables.ts";
import { INGEST_KEY } from "./support/variables.ts";

const variables = {
  WORKOS_API_KEY: "sk_test",
  QSTASH_URL: "https://qstash.example",
  QSTASH_TOKEN: "token",
  QSTASH_CURRENT_SIGNING_KEY: "sig_1",
  QSTASH_NEXT_SIGNING_KEY: "sig_2",
  AUDIT_WORKER_URL: "https://worker.example",
  AUDIT_INGEST_KEY: INGEST_KEY,
  AUDIT_ADMIN_TOKEN: "admin-token",
};

it.each([
  ["https://queue.example/eu/", "https://queue.example/eu"],
  ["http://127.0.0.1:8080//", "http://127.0.0.1:8080"],
  ["HTTPS://queue.example", "HTTPS://queue.example"],
  [" https://queue.example/ \n", "https://queue.example"],
])("%j is taken as %j", (given, taken) => {
  expect(parseSettings({ ...variables, QSTASH_URL: given })).toMatchObject({
    ok: true,
    settings: { QSTASH_URL: taken },
  });
});

it.each([
  "queue.example",
  "ftp://queue.example",
  "https:queue.example",
  "https://",
  "http://a b",
  "javascript:https://x",
])("%j is malformed", (given) => {
  const result = parseSettings({ ...variables, QSTASH_URL: given });
  expect(result).toEqual({ ok: false, missing: [], malformed: ["QSTASH_URL"] });
});

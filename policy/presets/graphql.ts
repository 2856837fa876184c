/** The preset `graphql`: which operation a request runs, and whether its answer has errors. https://spec.graphql.org */
import { outcomeOfStatus } from "../../shared/record.ts";
import { parseJson } from "../json.ts";
import { objectOf, type Seen, textOf } from "../selector.ts";
import { type GraphqlOperation, operationsIn } from "./graphql-document.ts";
import type { Reading } from "./reading.ts";

const TARGET = "graphql_operation";
const ANONYMOUS = "anonymous";

/** Reads one request; a batch returns one reading per operation. */
export function readGraphql(seen: Seen, skipsQueries: boolean): readonly Reading[] {
  const { response } = seen;
  const answers = response?.body;
  const body = requestIn(seen);
  if (!Array.isArray(body)) return [readOne(body, seen, skipsQueries)];
  return body.map((one, i) => {
    const answer: unknown = Array.isArray(answers) ? answers[i] : answers;
    return readOne(one, { ...seen, body: one, response: response && { ...response, body: answer } }, skipsQueries);
  });
}

/** A GET carries in its query what a POST carries in its body; an upload carries it as text in a form. */
function requestIn({ method, query, body }: Seen): unknown {
  const { operations } = objectOf(body);
  if (typeof operations === "string") return parseJson(operations);
  if (method !== "GET" || !query) return body;
  return { ...Object.fromEntries(query), extensions: parseJson(query.get("extensions") ?? "") };
}

function readOne(request: unknown, seen: Seen, skipsQueries: boolean): Reading {
  const { query: text, operationName } = objectOf(request);
  const name = textOf(operationName);
  const persisted = typeof text === "string" && text.trim() ? undefined : persistedId(objectOf(request));
  const operations = typeof text === "string" ? operationsIn(text) : [];
  const { type, id } = chosen(operations, name);
  const { errors } = objectOf(seen.response?.body);
  const count = Array.isArray(errors) ? errors.length : 0;
  const byStatus = outcomeOfStatus(seen.response?.status);
  // The errors may be in the unread part.
  const isCut = byStatus === "success" && /^(unread|too_large)$/.test(seen.response?.bodyFault ?? "");
  const isUnread = operations.length === 0 && persisted === undefined;
  return {
    seen,
    skip: skipsQueries && type === "query" && !isUnread && persisted === undefined ? "queries" : undefined,
    action: `graphql.${persisted === undefined ? type : "query"}`,
    target: { type: TARGET, id: persisted ?? id },
    outcome: count > 0 && byStatus !== "denied" ? "failure" : isCut ? "unknown" : byStatus,
    metadata: count > 0 ? { graphql_errors: count } : {},
    missing: isUnread ? [text === undefined ? "$body" : "$body.query"] : [],
  };
}

/** Returns the operation that runs. An unknown operation name runs nothing, but must not hide a mutation in the document. */
function chosen(
  operations: readonly GraphqlOperation[],
  name: string | undefined,
): { readonly type: string; readonly id: string } {
  const [first] = operations;
  const found =
    operations.find((one) => one.name === name) ?? (name === undefined && operations.length === 1 ? first : undefined);
  const type = found?.type ?? (operations.some((one) => one.type === "mutation") ? "mutation" : "query");
  return { type, id: name ?? found?.name ?? ANONYMOUS };
}

/** `persisted:` and the first 64 bits of the document's hash, if the request names its document by hash. */
function persistedId({ extensions, documentId, id }: Readonly<Record<string, unknown>>): string | undefined {
  const hash = objectOf(objectOf(extensions)["persistedQuery"])["sha256Hash"] ?? documentId ?? id;
  const [digits] = /[0-9a-f]{16}/.exec(String(hash).toLowerCase()) ?? [];
  return digits && `persisted:${digits}`;
}

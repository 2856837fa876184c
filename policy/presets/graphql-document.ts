/** Finds the operations of a GraphQL document without parsing it, in one pass. https://spec.graphql.org/October2021/#sec-Language.Operations */

export interface GraphqlOperation {
  readonly type: string;
  readonly name: string | undefined;
}

/** A block string, a string, a comment, a bracket, or a name; a directive's or variable's name includes its sign. Each is linear. */
const TOKEN = /"""(\\"""|[^])*?("""|$)|"(\\.|[^"\\\n\r])*|#.*|[{([]|[})\]]|([@$]\s*)?[_A-Za-z]\w*/g;

/**
 * Returns the operations in order, without fragments and type definitions. Never throws.
 *
 * @example
 * operationsIn("query A { me } mutation { leave }"); // [{ type: "query", name: "A" }, { type: "mutation" }]
 */
export function operationsIn(text: string): readonly GraphqlOperation[] {
  const operations: GraphqlOperation[] = [];
  let depth = 0;
  /** Names since the end of the last definition, before its selection set. */
  let names: string[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" && depth === 0) {
      const [type = "query", name] = names;
      if (/^(query|mutation|subscription)$/.test(type)) operations.push({ type, name });
      names = [];
    }
    if (/^[{([]/.test(token)) depth += 1;
    else if (/^[})\]]/.test(token)) depth = Math.max(depth - 1, 0);
    else if (depth === 0 && /^\w/.test(token)) names.push(token);
  }
  return operations;
}

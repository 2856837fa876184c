import type { ZuploRequest } from "@zuplo/runtime";
import { buildSchema, graphql } from "graphql";

const schema = buildSchema(`
  type Member { id: ID!, email: String! }
  type Query { member(id: ID!): Member }
  type Mutation { renameMember(id: ID!, email: String!): Member }
`);

const rootValue = {
  member: ({ id }: { id: string }) => ({ id, email: "grace@example.com" }),
  renameMember({ id, email }: { id: string; email: string }) {
    if (!email.includes("@")) throw new Error("an e-mail address has an @");
    return { id, email };
  },
};

/** Answers a GraphQL request; an error is in the answer, whose status is 200. */
export async function answerGraphql(request: ZuploRequest) {
  const { query, variables } = (await request.json()) as { query: string; variables?: Record<string, unknown> };
  return Response.json(await graphql({ schema, rootValue, source: query, variableValues: variables }));
}

import type { ZuploRequest } from "@zuplo/runtime";

export async function createRole(request: ZuploRequest) {
  const { name } = (await request.json()) as { name: string };
  return Response.json({ id: "role_auditor", name }, { status: 201 });
}

export async function setPermissions(request: ZuploRequest) {
  const { permissions } = (await request.json()) as { permissions: string[] };
  // A selector reads a scalar, so the API offers the value for its audit log as one.
  return { id: request.params["roleId"], permissions, summary: permissions.join(" ") };
}

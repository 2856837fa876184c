import type { ZuploRequest } from "@zuplo/runtime";

export async function listMembers(request: ZuploRequest) {
  return { team: request.params["teamId"], members: [{ id: "mem_1", email: "grace@example.com" }] };
}

export async function inviteMember(request: ZuploRequest) {
  const { email, role } = (await request.json()) as { email: string; role: string };
  return Response.json({ team: request.params["teamId"], member: { id: "mem_7", email, role } }, { status: 201 });
}

export async function changeMemberRole(request: ZuploRequest) {
  const { role } = (await request.json()) as { role: string };
  return { id: request.params["memberId"], role, previousRole: "member" };
}

export async function removeMember() {
  return new Response(null, { status: 204 });
}

import type { ZuploContext, ZuploRequest } from "@zuplo/runtime";

export async function inviteMember(request: ZuploRequest, _context: ZuploContext) {
  return { team: request.params["teamId"], invited: true };
}

import type { ZuploRequest } from "@zuplo/runtime";

export async function createApiKey(request: ZuploRequest) {
  const { label } = (await request.json()) as { label: string };
  // The answer contains the secret; the audit log selects only the id.
  return Response.json({ id: "key_42", label, secret: "tsk_example_0123456789abcdef" }, { status: 201 });
}

export async function revokeApiKey() {
  return new Response(null, { status: 204 });
}

export async function rotateApiKey(request: ZuploRequest) {
  return { id: request.params["keyId"], rotated: true };
}

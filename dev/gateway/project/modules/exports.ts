import type { ZuploRequest } from "@zuplo/runtime";

export async function exportData(request: ZuploRequest) {
  const { format } = (await request.json()) as { format: string };
  return Response.json({ exportId: "exp_3", format }, { status: 202 });
}

export async function readReport(): Promise<never> {
  throw new Error("the report store is not reachable");
}

export async function readSession(request: ZuploRequest) {
  return { signedIn: request.user !== undefined };
}

import type { ZuploRequest } from "@zuplo/runtime";

export async function readSecret(request: ZuploRequest) {
  return { name: request.params["name"], value: "correct horse battery staple" };
}

export async function writeSecret(request: ZuploRequest) {
  await request.json();
  return { name: request.params["name"], version: 4 };
}

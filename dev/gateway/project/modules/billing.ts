import type { ZuploRequest } from "@zuplo/runtime";

export async function changePlan(request: ZuploRequest) {
  const { plan } = (await request.json()) as { plan: string };
  return { subscription: "sub_9", plan };
}

export async function downloadInvoice(request: ZuploRequest) {
  const location = `https://files.example.com/invoices/${request.params["invoiceId"]}.pdf`;
  return new Response(null, { status: 302, headers: { location } });
}

import { createAuditLog } from "./audit-log";

/** The escape hatch as a user writes it. */
export const describedAuditLog = createAuditLog({
  describe: async ({ request, response, context }) => {
    if (request.query["fail"]) throw new Error("describe failed");
    return {
      action: "report.exported",
      targets: [{ id: request.params["id"] ?? "none", type: "report", metadata: { status: response?.status ?? 0 } }],
      metadata: { custom: JSON.stringify(context.custom) },
    };
  },
});

/** The policy's part of the reference: options, variables, and `describe`. */
import { expected, type Rule } from "../../policy/options.ts";
import { OPTIONS_REFERENCE } from "../../policy/options-reference.ts";
import { code, table } from "./markdown.ts";

/** The options table and each option's example. */
export function policyOptions(): string {
  const rows = OPTIONS_REFERENCE.map(({ name, rule, description, example }) => [
    code(name),
    `${expected(rule)}${fallback(rule)}`,
    description,
    code(JSON.stringify(example)),
  ]);
  return `## Options of the policy

Set them in \`config/policies.json\`, under \`handler.options\` of the policy's entry, which \`audit-forwarder init\` writes. A wrong option or a
missing variable never harms the API, except on a route with the assurance \`required\`, which refuses requests. The policy logs it once per
isolate, and \`audit-forwarder init --check\` reports it.

${table(["option", "value", "what it does", "example"], rows)}`;
}

function fallback(rule: Rule): string {
  if ("required" in rule) return "; required";
  return "default" in rule && rule.default !== undefined ? `; default ${code(JSON.stringify(rule.default))}` : "";
}

/** The variables that the options take by `$env(…)`. */
export function gatewayVariables(): string {
  const rows = OPTIONS_REFERENCE.flatMap(({ name, rule, description }) =>
    "variable" in rule && rule.variable !== undefined
      ? [[code(rule.variable), code(name), "required" in rule ? "required" : "optional", description]]
      : [],
  );
  return `## Variables of the gateway

\`audit-forwarder init\` adds them to \`.env\` for local runs. For a deployed environment, set them in the Zuplo project's settings, and
deploy the gateway again after each change.

${table(["variable", "option", "", "meaning"], rows)}`;
}

/** `describe`, with the types as the source has them, comments included: the built module leaves those out. */
export function describedInCode(publicTypes: string): string {
  const types = publicTypes
    .slice(publicTypes.indexOf("/** An actor"), publicTypes.indexOf("/** A policy of type"))
    .trim();
  return `### In code

If selectors are not enough, describe the request in a module of your own, and name that module in \`config/policies.json\`
(\`"module": "$import(./modules/audit)"\`). Keep the policy's name \`audit-log\`. \`audit-forwarder init\` still upgrades the module that yours imports.

\`\`\`ts
${DESCRIBE_EXAMPLE}
\`\`\`

The types of its argument and its result:

\`\`\`ts
${types}
\`\`\``;
}

const DESCRIBE_EXAMPLE = `// modules/audit.ts
import { createAuditLog } from "./audit-log";

export const auditLog = createAuditLog({
  describe({ context, response }) {
    if (response?.status !== 201) return undefined;
    return { action: "report.exported", metadata: { rows: Number(context.custom["rows"] ?? 0) } };
  },
});`;

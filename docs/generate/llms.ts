/** `llms.txt`: the documentation's table of contents for coding agents, in the form of https://llmstxt.org. */
import { SECTIONS } from "../site/pages.ts";

const HEAD = `# Audit forwarder

> Durable audit events from a Zuplo gateway to WorkOS Audit Logs. A policy in the gateway captures each request and sends it to QStash.
> A Cloudflare worker delivers it to WorkOS as exactly one event, or keeps it as a dead letter that can be inspected, fixed and replayed.

The package is not on npm: install the tarball that \`npm pack\` makes in a clone, and never run \`npx audit-forwarder\` without it.
\`npm run demo\` runs the whole path on a laptop without an account.
`;

/** An agent may skip the section of this name. */
const OPTIONAL = "Optional";

/** The text of `llms.txt`. Its links lead to the Markdown files, in the repository and on the site alike. */
export function llmsText(): string {
  const lists = SECTIONS.map(({ title, pages }) => {
    const links = pages.map((page) => `- [${page.title}](${page.path}): ${page.summary}`);
    return `## ${title === "Project" ? OPTIONAL : title}\n\n${links.join("\n")}\n`;
  });
  return [HEAD, ...lists].join("\n");
}

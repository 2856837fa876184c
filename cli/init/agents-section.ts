/** The section for coding agents in a team's AGENTS.md: what `init` wrote between two marks, and nothing else in the file. Pure. */
import { AuditError } from "../../shared/errors.ts";

/** A file of the repository's root. https://agents.md */
export const AGENTS_FILE = "AGENTS.md";

const BEGIN = "<!-- audit-forwarder: begin";
const END = "<!-- audit-forwarder: end -->";
const FIRST_LINE = `${BEGIN}; "init" replaces everything up to the end mark, so write your own text outside of it -->`;

/** True if the text has a mark of the section. */
export function hasSection(text: string | undefined): boolean {
  return text !== undefined && (text.includes(BEGIN) || text.includes(END));
}

/**
 * Returns the file with `page` as its section, at its end if it had none. Throws `conflict` unless the file has either no marks, or one
 * begin mark and after it one end mark.
 */
export function withSection(text: string | undefined, page: string): string {
  const eol = text?.includes("\r\n") ? "\r\n" : "\n";
  const section = [FIRST_LINE, "", nested(page).trim(), "", END].join("\n").replaceAll(/\r?\n/g, eol);
  if (text === undefined || text.trim() === "") return section + eol;
  if (!hasSection(text)) return `${text.trimEnd()}${eol}${eol}${section}${eol}`;
  const [before = "", inside = "", ...others] = text.split(BEGIN);
  const [, after, ...more] = inside.split(END);
  if (after === undefined || others.length + more.length > 0 || before.includes(END)) {
    throw new AuditError(
      "conflict",
      `the marks of the audit forwarder's section in "${AGENTS_FILE}" are broken; delete the section and its marks, and run the command again`,
    );
  }
  return before + section + after;
}

/** The page's headings, one level down: a file has one title, and it is the team's. */
function nested(page: string): string {
  return page.replaceAll(/^#/gm, "##");
}

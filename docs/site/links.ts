/** The links of the Markdown files, which work on GitHub, as the site needs them. Pure. */
import { posix } from "node:path";
import { PAGES, sitePath } from "./pages.ts";

/** The address of the repository in the Markdown files, which do not know their owner. */
const OURS = "https://github.com/OWNER/audit-forwarder";

/**
 * Returns where a link of `page` leads on the site. A file that is no page of the site is shown by `repository`, the URL of the
 * repository's web page; undefined if that is not known.
 */
export function siteLink(href: string, page: string, repository?: string): string | undefined {
  if (/^[a-z]+:|^#/.test(href)) return href.replace(OURS, repository ?? OURS);
  const [file = "", anchor] = href.split("#", 2);
  const path = posix.join(posix.dirname(page), decodeURIComponent(file));
  const hash = anchor === undefined ? "" : `#${anchor}`;
  if (PAGES.some((known) => known.path === path)) return `/${sitePath(path)}${hash}`;
  return repository === undefined ? undefined : `${repository}/blob/main/${path}${hash}`;
}

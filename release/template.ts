/** The package's `wrangler.toml`: the clone's, but it uploads the files that the package brings. Pure. */

/** Where a deploy puts the files, seen from the team's folder. */
const UPLOAD = ".audit-forwarder";

const HEAD = `# The worker of the audit forwarder. This file is yours: "audit-forwarder init" wrote it once, and an upgrade keeps it.
# "audit-forwarder deploy" puts the worker into .audit-forwarder/, from where wrangler uploads it as it is.
`;

/** Returns the template. Throws a TypeError if the clone's file no longer has the parts that the template replaces. */
export function wranglerTemplate(toml: string): string {
  const [, before = "", after] = /^([^]*?)^\[build\]\n(?:[^[\n].*\n)*\n([^]*)$/m.exec(toml) ?? [];
  if (after === undefined) throw new TypeError('"wrangler.toml" has no "[build]"');
  const main = /^# Made by the command below.*\nmain = .*$/m;
  if (!main.test(before)) throw new TypeError('"wrangler.toml" has no "main" under its comment');
  const site = /^directory = "dist\/site"$/m;
  if (!site.test(after)) throw new TypeError('"wrangler.toml" has no "dist/site" in its "[assets]"');
  return (
    HEAD +
    before.replace(main, `main = "${UPLOAD}/worker/index.js"`) +
    after.replace(site, `directory = "${UPLOAD}/site"`)
  );
}

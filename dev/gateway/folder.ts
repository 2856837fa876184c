/** The folder of one gateway: a copy of its project, with its own copy of the packages that Zuplo writes to. */
import { access, cp, mkdir, mkdtemp, readdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AuditError } from "../../shared/errors.ts";

interface FolderOptions {
  readonly projectDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Called with the folder's path as soon as it exists. */
  readonly onMade: (folder: string) => void;
}

/** Makes the folder and returns its path; the caller removes it. Throws `not_found` if Zuplo is not installed. */
export async function makeFolder({ projectDir, env, files = {}, onMade }: FolderOptions): Promise<string> {
  const packages = join(projectDir, "node_modules");
  await requireZuplo(projectDir);
  const folder = await mkdtemp(join(tmpdir(), "audit-gateway-"));
  onMade(folder);
  const skip = /(^|\/)(node_modules|\.zuplo|dist|\.env|\.git|\.audit-forwarder)$/;
  await cp(projectDir, folder, { recursive: true, filter: (path) => path === projectDir || !skip.test(path) });
  await linkPackages(packages, join(folder, "node_modules"));
  await writeFile(join(folder, ".env"), environmentFile(env));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** Throws `not_found` if Zuplo is not installed in a project's own `node_modules`. */
export async function requireZuplo(projectDir: string): Promise<void> {
  if (await exists(join(projectDir, "node_modules/@zuplo/cli/zup.js"))) return;
  throw new AuditError("not_found", `"zuplo" is not installed in "${projectDir}"; run "npm install" there`);
}

/**
 * Links the installed packages one by one. Each start of Zuplo 7.4.5 copies the runtime inside its CLI over
 * `node_modules/@zuplo/runtime` and creates `node_modules/.zuplo`. With one link to the whole folder, two gateways that start at
 * the same time would read each other's half-written files.
 */
async function linkPackages(installed: string, own: string): Promise<void> {
  const writesRuntime = await exists(join(installed, "@zuplo/cli/node_modules/@zuplo/runtime"));
  await linkEntries(installed, own, (name) => name !== "@zuplo" && name !== ".zuplo");
  await linkEntries(join(installed, "@zuplo"), join(own, "@zuplo"), (name) => name !== "runtime" || !writesRuntime);
}

async function linkEntries(from: string, to: string, wanted: (name: string) => boolean): Promise<void> {
  await mkdir(to);
  const names = (await readdir(from)).filter(wanted);
  await Promise.all(names.map((name) => symlink(join(from, name), join(to, name))));
}

function environmentFile(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ __ZUPLO_REMOTE_LOG_URL: "", ZUPLO_LOG_LEVEL: "info", ...env }).map(
    ([name, value]) => `${name}=${/[\s#'"]/.test(value) ? `'${value}'` : value}`,
  );
  return `${lines.join("\n")}\n`;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

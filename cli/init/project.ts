/** Reads the parts of a Zuplo project that concern the audit policy; writes nothing. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { WrongUse } from "../run/failure.ts";

/** A file of the project: its path inside the project with forward slashes, and its text; absent if the file does not exist. */
export interface ProjectFile {
  readonly path: string;
  readonly text?: string;
}

export type OpenApiFile = ProjectFile & { readonly text: string };

export interface ZuploProject {
  readonly directory: string;
  readonly policies: ProjectFile;
  /** The OpenAPI files, by name. */
  readonly openApi: readonly OpenApiFile[];
  readonly env: ProjectFile;
  /** The file at the path of our module. */
  readonly module: ProjectFile;
  /** The text of every file in `modules/` by its path in the project. */
  readonly modules: ReadonlyMap<string, string>;
}

/** The name of the policy and of its module. */
export const POLICY_NAME = "audit-log";
/** A `.ts` file, because Zuplo does not resolve `$import(./modules/audit-log)` to any other (measured with 7.4.5). */
export const MODULE_PATH = `modules/${POLICY_NAME}.ts`;

/** Reads a project; throws `WrongUse` if the directory is not a Zuplo project. */
export async function readProject(directory: string): Promise<ZuploProject> {
  const info = await stat(directory).catch(() => undefined);
  if (!info?.isDirectory()) throw new WrongUse(`"${directory}" is not a directory`);
  const names = await readdir(join(directory, "config")).catch((): string[] => []);
  const openApiNames = names.filter((name) => name.endsWith(".oas.json")).toSorted();
  if (openApiNames.length === 0) {
    throw new WrongUse(
      `"${directory}" is not a Zuplo project: it has no "config/*.oas.json"; name the project's directory`,
    );
  }
  const read = (path: string) => readText(directory, path);
  const modules = await readModules(directory);
  const module = modules.get(MODULE_PATH);
  return {
    directory,
    policies: await read("config/policies.json"),
    openApi: await Promise.all(
      openApiNames.map(async (name) => {
        const { path, text = "" } = await read(`config/${name}`);
        return { path, text };
      }),
    ),
    env: await read(".env"),
    module: { path: MODULE_PATH, ...(module === undefined ? {} : { text: module }) },
    modules,
  };
}

async function readModules(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(join(directory, "modules"), { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const read = paths.map(async (path) => [posixPath(relative(directory, path)), await readFile(path, "utf8")] as const);
  return new Map(await Promise.all(read));
}

function posixPath(path: string): string {
  return path.split(sep).join("/");
}

async function readText(directory: string, path: string): Promise<ProjectFile> {
  try {
    return { path, text: await readFile(join(directory, path), "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { path };
    throw error;
  }
}

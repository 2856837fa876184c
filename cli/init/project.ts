/** Reads the parts of a Zuplo project that the audit policy touches; nothing is written here. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { WrongUse } from "../run/failure.ts";

/** A file of the project: its path inside the project with forward slashes, and its text, absent where there is no file. */
export interface ProjectFile {
  readonly path: string;
  readonly text?: string;
}

export interface ZuploProject {
  readonly directory: string;
  readonly policies: ProjectFile;
  /** The OpenAPI files, by name. */
  readonly openApi: readonly (ProjectFile & { readonly text: string })[];
  readonly env: ProjectFile;
  /** What stands in the place of our module. */
  readonly module: ProjectFile;
}

/** The name of the policy and of its module. */
export const POLICY_NAME = "audit-log";
/** A `.ts` file, because Zuplo resolves `$import(./modules/audit-log)` to nothing else (measured with 7.4.5). */
export const MODULE_PATH = `modules/${POLICY_NAME}.ts`;

/** Reads a project; throws `WrongUse` where the directory is not a Zuplo project. */
export async function readProject(directory: string): Promise<ZuploProject> {
  const info = await stat(directory).catch(() => undefined);
  if (!info?.isDirectory()) throw new WrongUse(`"${directory}" is not a directory`);
  const names = await readdir(join(directory, "config")).catch((): string[] => []);
  const openApiNames = names.filter((name) => name.endsWith(".oas.json")).toSorted();
  if (openApiNames.length === 0) {
    throw new WrongUse(`"${basename(directory)}" is not a Zuplo project: it has no "config/*.oas.json"`);
  }
  const read = (path: string) => readText(directory, path);
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
    module: await read(MODULE_PATH),
  };
}

async function readText(directory: string, path: string): Promise<ProjectFile> {
  try {
    return { path, text: await readFile(join(directory, path), "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { path };
    throw error;
  }
}

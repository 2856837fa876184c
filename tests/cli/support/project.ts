/** Zuplo projects in temporary directories. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The files of Zuplo's own template (npm create-zuplo-api 7.8.1, MIT), cut to what `init` touches. */
const TEMPLATE = fileURLToPath(new URL("../fixtures/zuplo-template/", import.meta.url));

export interface Project {
  readonly directory: string;
  readonly read: (path: string) => Promise<string>;
  readonly write: (path: string, text: string) => Promise<void>;
  /** Every file with its text, by path. */
  readonly files: () => Promise<Record<string, string>>;
  readonly remove: () => Promise<void>;
}

/** A copy of Zuplo's template, or a project of the files given. */
export async function makeProject(files?: Readonly<Record<string, string>>): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), "zuplo-project-"));
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  };
  if (!files) await cp(TEMPLATE, directory, { recursive: true });
  for (const [path, text] of Object.entries(files ?? {})) await write(path, text);
  const read = (path: string) => readFile(join(directory, path), "utf8");
  return {
    directory,
    read,
    write,
    files: async () => {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
      return Object.fromEntries(paths.map((path, index) => [path.slice(directory.length + 1), texts[index] ?? ""]));
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** An OpenAPI file with one GET and one POST route, each with a policy of its own. */
export const TWO_ROUTES = `{
  "openapi": "3.1.0",
  "paths": {
    "/teams": {
      "get": { "x-zuplo-route": { "handler": {}, "policies": { "inbound": ["auth"], "outbound": [] } } },
      "post": { "x-zuplo-route": { "handler": {}, "policies": { "inbound": ["auth"], "outbound": [] } } }
    }
  }
}
`;

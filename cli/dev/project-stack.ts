/** The local stack around a team's own gateway. Its code is in the package, beside the CLI, which loads it only for `dev`. */
import { pathToFileURL } from "node:url";
import { builtFile } from "../run/installation.ts";

export interface ProjectStackOptions {
  readonly projectDir: string;
  /** The variables of the project's `.env`; those of the stack replace them. */
  readonly projectEnv: Readonly<Record<string, string>>;
  /** The files that a deploy would upload: the module's text, and the folder of the static assets. */
  readonly worker: { readonly script: string; readonly site: string };
  /** 0 takes a free one. */
  readonly ports: {
    readonly gateway: number;
    readonly queue: number;
    readonly worker: number;
    readonly workos: number;
  };
  readonly stateDir: string;
  /** Told before each part starts. */
  readonly onStart: (part: string) => void;
  /** Told each line that the gateway writes. */
  readonly onLine: (line: string) => void;
}

/** The URLs of the parts, and the variables that a command needs to reach them. */
export interface ProjectStack {
  readonly gateway: string;
  readonly queue: string;
  readonly workos: string;
  readonly workerVariables: Readonly<Record<string, string>>;
}

interface Code {
  readonly startProjectStack: (options: ProjectStackOptions) => Promise<ProjectStack>;
}

/** Starts the stack and keeps it running until SIGINT or SIGTERM ends the process. Throws `port_taken`, `not_found` or `unavailable`. */
export async function startProjectStack(options: ProjectStackOptions): Promise<ProjectStack> {
  const code = (await import(pathToFileURL(builtFile("dev.mjs")).href)) as Code;
  return code.startProjectStack(options);
}

/** Runs the simulation in a process of its own: it replaces the clock and the network of the one it runs in. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
}

/** `main` is a path from this folder. Ends with whatever it printed; never rejects. */
export function simulate(variables: Readonly<Record<string, string>>, main = "main.ts"): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...variables };
    const path = fileURLToPath(new URL(main, import.meta.url));
    execFile(process.execPath, [path], { env, maxBuffer: 64_000_000 }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code ?? 1) : 0, stdout: stdout + stderr });
    });
  });
}

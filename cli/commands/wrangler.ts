/** `wrangler`: only its line in the help. `cli/program.ts` runs it, because all arguments belong to wrangler. */
import { runWrangler } from "../deploy/wrangler-run.ts";
import { command } from "../run/command.ts";

export const wrangler = command({
  usage: "wrangler [arguments..]",
  about: "Run the pinned wrangler in the worker's folder, with all arguments",
  examples: [["wrangler login", "log in to Cloudflare"]],
  run: async (_args, io) => ({ json: {}, lines: [], ok: (await runWrangler([], io.env)) === 0 }),
});

/** `npm run console`'s step of a deploy: writes the static assets that wrangler uploads beside the worker. */
import { writeConsole } from "./build.ts";

await writeConsole();

/** The console's step in a deploy: writes the static assets that wrangler uploads with the worker. */
import { writeConsole } from "./build.ts";

await writeConsole();

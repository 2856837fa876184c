/** Writes what is uploaded; `[build]` in wrangler.toml runs it. */
import { writeUpload } from "./build.ts";

await writeUpload();

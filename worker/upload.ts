/** Writes the files for the upload; `[build]` in wrangler.toml runs it. */
import { writeUpload } from "./build.ts";

await writeUpload();

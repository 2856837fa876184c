/** The entry of the script "prepack", which `npm pack` runs first: builds the package's files. Prints to stderr only. */
import { buildPackage } from "./package.ts";

const { version, commit } = await buildPackage();
console.error(`Package: dist/package, version ${version}, commit ${commit}`);

/** The real npm against a registry that lies about the package of Node 24. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { errorLines, makeCopy, NODE_FILE, PINNED_NODE, type Copy } from "./harness.ts";

const PACKAGE = { name: "node-pinned", version: "24.0.1", bin: { node: "bin/node" } };

interface Tarball {
  readonly bytes: Buffer;
  readonly integrity: string;
}

/** Packs `node` as the binary of the package, in the way of `npm pack`. */
async function packed(copy: Copy, name: string, node: string): Promise<Tarball> {
  const directory = join(dirname(copy.root), name);
  await mkdir(join(directory, "package/bin"), { recursive: true });
  await writeFile(join(directory, "package/package.json"), JSON.stringify(PACKAGE));
  await writeFile(join(directory, "package/bin/node"), node);
  await chmod(join(directory, "package/bin/node"), 0o755);
  await promisify(execFile)("tar", ["-czf", "package.tgz", "package"], { cwd: directory });
  const bytes = await readFile(join(directory, "package.tgz"));
  return { bytes, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` };
}

/** Starts a registry that serves `tarball`, announced with `integrity`; returns its URL. */
async function startRegistry({ bytes }: Tarball, integrity: string): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url?.endsWith(".tgz")) {
      response.end(bytes);
      return;
    }
    const dist = { tarball: `${url()}/node-pinned.tgz`, integrity };
    const { name, version } = PACKAGE;
    const json = { name, "dist-tags": { latest: version }, versions: { [version]: { ...PACKAGE, dist } } };
    response.setHeader("content-type", "application/json").end(JSON.stringify(json));
  });
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return url();
}

const REFUSED = {
  exitCode: 1,
  stdout: "",
  errors: [
    expect.stringMatching(
      /^error\[npm_cache_damaged\]: a package is not the one that the lockfile pins; check "npm config get registry"/,
    ),
  ],
};
const RAN = { exitCode: 0, stdout: "task ran\n", errors: [] };

describe("Node 24 from a registry", () => {
  it.each([
    { registry: "serves the pinned package", serves: "pinned", announces: "pinned", outcome: RAN },
    { registry: "serves another package", serves: "impostor", announces: "impostor", outcome: REFUSED },
    {
      registry: "serves another package under the pinned hash",
      serves: "impostor",
      announces: "pinned",
      outcome: REFUSED,
    },
  ] as const)("runs only if it is the pinned one: the registry $registry", async ({ serves, announces, outcome }) => {
    const copy = await makeCopy({}, "console.log('task ran');");
    const impostor = PINNED_NODE.replace("\n", `\ntouch '${copy.root}/impostor-ran'\n`);
    const tarballs = {
      pinned: await packed(copy, "pinned", PINNED_NODE),
      impostor: await packed(copy, "impostor", impostor),
    };
    await copy.pinNode({ integrity: tarballs.pinned.integrity });
    // Installed already, so that npm is called for Node alone.
    await copy.write("node_modules/.package-lock.json", await copy.read("package-lock.json"));
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: dirname(copy.root),
      npm_config_registry: await startRegistry(tarballs[serves], tarballs[announces].integrity),
      npm_config_cache: join(dirname(copy.root), "cache"),
    };
    const { exitCode, stdout, stderr } = await copy.run(["bench"], { nodeVersion: "20.20.2", env });
    expect({ exitCode, stdout, errors: errorLines(stderr) }).toEqual(outcome);
    expect(copy.has("impostor-ran")).toBe(false);
    expect(copy.has(NODE_FILE)).toBe(exitCode === 0);
  });
});

/**
 * A browser that needs only npm: Chromium comes in the package `@sparticuz/chromium`. `AUDIT_TEST_CHROMIUM` selects another
 * browser. On machines other than Linux on x64, the installed Chrome is used.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const KEPT = join(ROOT, ".audit-forwarder");

/** Stops Chromium from looking for updates, which would delay tests. Its sandbox needs rights that a container lacks. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Starts Chromium without a window. */
export async function startChromium(): Promise<Browser> {
  const given = process.env["AUDIT_TEST_CHROMIUM"];
  if (given !== undefined) return launch({ executablePath: given });
  // The package contains a browser for Linux on x64 only.
  if (process.platform !== "linux" || process.arch !== "x64") return launch({ channel: "chrome" });
  const folder = await unpacked();
  const executablePath = join(folder, "chromium");
  const env = { ...process.env, FONTCONFIG_FILE: join(folder, "fonts.conf") } as Record<string, string>;
  // A plain container lacks some libraries, which the package contains.
  return launch({ executablePath, env }).catch(() =>
    launch({ executablePath, env: { ...env, LD_LIBRARY_PATH: join(folder, "al2023", "lib") } }),
  );
}

function launch(options: LaunchOptions): Promise<Browser> {
  return chromium.launch({ ...options, args: ARGUMENTS, timeout: 240_000 });
}

/** Unpacks the browser once per version. Several processes may do so at the same time; the first to finish wins. */
async function unpacked(): Promise<string> {
  const { devDependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const folder = join(KEPT, `chromium-${devDependencies["@sparticuz/chromium"]}`);
  if (existsSync(folder)) return folder;
  await mkdir(KEPT, { recursive: true });
  const part = await mkdtemp(join(KEPT, "chromium-part-"));
  await unpack(part);
  await writeFile(join(part, "fonts.conf"), fontsAt(join(folder, "fonts")));
  await rename(part, folder).catch(() => rm(part, { recursive: true }));
  return folder;
}

/** The package unpacks into the folder for temporary files, so it runs in a process with its own temporary folder. */
async function unpack(into: string): Promise<void> {
  const packed = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "..", "bin");
  const files = ["chromium.br", "fonts.tar.br", "al2023.tar.br"].map((name) => join(packed, name));
  const script = `
    import { inflate } from "@sparticuz/chromium";
    await Promise.all(${JSON.stringify(files)}.map((file) => inflate(file)));`;
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: into },
  });
}

/**
 * Prefers the package's own font, because machines have different ones.
 * https://www.freedesktop.org/software/fontconfig/fontconfig-user.html
 */
function fontsAt(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/cache</cachedir>
  <alias binding="same"><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias binding="same"><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
</fontconfig>
`;
}

/** The console on stage: the real worker with its stand-ins, and a page of a real browser. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { createHash } from "node:crypto";
import { ADMIN_TOKEN, type LocalPath, startLocalPath } from "../../worker/support/local-path.ts";
import { startChromium } from "../../../dev/chromium.ts";

/** Ends what hangs; it judges no speed. */
const PATIENCE_MS = 240_000;

export const TOKENS = {
  read: "token-of-a-reader-00000001",
  operate: "token-of-an-operator-0001",
  admin: ADMIN_TOKEN,
} as const;

export interface Stage {
  readonly path: LocalPath;
  /** What the worker's pages asked of any other origin. Empty, or a test has found something. */
  readonly strangers: string[];
  /** Errors that a page has thrown, and what its policy has blocked. */
  readonly errors: string[];
  /** A page in a session of its own. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** A page that is signed in, at an address below `/console`. */
  openAt(address: string, role?: keyof typeof TOKENS, options?: BrowserContextOptions): Promise<Page>;
  stop(): Promise<void>;
}

export async function startStage(
  variables: Record<string, string> = {},
  options: Parameters<typeof startLocalPath>[1] = {},
): Promise<Stage> {
  const [path, browser] = await Promise.all([
    startLocalPath({ AUDIT_ENVIRONMENT: "staging", AUDIT_TOKENS: namedTokens(), ...variables }, options),
    startChromium(),
  ]);
  const strangers: string[] = [];
  const errors: string[] = [];
  const open = (options?: BrowserContextOptions) => openPage(browser, path.url, { strangers, errors }, options);
  return {
    path,
    strangers,
    errors,
    open,
    async openAt(address, role = "admin", options) {
      const page = await open(options);
      await page.addInitScript((token) => sessionStorage.setItem("audit-forwarder.token", token), TOKENS[role]);
      await page.goto(`${path.url}/console${address}`);
      await page.getByRole("navigation").waitFor();
      return page;
    },
    async stop() {
      await browser.close();
      await path.stop();
    },
  };
}

function namedTokens(): string {
  const entry = (name: string, role: "read" | "operate") => ({
    name,
    role,
    sha256: createHash("sha256").update(TOKENS[role]).digest("hex"),
  });
  return JSON.stringify([entry("rita", "read"), entry("ann", "operate")]);
}

async function openPage(
  browser: Browser,
  origin: string,
  { strangers, errors }: Pick<Stage, "strangers" | "errors">,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith("blob:")) strangers.push(request.url());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      errors.push(message.text());
  });
  return page;
}

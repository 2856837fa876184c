// The bootstrap's expected failures: each has a fixed code and one line that ends with the fix.

/** An expected failure: `code` never changes its meaning, `message` is one lower-case clause with the fix. */
export class SetupError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} [exitCode] 1 failed, 2 wrong use, 128 + n after signal n
   */
  constructor(code, message, exitCode = 1) {
    super(message);
    this.name = "SetupError";
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** @type {ReadonlyArray<{ code: string, sign: RegExp, says: (found: string) => string }>} */
const NPM_FAILURES = [
  { code: "disk_full", sign: /\b(ENOSPC)\b/, says: () => "the disk is full; free 2 GB" },
  {
    code: "npm_unreachable",
    sign: /\b(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_HAS_EXPIRED)\b/,
    says: (found) => `npm does not trust its registry's certificate (${found}); name yours in "NODE_EXTRA_CA_CERTS"`,
  },
  {
    code: "npm_unreachable",
    sign: /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|E[A-Z_]*TIMEOUT|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|E50[0-4])\b/,
    says: (found) => `npm cannot reach its registry (${found}); check the network or the proxy`,
  },
  {
    code: "not_writable",
    sign: /\b(EACCES|EPERM|EROFS)\b/,
    says: (found) => `npm cannot write to a folder (${found}); fix its owner or its permissions`,
  },
  {
    code: "npm_cache_damaged",
    sign: /\b(EINTEGRITY)\b/,
    says: () =>
      'a package is not the one that the lockfile pins; check "npm config get registry", run "npm cache clean --force"',
  },
  {
    code: "lockfile_out_of_step",
    sign: /\b(EUSAGE)\b/,
    says: () => '"package.json" and "package-lock.json" disagree; run "npm install", commit both',
  },
  {
    code: "package_missing",
    sign: /\b(E404|ETARGET)\b/,
    says: () => 'npm\'s registry lacks a package; see "npm config get registry"',
  },
];

/**
 * Explains npm's output. The first code that it recognizes wins; the log keeps npm's own words.
 * @param {string} output
 * @param {string} doing the work in progress, such as "installing the packages"
 * @param {string} log the log file, relative to the repository
 */
export function npmFailure(output, doing, log) {
  for (const { code, sign, says } of NPM_FAILURES) {
    const found = sign.exec(output)?.[1];
    if (found) return new SetupError(code, `${says(found)} and run the command again (while ${doing}; log: ${log})`);
  }
  return new SetupError(
    "install_failed",
    `npm failed while ${doing}; read ${log}, fix the cause and run the command again`,
  );
}

/**
 * Explains an error of the file system; returns undefined for any other error.
 * @param {unknown} error
 */
export function fileFailure(error) {
  const { code, path } = /** @type {NodeJS.ErrnoException} */ (error ?? {});
  if (code === "ENOSPC") return new SetupError("disk_full", "the disk is full; free 2 GB and run the command again");
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return undefined;
  return new SetupError(
    "not_writable",
    `"${path}" cannot be written; fix its owner or its permissions and run the command again`,
  );
}

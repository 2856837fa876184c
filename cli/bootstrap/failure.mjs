// The bootstrap's expected failures, each with a fixed code and one line that ends in the fix.

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

const NETWORK =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ENETDOWN|EPROTO|E50[234])\b/;
const CERTIFICATE =
  /\b(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_HAS_EXPIRED)\b/;

/**
 * What npm's output means. The first code npm names decides; its own words stay in the log.
 * @param {string} output what npm printed
 * @param {string} doing what was under way, such as "installing packages"
 * @param {string} log the log file, relative to the repository
 */
export function npmFailure(output, doing, log) {
  const again = `run the command again (log: ${log})`;
  const network = NETWORK.exec(output)?.[1];
  const certificate = CERTIFICATE.exec(output)?.[1];
  if (/\bENOSPC\b/.test(output))
    return new SetupError("disk_full", `the disk is full while ${doing}; free 2 GB and ${again}`);
  if (certificate) {
    return new SetupError(
      "npm_unreachable",
      `npm does not trust its registry's certificate (${certificate}) while ${doing}; set "NODE_EXTRA_CA_CERTS" and ${again}`,
    );
  }
  if (network) {
    return new SetupError(
      "npm_unreachable",
      `npm cannot reach its registry (${network}) while ${doing}; check the network or the proxy and ${again}`,
    );
  }
  if (/\b(EACCES|EPERM|EROFS)\b/.test(output)) {
    return new SetupError(
      "not_writable",
      `a folder may not be written while ${doing}; mend its owner or its rights and ${again}`,
    );
  }
  if (/\bEINTEGRITY\b/.test(output)) {
    return new SetupError("npm_cache_damaged", `npm's cache is damaged; run "npm cache clean --force" and ${again}`);
  }
  if (/\bEUSAGE\b/.test(output)) {
    return new SetupError(
      "lockfile_out_of_step",
      `"package.json" and "package-lock.json" disagree; run "npm install", commit both and ${again}`,
    );
  }
  if (/\b(E404|ETARGET)\b/.test(output)) {
    return new SetupError(
      "package_missing",
      `npm's registry does not have a package while ${doing}; see "npm config get registry" and ${again}`,
    );
  }
  return new SetupError("install_failed", `npm failed while ${doing}; read ${log} and run the command again`);
}

/** Whether a URL stays on this machine, where `http` is as safe as `https`. */

/** Returns true for `localhost`, its subdomains, `127.0.0.0/8` and `[::1]`. https://www.rfc-editor.org/rfc/rfc6761#section-6.3 */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}

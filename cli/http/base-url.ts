/**
 * The one spelling of a base URL. URLs that name a service of ours are compared and signed in this form, never as the text that
 * somebody typed.
 *
 * Lower-case scheme and host, no default port, no trailing slash. Undefined if the text is not an http or https URL, or if it has
 * credentials, a query or a fragment.
 *
 * @example baseUrl("HTTPS://Audit.Example.com:443/") // "https://audit.example.com"
 */
export function baseUrl(text: string): string | undefined {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.username || url.password || /[?#]/.test(text)) return undefined;
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** Returns true for a host that only this machine answers: `localhost`, `*.localhost`, `127.0.0.0/8` and `[::1]`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host) || host.endsWith(".localhost");
}

/** The one rule for URLs of services: how one is spelled, and which may carry a secret. */

/** The part of the platforms' `URL` that is needed here; every platform has it. */
declare const URL: {
  canParse(text: string): boolean;
  new (text: string): {
    readonly protocol: string;
    readonly hostname: string;
    readonly origin: string;
    readonly pathname: string;
    readonly username: string;
    readonly password: string;
  };
};

/** A name or an address. `URL` also takes hosts that no name server knows, such as `*.example.com` and `a.example;https`. */
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])$/;

/**
 * Returns the one spelling of a base URL: lower-case scheme and host, no default port, no trailing slash. Compare URLs of our
 * services in this form, never as somebody typed them. Returns undefined if the text is not an http or https URL, or
 * if it has blanks, credentials, a query, a fragment, or a host that no name server knows.
 *
 * @example baseUrl("HTTPS://Audit.Example.com:443/") // "https://audit.example.com"
 */
export function baseUrl(text: string): string | undefined {
  const plain = text.trim();
  if (!/^https?:\/\/[^\s?#]+$/i.test(plain) || !URL.canParse(plain)) return undefined;
  const url = new URL(plain);
  if (url.username || url.password || !HOST.test(url.hostname)) return undefined;
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/**
 * Returns true if a secret may be sent to the URL: `https`, or `http` on this machine. False for a text that is not a URL, and for
 * one with a user or a password: the runtime drops them without an error, so the receiver would refuse each request.
 */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  if (username || password) return false;
  return protocol === "https:" || (protocol === "http:" && isLoopback(text));
}

/**
 * Returns true for a URL that stays on this machine: `localhost`, its subdomains, `127.0.0.0/8` and `[::1]`. Throws `TypeError` for
 * a text that is not a URL. https://www.rfc-editor.org/rfc/rfc6761#section-6.3
 */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}

/** Recognizes IP addresses, because a client can put any text into a header. */
declare const URL: { canParse(url: string): boolean };

/** Four decimal numbers up to 255, without leading zeros. RFC 6943, section 3.1.1 */
const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/;
/** The characters of an IPv6 address, and as many as its longest form has: six groups and an IPv4 address. */
const IPV6_TEXT = /^[\da-f:.]{2,45}$/i;

/**
 * Returns true for an IPv4 or IPv6 address without port, brackets or zone.
 *
 * @example
 * isIpAddress("2001:db8::1"); // true
 * isIpAddress("203.0.113.7:443"); // false
 */
export function isIpAddress(text: string): boolean {
  // URLs hold IPv6 addresses in brackets, so their parser knows every form of one. https://url.spec.whatwg.org/#concept-ipv6-parser
  return IPV4.test(text) || (IPV6_TEXT.test(text) && URL.canParse(`http://[${text}]`));
}

/** Recognizes IP addresses, because a client can put any text into a header that is meant to hold one. Pure. */

/** Four decimal numbers up to 255, without leading zeros. RFC 6943, section 3.1.1 */
const IPV4 = /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.(?!$)|$)){4}$/;
const LEADING_ZERO = /(^|\.)0\d/;
const IPV6_GROUP = /^[\da-f]{1,4}$/i;
const IPV6_GROUPS = 8;
/** Longest form: six groups and an IPv4 address. */
const IP_MAX_CHARS = 45;

/**
 * True for an IPv4 or IPv6 address and nothing else: no port, no brackets, no zone, no list.
 *
 * @example
 * isIpAddress("2001:db8::1"); // true
 * isIpAddress("203.0.113.7:443"); // false
 */
export function isIpAddress(text: string): boolean {
  return text.length <= IP_MAX_CHARS && (isIpv4(text) || isIpv6(text));
}

function isIpv4(text: string): boolean {
  return IPV4.test(text) && !LEADING_ZERO.test(text);
}

/** RFC 4291, section 2.2: groups of hexadecimal digits, one `::` for any number of zero groups, an IPv4 address at the end. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2 || !text.includes(":")) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1) ?? "";
  // An IPv4 address takes the place of two groups, and only at the very end.
  const endsInIpv4 = text.endsWith(last) && last !== "" && isIpv4(last);
  const hexadecimal = endsInIpv4 ? groups.slice(0, -1) : groups;
  const count = hexadecimal.length + (endsInIpv4 ? 2 : 0);
  return (
    hexadecimal.every((group) => IPV6_GROUP.test(group)) &&
    (halves.length === 2 ? count < IPV6_GROUPS : count === IPV6_GROUPS)
  );
}

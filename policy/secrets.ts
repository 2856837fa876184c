/** What never leaves the gateway, even inside a selected value: secrets, known by their name or by their shape. */

/** Stands where a secret was. */
export const REDACTED = "[redacted]";

/** Tested on a name in lower-case words. */
const SECRET_NAME =
  /(pass(wor[dt]|wd|phrase|code)|secret|token|cookie)s?\d*\b|\b(pwd|jwt|bearer|auth(orization|entication)?|credentials?|signature|t?otp|pin|cv[vc]2?|ssn|session|[cx]srf)\b|(api|private|access|signing|encryption|master|ssh|client|subscription|functions|shared) ?key|(card|account) ?number|(security|recovery|backup|verification|reset) (code|answer|link)/;
/** What is said about a secret is none: `token_id`, `passwordChangedAt`. */
const ABOUT_ONE = / (ids?|name|type|kind|count|length|expir(y|es)|at|on|enabled|required|status|version|age)$/;

/**
 * True for the name of something secret: `client_secret`, `accessToken`, `x-api-key`, but not `token_id`; for a path of names,
 * what stands below such a name is secret too.
 */
export function isSecretName(name: string | readonly string[], more: readonly string[] = []): boolean {
  const names = [name].flat();
  const words = names
    // A claim has its issuer's host in front: `https://auth.example.com/organization` is none.
    .map((one) => one.replace(/^https?:.*\//, ""))
    .join(" ")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[^a-z0-9]+/gi, " ")
    .toLowerCase();
  return (
    names.some((one) => more.some((other) => other.toLowerCase() === one.toLowerCase())) ||
    (!ABOUT_ONE.test(words) && SECRET_NAME.test(words))
  );
}

const SHAPES: readonly RegExp[] = [
  // JSON Web Tokens, signed or encrypted, cut off or not. RFC 7519
  /\bey[JI][\w-]{8,}\.[\w.-]*/g,
  // PEM blocks of private keys. RFC 7468
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY[^]*?(-----END [^-]*-----|$)/g,
  // Keys that their issuers mark: Stripe, WorkOS, Zuplo, Upstash, npm, Shopify; GitHub, GitLab, Slack; AWS, Google, SendGrid, OpenAI
  /\b((?:[spr]k|whsec|sig|zpka|npm|shp(?:at|ca|pa|ss)|gh[opusr]|github_pat)_|(?:sk|glpat|xox[a-z])-|A[KS]IA|AIza|ya29\.|SG\.)[\w.+/=-]{10,}/g,
  // HTTP credentials (RFC 9110, section 11.4); "basic information" is none.
  /\b([Bb]earer\s+[\w.~+/-]{8,}|([Bb]asic|[Dd]igest|[Tt]oken)\s+(?=\S+[A-Z\d])[\w.~+/-]{8,})=*/g,
  // A password inside a URL. RFC 3986, section 3.2.1
  /(?<=:\/\/)[^\s/@:]*:[^\s/@]+(?=@)/g,
  // name=value and "name": "value" of something secret.
  /\b(\w*(pass(word|wd|phrase)|secret|token)|pwd|api[_-]?key|authorization)[\\"']*\s*[=:][\s\\"']*[^\s\\"'&,;]{3,}/gi,
];

/** Groups of digits, among which a card number may stand, alone or within a text. */
const DIGITS = /(?<!\d\.?)\d{4,}([\s._-]{1,3}\d+)*/g;

/** The longest text that is looked through; shaping cuts far below it. */
const SCRUB_MAX_CHARS = 4_000;

/** How often a text may be encoded upon an encoding; nobody but an attacker does more, and each costs time. Our choice. */
const ENCODED_MAX = 4;

/** The text with everything in it that has the shape of a secret replaced. */
export function scrub(text: string, depth = ENCODED_MAX): string {
  if (text.length < 8) return text;
  let clean = text.slice(0, SCRUB_MAX_CHARS);
  for (const shape of SHAPES) clean = clean.replaceAll(shape, REDACTED);
  clean = clean.replaceAll(DIGITS, (run) => (holdsCardNumber(run.split(/\D+/)) ? REDACTED : run));
  // What an URL or a form encodes, once or more, is shown as it stood only where nothing in it is a secret.
  // oxlint-disable-next-line typescript/no-deprecated -- the only decoder that takes malformed text as it is
  const decoded = unescape(clean.replaceAll("+", " "));
  if (decoded !== clean && (depth && scrub(decoded, depth - 1)) !== decoded) return REDACTED;
  // What was not looked through must not come to light because what stood before it was a secret.
  return clean + (text.length > SCRUB_MAX_CHARS ? REDACTED : "");
}

/** The groups of the longest number as it is written: nineteen digits, four in each but the last. */
const GROUPS_MAX = 5;

/** An expiry date or another number may stand beside it, so that every row of whole groups is tried. */
function holdsCardNumber(groups: readonly string[]): boolean {
  return groups.some((_, i) => {
    let digits = "";
    return groups.slice(i, i + GROUPS_MAX).some((group) => isCardNumber((digits += group)));
  });
}

/** First digits and lengths of the card networks: an id of as many digits is rarely one. */
const CARD = /^(4(\d{3}){4,6}|(5[1-5]|2[2-7]|35)\d{14}|3[47]\d{13}|3[0689]\d{12}|6\d{15,18})$/;

/** True for a number of a network with the right check digit. ISO/IEC 7812-1 (Luhn). */
function isCardNumber(text: string): boolean {
  // From the right, every second digit counts as the digit sum of its double.
  const add = (sum: number, digit: string, i: number) =>
    sum + Number((text.length - i) % 2 ? digit : "0246813579"[Number(digit)]);
  return CARD.test(text) && text.split("").reduceRight(add, 0) % 10 === 0;
}

/** What never leaves the gateway, even inside a selected value: secrets, known by their name or by their shape. */

/** Stands where a secret was. */
export const REDACTED = "[redacted]";

const SECRET_WORD =
  /^(pass(wor[dt]|wd|phrase|code)|pwd|secrets?|tokens?|jwt|bearer|apikey|auth(orization|entication)?|cookies?|credentials?|signature|t?otp|pin|cv[vc]|ssn|session|[cx]srf)$/;
const SECRET_PAIR =
  /(api|private|access|secret|signing|encryption|master|ssh|client) key|(card|account) number|(security|recovery|backup|verification|reset) (code|answer|link)/;
/** What is said about a secret is none: `token_id`, `passwordChangedAt`. */
const ABOUT_ONE = /^(ids?|name|type|kind|count|length|expir(y|es)|at|on|enabled|required|status|version|age)$/;

/** True for the name of something secret: `client_secret`, `accessToken`, `x-api-key`, but not `token_id`. */
export function isSecretName(name: string, more: readonly string[] = []): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  if (more.includes(name)) return true;
  if (ABOUT_ONE.test(words.at(-1) ?? "")) return false;
  return SECRET_PAIR.test(words.join(" ")) || words.some((word) => SECRET_WORD.test(word));
}

const SHAPES: readonly RegExp[] = [
  // JSON Web Tokens, signed or encrypted, cut off or not. RFC 7519
  /\bey[JI][\w-]{8,}\.[\w.-]*/g,
  // PEM blocks of private keys. RFC 7468
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY[^]*?(-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|$)/g,
  // Keys that their issuers mark: Stripe, WorkOS, Zuplo, Upstash, npm, Shopify; GitHub, GitLab, Slack; AWS, Google, SendGrid, OpenAI
  /\b((?:[spr]k|whsec|sig|zpka|npm|shp(?:at|ca|pa|ss)|gh[opusr]|github_pat)_|(?:sk|glpat|xox[a-z])-|A[KS]IA|AIza|ya29\.|SG\.)[\w.+/=-]{10,}/g,
  // HTTP credentials (RFC 9110, section 11.4); "basic information" is none.
  /\b([Bb]earer\s+[\w.~+/-]{8,}|([Bb]asic|[Dd]igest|[Tt]oken)\s+(?=\S+[A-Z\d])[\w.~+/-]{8,})=*/g,
  // A password inside a URL. RFC 3986, section 3.2.1
  /(?<=:\/\/)[^\s/@]*:[^\s/@]+(?=@)/g,
  // name=value and "name": "value" of something secret.
  /\b(\w*password|passwd|pwd|\w*secret|api_?key|\w*token)["']?\s*[=:]\s*["']?[^\s"'&,;]{3,}/gi,
];

/** Digits as card numbers are written, alone or within a text. */
const CARD = /(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.-]?\d)/g;

/** The longest text that is looked through; shaping cuts far below it. */
const SCRUB_MAX_CHARS = 4_000;

/** The text with everything in it that has the shape of a secret replaced. */
export function scrub(text: string): string {
  if (text.length < 8) return text;
  let clean = text.slice(0, SCRUB_MAX_CHARS);
  for (const shape of SHAPES) clean = clean.replaceAll(shape, REDACTED);
  clean = clean.replaceAll(CARD, (digits) => (isCardNumber(digits.replaceAll(/\D/g, "")) ? REDACTED : digits));
  // What was not looked through must not come to light because what stood before it was a secret.
  return text.length > SCRUB_MAX_CHARS ? clean + REDACTED : clean;
}

/** The check digit of ISO/IEC 7812-1 (Luhn), and a first digit that card networks use. */
function isCardNumber(digits: string): boolean {
  if (!/^[2-6]/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.charAt(digits.length - 1 - i));
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

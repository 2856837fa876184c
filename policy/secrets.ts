/** What never leaves the gateway, even inside a selected value: secrets, known by their name or by their shape. */

/** Stands where a secret was. */
export const REDACTED = "[redacted]";

const SECRET_WORDS: ReadonlySet<string> = new Set(
  (
    "password passwd passphrase passcode pwd secret secrets token tokens jwt bearer apikey authorization auth cookie cookies " +
    "credential credentials signature otp totp mfa pin cvv cvc csc ssn pan session csrf xsrf"
  ).split(" "),
);
const SECRET_PAIRS: ReadonlySet<string> = new Set(
  (
    "api key|private key|access key|secret key|signing key|encryption key|shared key|master key|ssh key|client key|license key|" +
    "card number|account number|security code|security answer|recovery code|backup code|verification code|magic link|reset link"
  ).split("|"),
);
/** What is said about a secret is none: `token_id`, `passwordChangedAt`. */
const ABOUT: ReadonlySet<string> = new Set(
  "id ids name type kind count length expiry expires at on enabled required status version algorithm strength age".split(
    " ",
  ),
);

/** True for the name of something secret: `client_secret`, `accessToken`, `x-api-key`, but not `token_id`. */
export function isSecretName(name: string, more: readonly string[] = []): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  if (more.some((other) => other.toLowerCase() === name.toLowerCase())) return true;
  if (ABOUT.has(words.at(-1) ?? "")) return false;
  return words.some((word, i) => SECRET_WORDS.has(word) || SECRET_PAIRS.has(`${word} ${words[i + 1] ?? ""}`));
}

const SHAPES: readonly RegExp[] = [
  // JSON Web Tokens, signed or encrypted, cut off or not. RFC 7519
  /\bey[JI][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,3}/g,
  // PEM blocks of private keys. RFC 7468
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|$)/g,
  // Keys whose issuer marks them: Stripe and WorkOS, GitHub, GitLab, Slack, npm, AWS, Google, SendGrid, Zuplo, Upstash, Shopify, …
  /\b(?:[spr]k|rk|pk|whsec|sig|zpka|npm|shp(?:at|ca|pa|ss)|dop_v1|lin_api|xkeysib|hf|gsk|sq0[a-z]{3})_[A-Za-z0-9_+/=-]{10,}/g,
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\b(?:gh[opusr]_|github_pat_)[A-Za-z0-9_]{20,}/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bxox[a-z]-[A-Za-z0-9-]{10,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\bya29\.[A-Za-z0-9_-]{20,}/g,
  /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/g,
  // HTTP credentials. RFC 9110, section 11.4
  /\b(?:Bearer|Basic|Digest|Token)\s+[A-Za-z0-9._~+/-]{8,}=*/gi,
  // A password inside a URL. RFC 3986, section 3.2.1
  /(?<=:\/\/)[^\s/@]*:[^\s/@]+(?=@)/g,
  // name=value and "name": "value" of something secret.
  /\b(?:password|passwd|pwd|secret|client_secret|api_?key|access_token|refresh_token|id_token|token)["']?\s*[=:]\s*["']?[^\s"'&,;]{3,}/gi,
];

/** Digits as card numbers are written, alone or within a text. */
const CARD = /(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.-]?\d)/g;

/** The text with everything in it that has the shape of a secret replaced. */
export function scrub(text: string): string {
  if (text.length < 8) return text;
  let clean = text;
  for (const shape of SHAPES) clean = clean.replaceAll(shape, REDACTED);
  return clean.replaceAll(CARD, (digits) => (isCardNumber(digits.replaceAll(/[ -]/g, "")) ? REDACTED : digits));
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

/** Recognizes a secret by the name of its field. Pure. */

/** Tested on a name in lower-case words, such as `client secret`. */
const SECRET_NAME =
  /(pass(wor[dt]|wd|phrase|code)|secret|token|cookie|sess(ion)?_?id)s?\d*\b|\b(pass|pwd|pw|psw|pswd|jwt|bearer|auth(orization|entication|z)?|credentials?|creds|signature|mnemonic|t?otp|mfa|pin|cv[vcn]2?|ssn|session|[cx]srf|saml ?(response|request|assertion)|connect sid|aspxauth|connection string)\b|(api|private|access|signing|encryption|master|ssh|client|subscription|functions|shared|account|storage|instrumentation|webhook|license) ?key|(card|account) ?number|(credit|debit) ?card|(security|recovery|backup|verification|reset|mfa|otp|2fa|login|one time|sms) ?(code|answer|link)/;
/** A fact about a secret is not secret: `token_id`, `passwordChangedAt`. The id of a session is. */
const ABOUT_SECRET =
  /(?<!\bsession) ids?$| (name|type|kind|count|length|expir(y|es)|at|on|enabled|required|status|version|age)$/;

/**
 * True for the name of a secret: `client_secret`, `accessToken`, `x-api-key`, but not `token_id`. For a path of names, also true if
 * the value is below such a name. `more` are further names, compared case-insensitively.
 *
 * @example
 * isSecretName(["password", "value"]); // true
 */
export function isSecretName(name: string | readonly string[], more: readonly string[] = []): boolean {
  const names = typeof name === "string" ? [name] : name;
  const words = wordsOf(names.length === 1 ? (names[0] ?? "") : names.map(withoutIssuer).join(" "));
  return (
    (SECRET_NAME.test(words) && !ABOUT_SECRET.test(words)) ||
    (more.length > 0 && names.some((one) => more.some((other) => other.toLowerCase() === one.toLowerCase())))
  );
}

/** A claim can begin with its issuer's host: `https://auth.example.com/organization` is not a secret. */
function withoutIssuer(name: string): string {
  return name.startsWith("http") ? name.replace(/^https?:.*\//, "") : name;
}

function wordsOf(name: string): string {
  return withoutIssuer(name)
    .replaceAll(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/g, " ")
    .toLowerCase();
}

/** A name, its sign and the following white space, as in `name=`, `name: ` and `"name": `. */
export const NAME_IN_TEXT = /(?<![\w.$-])([\w.$-]+)\\*["']?\s*([=:])>?\s*/g;

/** Names that are secret even in a sentence, such as `password: hunter2`; `session: started` is not. */
const SECRET_IN_PROSE = /(pass(w|p|c)\w+|secret|token|pwd|key|authorization|cookie)s?\d*$/i;
/** True if the name before a value in a text marks it as a secret. `isProse`: after a colon, and without quotes. */
export function isSecretInText(name: string, isProse: boolean): boolean {
  return isSecretName(name) && (!isProse || SECRET_IN_PROSE.test(name));
}

/** Recognizes payment card numbers. Pure. */

/** First digits and lengths of the card networks: few other ids with as many digits begin like this. */
const CARD =
  /^(4(\d{12}|\d{15})|(5[1-5]|2[2-7]|35)\d{14}|3[47]\d{13}|3[0689]\d{12}|6(011|2\d\d|4[4-9]\d|5\d\d)\d{12}|62\d{17})$/;
const CARD_MIN_DIGITS = 13;
const CARD_MAX_DIGITS = 19;

/** Most groups in a written number: nineteen digits, four in each group except the last. */
const GROUPS_MAX = 5;

/**
 * True if adjacent groups of digits form a card number; an expiry date or another number may precede or follow it.
 *
 * @example
 * holdCardNumber(["4242", "4242", "4242", "4242", "12"]); // true
 */
export function holdCardNumber(groups: readonly string[]): boolean {
  return groups.some((_, start) => {
    let digits = "";
    for (let i = start; i < start + GROUPS_MAX && digits.length < CARD_MAX_DIGITS; i++) {
      digits += groups[i] ?? "";
      if (digits.length >= CARD_MIN_DIGITS && CARD.test(digits) && hasCheckDigit(digits)) return true;
    }
    return false;
  });
}

/** ISO/IEC 7812-1 (Luhn): from the right, every second digit counts as the digit sum of its double. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[i]);
    sum += (digits.length - i) % 2 ? digit : Number("0246813579"[digit]);
  }
  return sum % 10 === 0;
}

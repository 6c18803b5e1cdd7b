/**
 * Tells what looks like a secret: by its name, its words, its form. Every check takes time in proportion to the
 * text.
 */

/** Parts of words that mean a secret, anywhere in a word. */
const PARTS =
  /token|secret|passw|passphrase|private[-_ ]?key|key[-_]?data|api[-_ ]?key|access[-_ ]?key|assertion|bearer|authori[sz]ation|credential|cookie|session[-_ ]?id/i;

/** Whole words that mean a secret; as parts of other words they do not. */
const WORDS =
  /(?<![a-z])(?:pass|pwd|pat|pin|pw|jwt|otp|totp|mfa|code|key|auth|sid|signature|sig|psk|hmac|value)(?![a-z])/i;

/** True for the name of a field, a flag or a variable whose value is a secret. */
export function namesSecret(name: string): boolean {
  return PARTS.test(name) || WORDS.test(name.replace(/([a-z])([A-Z])/g, "$1-$2"));
}

/** The start of a JWT, or of any other JSON in base64. */
const ENCODED_JSON = /(?<![A-Za-z0-9])eyJ[\w-]{6}/;

/** A flag with a user's name and a password, like curl's. */
const USER_FLAG = /(?<![\w-])--?u(?:ser(?:name)?)?(?![a-z])/i;

/** A name and a password; addresses and times do not match. */
const PAIR = /[^\s:]:(?![\s/:]|$)(?!\d{1,5}(?:[\s:/,;.)\]"']|$))/;

/** A user, or a user with a password, in a URL. */
const USER_IN_ADDRESS = /:\/\/[^/\s]*@/;

/** A run of characters that is too long for a word. With letters and digits in it, it counts as random. */
const LONG_WORD = /[\w+-]{20,}/g;

/** True for a text that says it holds a secret, or has the form of one. */
export function looksSecret(text: string): boolean {
  return namesSecret(text) || ENCODED_JSON.test(text) || USER_FLAG.test(text) ||
    PAIR.test(text) ||
    USER_IN_ADDRESS.test(text) || (text.match(LONG_WORD) ?? []).some(isRandom);
}

function isRandom(word: string): boolean {
  return /\d/.test(word) && /[a-z]/i.test(word);
}

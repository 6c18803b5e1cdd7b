/** What makes a text look like a secret: its name, its words, its form. Every look costs time in proportion to the text. */

/** Parts of words that speak of a secret, wherever in a word they stand. */
const PARTS =
  /token|secret|passw|passphrase|private[-_ ]?key|key[-_]?data|api[-_ ]?key|access[-_ ]?key|assertion|bearer|authori[sz]ation|credential|cookie|session[-_ ]?id/i;

/** Whole words that do: as a part of another they mean something else. */
const WORDS =
  /(?<![a-z])(?:pass|pwd|pat|pin|pw|jwt|otp|totp|mfa|code|key|auth|sid|signature|sig|psk|hmac|value)(?![a-z])/i;

/** True for the name of a field, a flag or a variable whose value is a secret. */
export function namesSecret(name: string): boolean {
  return PARTS.test(name) || WORDS.test(name.replace(/([a-z])([A-Z])/g, "$1-$2"));
}

/** The begin of a JWT, or of any other JSON in base64. */
const ENCODED_JSON = /(?<![A-Za-z0-9])eyJ[\w-]{6}/;

/** A flag that takes a user's name with a password, as curl has it. */
const USER_FLAG = /(?<![\w-])--?u(?:ser(?:name)?)?(?![a-z])/i;

/** A name with a password behind it; an address or a time is neither. */
const PAIR = /[^\s:]:(?![\s/:]|$)(?!\d{1,5}(?:[\s:/,;.)\]"']|$))/;

/** A user, or a user with a password, in a URL. */
const USER_IN_ADDRESS = /:\/\/[^/\s]*@/;

/** What is too long for a word; of letters and digits it is none. */
const LONG_WORD = /[\w+-]{20,}/g;

/** True for a text that says that it holds a secret, or has the form of one. */
export function looksSecret(text: string): boolean {
  return namesSecret(text) || ENCODED_JSON.test(text) || USER_FLAG.test(text) ||
    PAIR.test(text) ||
    USER_IN_ADDRESS.test(text) || (text.match(LONG_WORD) ?? []).some(isRandom);
}

function isRandom(word: string): boolean {
  return /\d/.test(word) && /[a-z]/i.test(word);
}

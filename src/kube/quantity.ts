/** Kubernetes' quantities, such as `10Mi`, `100m` and `1e3`: parsing and comparing. */

/** Each is a thousand times the previous; the empty suffix is 1. */
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/** Each is 2^10 times the previous. */
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const QUANTITY = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/** Quantities are counted in billionths; smaller fractions are rounded up. */
const NANO = 9;
/** The largest quantity with a binary suffix; Kubernetes reduces larger ones to it. */
const MOST_BINARY = (2n ** 63n - 1n) * 10n ** BigInt(NANO);
/** Beyond this many digits before the point, or zeros after it, quantities are not distinguished. */
const MOST_DIGITS = 100;

/** A quantity in billionths; undefined when the text is none. As for Kubernetes, a sign or suffix alone is zero. */
export function quantityOf(text: string): bigint | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0", suffix = ""] = QUANTITY.exec(text) ?? [];
  if (sign === undefined || text === "" || text.length > MOST_DIGITS) return undefined;
  const binary = BINARY.indexOf(suffix) + 1;
  const isBinary = binary > 0;
  if (whole === "" && fraction === "" && (/[PE]i/.test(suffix) || Number(exponent) < -NANO)) return undefined;
  const number = BigInt(`${whole}${fraction}`) * 1024n ** BigInt(binary);
  // The zeros to append to the digits to get billionths.
  const zeros = Number(exponent) + NANO - fraction.length +
    (isBinary ? 0 : 3 * (DECIMAL.indexOf(suffix) - DECIMAL.indexOf("")));
  const size = number === 0n ? 0n : shifted(number, zeros);
  const bounded = isBinary && size > MOST_BINARY ? MOST_BINARY : size;
  return sign === "-" ? -bounded : bounded;
}

function shifted(number: bigint, zeros: number): bigint {
  const digits = String(number).length + zeros;
  if (digits > MOST_DIGITS) return 10n ** BigInt(MOST_DIGITS);
  if (digits < 0) return 1n;
  if (zeros >= 0) return number * 10n ** BigInt(zeros);
  const divisor = 10n ** BigInt(-zeros);
  return (number + divisor - 1n) / divisor;
}

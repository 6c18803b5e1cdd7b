/** Kubernetes' quantities, such as `10Mi`, `100m` and `1e3`: which texts are one, and which one is larger. */

/** Three zeros more each; none has no suffix. */
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/** 2^10 times more each. */
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const QUANTITY = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/** Quantities are counted in billionths; what is smaller is rounded up. */
const NANO = 9;
/** The largest quantity with a binary suffix: Kubernetes takes what is beyond for it. */
const MOST_BINARY = (2n ** 63n - 1n) * 10n ** BigInt(NANO);
/** With so many digits before the point, or so many zeros behind it, quantities are no longer told apart. */
const MOST_DIGITS = 100;

/** A quantity in billionths; undefined for what is none. A sign or a suffix alone is zero, as it is for Kubernetes. */
export function quantityOf(text: string): bigint | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0", suffix = ""] = QUANTITY.exec(text) ?? [];
  if (sign === undefined || text === "" || text.length > MOST_DIGITS) return undefined;
  const binary = BINARY.indexOf(suffix) + 1;
  const isBinary = binary > 0;
  if (whole === "" && fraction === "" && (/[PE]i/.test(suffix) || Number(exponent) < -NANO)) return undefined;
  const number = BigInt(`${whole}${fraction}`) * 1024n ** BigInt(binary);
  // How many zeros stand behind the digits when they are billionths.
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

/** Numbers as Go prints them: in JSON, in YAML, and with `%v`. */

/** True when kubectl holds a number as an integer. A whole number that a double holds exactly counts as one. */
export function isInt64(value: number | bigint): boolean {
  return typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
}

/** Like Go's `%v` for an int64 or a float64. A whole number that a double holds exactly counts as an int64. */
export function goNumber(value: number | bigint): string {
  return isInt64(value) ? String(value) : shortFloat(Number(value));
}

/** Like kubectl's YAML: a whole number of 64 bits in JSON stays one, every other number is a float. */
export function yamlNumber(value: number | bigint): string {
  if (typeof value === "bigint") return String(value);
  return Number.isInteger(value) && value < 2 ** 64 && value >= -(2 ** 63)
    ? String(value)
    : shortFloat(value);
}

/** Go's `%v` of a float64: with an exponent from 1e+06 up and below 1e-04. */
export function shortFloat(value: number): string {
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A float as a member's name, as kubectl writes it: with the digits that a 32-bit float needs. */
export function floatName(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return Number.isNaN(single) ? ".nan" : single > 0 ? ".inf" : "-.inf";
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return shortFloat(short);
  }
  return shortFloat(Number(single.toPrecision(9)));
}

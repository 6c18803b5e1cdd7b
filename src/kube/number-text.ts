/** Numbers as Go prints them: in JSON, in YAML, and with `%v`. */

/** As Go's `encoding/json` does, which is JavaScript's way. */
export function jsonNumber(value: number | bigint): string {
  return String(value);
}

/** Whether kubectl holds a number as an integer. A whole number that a double holds exactly counts as one. */
export function isInt64(value: number | bigint): boolean {
  return typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
}

/** As Go's `%v` prints an int64 or a float64. What is a whole number that a double holds exactly counts as an int64. */
export function goNumber(value: number | bigint): string {
  return isInt64(value) ? String(value) : shortFloat(Number(value));
}

/** As kubectl's YAML has it: what JSON writes as a whole number of 64 bits stays one, all else is a float. */
export function yamlNumber(value: number | bigint): string {
  if (typeof value === "bigint") return String(value);
  return Number.isInteger(value) && value < 2 ** 64 && value >= -(2 ** 63)
    ? String(value)
    : shortFloat(value);
}

/** Go's `%v` of a float64: with an exponent from 1e+06 on and below 1e-04. */
export function shortFloat(value: number): string {
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A float as a member's name, as kubectl has it: with the digits that a float of 32 bits needs. */
export function floatName(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return Number.isNaN(single) ? ".nan" : single > 0 ? ".inf" : "-.inf";
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return shortFloat(short);
  }
  return shortFloat(Number(single.toPrecision(9)));
}

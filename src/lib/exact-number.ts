/** A bigint as a number of JSON. Throws a RangeError if that is not exact. */
export function exactNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`too large for a number in JSON: ${value}`);
  return number;
}

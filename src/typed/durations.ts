const UNITS = [
  ['ms', 1],
  ['s|seconds?', 1000],
  ['min|minutes?', 60_000],
  ['h|hours?', 3_600_000],
  ['d|days?', 86_400_000],
] as const;

/**
 * `7 days`, `2 hours`, `5 min`, `60 s`, `500 ms` to milliseconds; undefined for anything else, zero, and more than ten
 * years.
 */
export function parseDuration(text: string): number | undefined {
  for (const [names, ms] of UNITS) {
    const [, count = '0'] = new RegExp(`^([0-9]{1,9}) *(?:${names})$`).exec(text) ?? [];
    const length = Number(count) * ms;
    if (length > 0 && length <= LONGEST_MS) return length;
  }
  return undefined;
}

/** Ten years: a time this far from now is still valid. */
const LONGEST_MS = 3650 * 86_400_000;

import { parseDecimal } from '../dca/money.ts';

/* What Lamassu's database says, as text: read without trust, and shown without harm. */

/** A column's text scaled by 10^`scale`; undefined where it is null or no such number. */
export function readDecimal(text: string | null, scale: number): bigint | undefined {
  // The length first: an integer of a million digits takes minutes to parse.
  if (text === null || text.length > 40) return undefined;
  try {
    return parseDecimal(text, scale);
  } catch {
    return undefined;
  }
}

/** A value from the database for a sentence: no control characters, no more than a line. */
export function shown(value: string | null): string {
  if (value === null) return 'null';
  return `"${value.slice(0, 120).replaceAll(/[\p{C}\p{Z}]/gu, ' ')}"`;
}

/** Whether the text can be the id of a machine. */
export function isMachine(text: string | null): text is string {
  return text !== null && /^[^\p{C}]{1,200}$/u.test(text);
}

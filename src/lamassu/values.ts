import { parseDecimal } from '../dca/money.ts';

/* Values of Lamassu's database as text: validated when they are read, cleaned when they are shown. */

/** A column's text scaled by 10^`scale`; undefined if it is null or not such a number. */
export function readDecimal(text: string | null, scale: number): bigint | undefined {
  // Check the length first: an integer of a million digits would take minutes to parse.
  if (text === null || text.length > 40) return undefined;
  try {
    return parseDecimal(text, scale);
  } catch {
    return undefined;
  }
}

/** A value from the database for a message: on one line, without control characters. */
export function quoted(value: string | null): string {
  if (value === null) return 'null';
  return `"${value.slice(0, 120).replaceAll(/[\p{C}\p{Z}]/gu, ' ')}"`;
}

/** Whether the text can be the id of a machine. */
export function isMachine(text: string | null): text is string {
  return text !== null && /^[^\p{C}]{1,200}$/u.test(text);
}

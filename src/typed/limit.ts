import { parseWhole } from './numbers.ts';

/** So many rows of a list that grows for years, where nobody asked for more. */
export const DEFAULT_LIMIT = 50;

/** How many of the newest rows. Throws `usage/invalid`. */
export function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  return Number(parseWhole(text, 'limit', 999_999_999n, 'Write a whole number of rows, like 200.'));
}

import { parseWhole } from './numbers.ts';

/** The default number of rows of a list that grows for years. */
export const DEFAULT_LIMIT = 50;

/** The number of newest rows to list. Throws `usage/invalid`. */
export function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  return Number(parseWhole(text, 'limit', 999_999_999n, 'Write a whole number of rows, like 200.'));
}

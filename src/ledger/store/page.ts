import { notFound } from '../../errors.ts';

/** The newest rows, and how many there are in all. */
export interface Page<T> {
  rows: T[];
  total: number;
}

/** Which rows of a list: the newest, or those that follow a row that was shown before. */
export interface PageOptions {
  limit: number;
  /** The id of that row. */
  after?: string | undefined;
}

/** The error for a row to go on from that is not there. */
export function noSuchRow(after: string): Error {
  return notFound('after', `the list has no row ${JSON.stringify(after)}`, 'Begin at the first page again.');
}

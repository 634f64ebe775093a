import { stringify } from 'csv-stringify/sync';
import { Temporal } from 'temporal-polyfill';
import { formatDecimal, formatRate } from '../dca/money.ts';
import type { Instant } from '../time.ts';
import type { Column, Kind } from './kinds.ts';
import type { Row } from './rows.ts';

export const formats = ['csv', 'json', 'jsonl'] as const;
export type Format = (typeof formats)[number];

type Value = string | bigint | null;

/**
 * Pages of rows as the text of one file, a piece for each page: CSV as RFC 4180 has it (a header, CRLF, UTF-8), one
 * JSON array, or one JSON object a line. Times are UTC with microseconds, and once more in `timezone`: in JSON with
 * its offset, in CSV as spreadsheets read a time. Sats are numbers, fiat amounts decimal text.
 */
export async function* formatted(
  kind: Kind,
  pages: AsyncIterable<Row[]>,
  format: Format,
  timezone: string,
): AsyncGenerator<string, void> {
  const names = kind.columns.flatMap(namesOf);
  if (format === 'csv') yield csvText([names]);
  if (format === 'json') yield '[';
  let first = true;
  for await (const rows of pages) {
    const values = rows.map((row) => kind.columns.flatMap((column) => valuesOf(column, row, timezone)));
    if (format === 'csv') {
      const local = kind.columns.flatMap(({ type }) => (type === 'time' ? [false, true] : [false]));
      yield csvText(
        values.map((row) => row.map((value, index) => (local[index] ? plainTime(value) : value))),
      );
    } else {
      const json = kind.columns.flatMap(({ type }) => (type === 'time' ? [false, false] : [type === 'json']));
      const objects = values.map((row) => jsonObject(names, row, json));
      const text = objects.join(format === 'json' ? ',\n' : '\n');
      yield format === 'json' ? `${first ? '\n' : ',\n'}${text}` : `${text}\n`;
    }
    first = false;
  }
  if (format === 'json') yield first ? ']\n' : '\n]\n';
}

/** `confirmed_at` and `confirmed_at_local`; every other column has one name. */
function namesOf({ name, type }: Column): string[] {
  return type === 'time' ? [name, `${name}_local`] : [name];
}

function valuesOf({ name, type }: Column, row: Row, timezone: string): Value[] {
  const value = row[name] ?? null;
  if (type === 'time') return [value, typeof value === 'string' ? localTime(value, timezone) : null];
  if (typeof value !== 'bigint') return [value];
  if (type === 'fiat') return [formatDecimal(value, Number(row.digits))];
  if (type === 'rate') return [formatRate(value)];
  if (type === 'funding' || type === 'payout' || type === 'run') return [`${type.charAt(0)}${value}`];
  return [value];
}

/** `2026-11-20T04:00:00-06:00` */
export function localTime(instant: Instant, timezone: string): string {
  const time = Temporal.Instant.from(instant).toZonedDateTimeISO(timezone);
  return time.toString({ smallestUnit: 'second', timeZoneName: 'never' });
}

/** `2026-11-20 04:00:00`: with its offset no spreadsheet takes it for a time. */
function plainTime(value: Value): Value {
  return typeof value === 'string' ? value.slice(0, 19).replace('T', ' ') : value;
}

function csvText(rows: Value[][]): string {
  return stringify(rows, {
    record_delimiter: 'windows',
    quote_record_delimiter: true,
    escape_formulas: true,
  });
}

function jsonObject(names: string[], row: Value[], json: boolean[]): string {
  const members = names.map((name, index) => {
    const value = row[index] ?? null;
    const raw = typeof value === 'bigint' || (json[index] && value !== null);
    return `${JSON.stringify(name)}:${raw ? value : JSON.stringify(value)}`;
  });
  return `{${members.join(',')}}`;
}

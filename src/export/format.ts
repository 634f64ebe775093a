import { stringify } from 'csv-stringify/sync';
import { Temporal } from 'temporal-polyfill';
import { formatDecimal, formatRate } from '../dca/money.ts';
import { type Instant, plus } from '../time.ts';
import { type FILE_FORMATS, TRADE_FORMATS } from './format-names.ts';
import type { Column, ColumnType, ExportKind } from './kinds.ts';
import type { ExportRow } from './rows.ts';
import { type TradeFormat, tradesFormatted } from './trade-formats.ts';

export type Format = (typeof FILE_FORMATS)[number] | TradeFormat;

interface NamedValue {
  name: string;
  value: string | bigint | null;
  as: 'value' | 'local time' | 'json';
}

/**
 * Pages of rows as the text of one file, a piece for each page: CSV as RFC 4180 has it (a header, CRLF, UTF-8), one
 * JSON array, or one JSON object a line. Times are UTC with microseconds, and once more in `timezone`: in JSON with
 * its offset, in CSV as spreadsheets read a time. Sats are numbers, fiat amounts decimal text.
 */
export async function* formatted(
  kind: ExportKind,
  pages: AsyncIterable<ExportRow[]>,
  format: Format,
  timezone: string,
): AsyncGenerator<string, void> {
  if (isTrade(format)) {
    yield* tradesFormatted(pages, format);
    return;
  }
  const local = localTimes(timezone);
  // Row by row: only the line of a row is kept, so a million rows need the memory of one page.
  const lines = (rows: ExportRow[]) =>
    rows.map((row) => {
      const cells = kind.columns.flatMap((column) => cellsOf(column, row, local));
      return format === 'csv' ? csvLine(cells.map(plainValue)) : jsonObject(cells);
    });
  if (format === 'csv') {
    yield csvLine(kind.columns.flatMap((column) => cellsOf(column, {}, local)).map(({ name }) => name));
    for await (const rows of pages) yield lines(rows).join('');
  } else if (format === 'jsonl') {
    for await (const rows of pages) yield `${lines(rows).join('\n')}\n`;
  } else {
    let before = '[';
    for await (const rows of pages) {
      yield `${before}\n${lines(rows).join(',\n')}`;
      before = ',';
    }
    yield before === '[' ? '[]\n' : '\n]\n';
  }
}

/** Whether only purchases can be written so. */
export function isTrade(format: Format): format is TradeFormat {
  return TRADE_FORMATS.some((one) => one === format);
}

/** A time has two cells: `confirmed_at` and `confirmed_at_local`. */
function cellsOf({ name, type }: Column, row: ExportRow, local: (instant: Instant) => string): NamedValue[] {
  const value = row[name] ?? null;
  if (type === 'hidden') return [];
  if (type === 'time') {
    const here = typeof value === 'string' ? local(value) : null;
    return [
      { name, value, as: 'value' },
      { name: `${name}_local`, value: here, as: 'local time' },
    ];
  }
  return [{ name, value: written(type, value, row), as: type === 'json' ? 'json' : 'value' }];
}

function written(type: ColumnType, value: NamedValue['value'], { digits }: ExportRow): NamedValue['value'] {
  if (typeof value !== 'bigint') return value;
  if (type === 'fiat') return formatDecimal(value, Number(digits));
  if (type === 'rate') return formatRate(value);
  if (type === 'funding' || type === 'payout' || type === 'run') return `${type.charAt(0)}${value}`;
  return value;
}

/**
 * Writes instants in local time, to the second: `2026-11-20T04:00:00-06:00`. Computes the offset only after a change of
 * the clocks: for a million rows, that would be most of the work.
 */
export function localTimes(timezone: string): (instant: Instant) => string {
  let from: Instant = '';
  let until: Instant = '';
  let offset = '';
  let offsetMs = 0;
  return (instant) => {
    if (instant < from || instant >= until) {
      const time = Temporal.Instant.from(instant).toZonedDateTimeISO(timezone);
      // At the moment of a change itself, the previous one is the one before it.
      from = changeOf(time.add({ nanoseconds: 1 }), 'previous') ?? '';
      until = changeOf(time, 'next') ?? '9999';
      offset = time.offset;
      offsetMs = time.offsetNanoseconds / 1_000_000;
    }
    return plus(instant, offsetMs).slice(0, 19) + offset;
  };
}

function changeOf(time: Temporal.ZonedDateTime, direction: 'previous' | 'next'): Instant | undefined {
  return time.getTimeZoneTransition(direction)?.toInstant().toString({ smallestUnit: 'microsecond' });
}

/** Local time without its offset, `2026-11-20 04:00:00`: spreadsheets do not read one with an offset as a time. */
function plainValue({ value, as }: NamedValue): NamedValue['value'] {
  return as === 'local time' && typeof value === 'string' ? value.slice(0, 19).replace('T', ' ') : value;
}

function csvLine(values: NamedValue['value'][]): string {
  return stringify([values], {
    record_delimiter: 'windows',
    quote_record_delimiter: true,
    escape_formulas: true,
  });
}

function jsonObject(cells: NamedValue[]): string {
  const members = cells.map(({ name, value, as }) => {
    const raw = typeof value === 'bigint' || (as === 'json' && value !== null);
    return `${JSON.stringify(name)}:${raw ? value : JSON.stringify(value)}`;
  });
  return `{${members.join(',')}}`;
}

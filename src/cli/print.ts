import { stripVTControlCharacters, styleText } from 'node:util';
import Table from 'cli-table3';
import { formatDecimal, groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { type Instant, isInstant, toMs } from '../time.ts';

export type Cell = string | number | bigint | boolean | null | undefined;

/** Fits a page, an issue and a mail; a narrower terminal narrows it further. */
const WIDTH = 100;

/** What a column of text keeps at least when the table has to shrink, and when even the spaces beside it are gone. */
const NARROWEST = 8;
const TIGHTEST = 6;

const NUMERIC = /^-?[\d,]+(\.\d+)?( ?(%|sat|[A-Z]{3}))?$/;
const TIME = /^\d{4}-\d{2}-\d{2}/;

/**
 * A table for people. Columns of numbers and amounts are set to the right; they and times are never cut. Other text
 * that does not fit `width` (default: the terminal, at most 100 columns) ends in …; the spaces beside it go where that
 * is not enough. Null is an empty cell. No line
 * break at the end.
 */
export function table(columns: string[], rows: Cell[][], options: { width?: number } = {}): string {
  const limit = options.width ?? widthOf(process.stdout);
  const cells = rows.map((row) => columns.map((_, index) => clean(`${row[index] ?? ''}`)));
  const texts = columns.map((_, index) => cells.map((row) => row[index] ?? ''));
  const numeric = texts.map((column) => every(column, NUMERIC));
  const natural = columns.map((title, index) =>
    [title, ...(texts[index] ?? [])].reduce((widest, text) => Math.max(widest, [...text].length), 0),
  );
  const whole = texts.map((column, index) => numeric[index] === true || every(column, TIME));
  const roomy = shrink(natural, whole, limit - 3 * columns.length - 1, NARROWEST);
  const padding = sumOf(roomy) + 3 * columns.length + 1 > limit ? 0 : 1;
  const widths = padding === 1 ? roomy : shrink(natural, whole, limit - columns.length - 1, TIGHTEST);
  const printed = new Table({
    head: columns.map((title) => styleText('bold', title, { stream: process.stdout })),
    colWidths: widths.map((width) => width + 2 * padding),
    colAligns: numeric.map((right) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, 'padding-left': padding, 'padding-right': padding },
  });
  printed.push(...cells);
  return printed.toString();
}

/**
 * A table whose cells go on in the next line instead of being cut, each group of rows with one sentence below it across
 * all columns. It fits `width` (default: the terminal, at most 100 columns). No line break at the end.
 */
export function foldedTable(
  columns: string[],
  groups: { rows: string[][]; below: string }[],
  options: { width?: number } = {},
): string {
  const rows = groups.flatMap((group) => group.rows);
  const natural = columns.map((title, index) =>
    rows.reduce((widest, row) => Math.max(widest, [...clean(row[index] ?? '')].length), title.length),
  );
  const borders = 3 * columns.length + 1;
  const widths = shrink(natural, [], (options.width ?? widthOf(process.stdout)) - borders, NARROWEST);
  const printed = new Table({
    head: columns.map((title) => styleText('bold', title, { stream: process.stdout })),
    colWidths: widths.map((width) => width + 2),
    style: { head: [], border: [] },
  });
  for (const group of groups) {
    for (const row of group.rows) printed.push(row.map((cell, index) => fold(cell, widths[index] ?? 0)));
    const content = fold(group.below, sumOf(widths) + borders - 4);
    printed.push([{ content, colSpan: columns.length }]);
  }
  return printed.toString();
}

/** Breaks text between words, and a word that is wider than `width` within, behind a hyphen or slash if there is one. */
function fold(text: string, width: number): string {
  const pieces = new RegExp(`.{1,${width}}$|.{0,${width - 1}}[-/]|.{${width}}`, 'gu');
  const words = clean(text)
    .split(' ')
    .map((word) => (word.match(pieces) ?? []).join(' '));
  return wrapped(words.join(' '), { width, indent: '' });
}

function widthOf({ columns }: { columns?: number }): number {
  return Math.min(WIDTH, columns || WIDTH);
}

/**
 * Breaks each line that is wider than `width` (default: the terminal, at most 100 columns) between words; what follows
 * a break is set in. A word that does not fit stays whole.
 */
export function wrapped(text: string, options: { width?: number; indent?: string } = {}): string {
  const { width = widthOf(process.stdout), indent = '  ' } = options;
  return text
    .split('\n')
    .map((line) => {
      const lines: string[] = [];
      for (const word of line.split(/(?<=\S) /)) {
        const last = lines.at(-1);
        if (last === undefined) lines.push(word);
        else if ([...last].length + 1 + [...word].length > width) lines.push(`${indent}${word}`);
        else lines[lines.length - 1] = `${last} ${word}`;
      }
      return lines.join('\n');
    })
    .join('\n');
}

function every(column: string[], pattern: RegExp): boolean {
  const filled = column.filter((text) => text !== '');
  return filled.length > 0 && filled.every((text) => pattern.test(text));
}

/** Takes what is too much for `room` from the widest columns that are not `whole`: a cut number would be another one. */
function shrink(natural: number[], whole: boolean[], room: number, narrowest: number): number[] {
  const widths = [...natural];
  for (let excess = sumOf(widths) - room; excess > 0; excess -= 1) {
    let widest = -1;
    for (const [index, width] of widths.entries()) {
      if (!whole[index] && width > Math.max(narrowest, widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function sumOf(widths: number[]): number {
  return widths.reduce((total, width) => total + width, 0);
}

/** Text of others on one line and without anything that steers a terminal: control, format and escape characters. */
export function clean(text: string): string {
  const line = stripVTControlCharacters(text).replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ');
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '');
}

/** The same where spaces count, such as a command that is to be copied: each line of it stays one. */
export function asWritten(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign === '\n' ? sign : '',
  );
}

/** Instants in a text of errors and differences, as people read them. */
export function withLocalTimes(text: string, timezone: string): string {
  return text.replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z/g, (instant) =>
    isInstant(instant) ? formatTime(instant, timezone) : instant,
  );
}

/** `123,456 sat` */
export function formatSats(sats: bigint): string {
  return `${groupDigits(sats)} sat`;
}

/** `1 payout`, `2 payouts`. */
export function counted(count: number | bigint, noun: string): string {
  return `${groupDigits(BigInt(count))} ${noun}${BigInt(count) === 1n ? '' : 's'}`;
}

/** `3,000.00 GTQ`, from minor units. */
export function formatFiat(minor: bigint, digits: number, currency: string): string {
  return `${groupDigits(formatDecimal(minor, digits))} ${currency}`;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Local time with its zone, to the second: `2026-11-20 04:00:00 GMT-6`. */
export function formatTime(instant: Instant, timezone: string): string {
  const parts = new Map(
    formatterFor(timezone)
      .formatToParts(toMs(instant))
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  return `${date} ${part('hour')}:${part('minute')}:${part('second')} ${part('timeZoneName')}`;
}

/** One is slow to make, and lists print hundreds of times. */
function formatterFor(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'shortOffset',
  });
  formatters.set(timeZone, made);
  return made;
}

/**
 * One JSON document. A `bigint` becomes a number (RangeError where that would not be exact), a Secret `[redacted]`.
 * What would steer a terminal is escaped, also where JSON allows it as it is.
 */
export function jsonDocument(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_, inner: unknown) => (typeof inner === 'bigint' ? exactNumber(inner) : inner),
    2,
  );
  return escapedJson(text);
}

/** JSON with escapes for what JSON allows as it is and a terminal obeys. */
export function escapedJson(text: string): string {
  return text.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

function exactNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`too large for a number in JSON: ${value}`);
  return number;
}

/**
 * For people: code, message and hint on stderr, times as local ones where the zone is known. With `json`:
 * `{ "error": { code, message, hint } }` on stdout.
 * Anything but a BridgeError is a defect of this program: its stack trace goes to stderr as well.
 */
export function printError(error: unknown, json: boolean, timezone?: string): void {
  const known = error instanceof BridgeError ? error : defect(error);
  if (!(error instanceof BridgeError) && error instanceof Error) console.error(error.stack);
  const { code } = known;
  const cleaned = known.message.split('\n').map(clean).join('\n  ');
  if (json) {
    console.log(jsonDocument({ error: { code, message: cleaned, hint: known.hint ?? null } }));
    return;
  }
  const local = (text: string) => (timezone === undefined ? text : withLocalTimes(text, timezone));
  const message = local(cleaned);
  const hint = known.hint === undefined ? undefined : local(asWritten(known.hint)).replaceAll('\n', '\n  ');
  const label = styleText('red', code, { stream: process.stderr });
  // A log keeps a message on one line; the hint may hold a command, to be copied whole.
  const told = process.stderr.isTTY
    ? wrapped(message, { width: widthOf(process.stderr) - code.length - 2 })
    : message;
  console.error(`${label}: ${told}${hint === undefined ? '' : `\n  ${hint}`}`);
}

function defect(error: unknown): BridgeError {
  const message = error instanceof Error ? error.message : String(error);
  return new BridgeError('internal/defect', message, 'This is a defect of the program. Please report it.');
}

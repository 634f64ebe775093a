import { stripVTControlCharacters, styleText } from 'node:util';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { formatDecimal, groupDigits } from '../../dca/money.ts';
import { BridgeError } from '../../errors.ts';
import { isCall, Message } from '../../lib/message.ts';
import { isUuid } from '../../lib/uuid.ts';
import { type Instant, isInstant, toMs } from '../../time.ts';
import { grid, widestBeginning } from './grid.ts';
import { commandOf, errorInWords, inCommandWords } from './words.ts';

export type Cell = string | number | bigint | boolean | null | undefined;

/** The widest output, in columns; a narrower terminal limits it further. */
const WIDTH = 100;

/**
 * The least width of a text column in a table that has to shrink: at first, and once the spaces beside it are gone.
 */
const NARROWEST = 8;
const TIGHTEST = 6;

const NUMERIC = /^-?[\d,]+(\.\d+)?( ?(%|sat|[A-Z]{3}))?$/;
const TIME = /^\d{4}-\d{2}-\d{2}/;

/** A number with what it counts, within a text. */
const AMOUNT = /\d[\d,.]*( ?(%|sat|[A-Z]{3})\b)?/g;

/**
 * A table for the terminal. Numbers and amounts are aligned to the right; they and times are never cut. If the table
 * is wider than `width` (default: the terminal, at most 100 columns), a text column that holds a digit, and so
 * perhaps an amount or an id, wraps without breaking an amount; other text is cut with …; at last the spaces beside
 * the text go. Null is an empty cell. The result ends without a line break. `heads`: texts across all columns, by the
 * row that they stand above.
 */
export function table(
  columns: string[],
  rows: Cell[][],
  options: { width?: number; heads?: ReadonlyMap<number, string> } = {},
): string {
  const limit = options.width ?? widthOf(process.stdout);
  const cells = rows.map((row) => columns.map((_, index) => clean(`${row[index] ?? ''}`)));
  const texts = columns.map((_, index) => cells.map((row) => row[index] ?? ''));
  const numeric = texts.map((column) => every(column, NUMERIC));
  const natural = columns.map((title, index) =>
    Math.max(stringWidth(title), ...(texts[index] ?? []).map((text) => stringWidth(text))),
  );
  const whole = texts.map((column, index) => numeric[index] === true || every(column, TIME));
  const amounts = texts.map((column) =>
    Math.max(0, ...column.flatMap((text) => text.match(AMOUNT) ?? []).map((amount) => amount.length)),
  );
  const least = (narrowest: number) =>
    natural.map((width, index) => (whole[index] ? width : Math.max(narrowest, amounts[index] ?? 0)));
  const roomy = shrink(natural, least(NARROWEST), limit - 3 * columns.length - 1);
  const padding = sumOf(roomy) + 3 * columns.length + 1 > limit ? 0 : 1;
  const widths = padding === 1 ? roomy : shrink(natural, least(TIGHTEST), limit - columns.length - 1);
  const heads = [...(options.heads?.values() ?? [])].map((head) => stringWidth(clean(head)));
  const inner = () => sumOf(widths) + (columns.length - 1) * (2 * padding + 1);
  const room = limit - inner() - 2 * padding - 2;
  widths[0] = (widths[0] ?? 0) + Math.max(0, Math.min(room, Math.max(0, ...heads) - inner()));
  const folded = (text: string, index: number) =>
    !whole[index] && (amounts[index] ?? 0) > 0 ? fold(text, widths[index] ?? 0) : text;
  return grid(
    columns.map((title, index) => ({
      title,
      width: widths[index] ?? 0,
      align: numeric[index] ? 'right' : 'left',
    })),
    cells.flatMap((row, index) => {
      const head = options.heads?.get(index);
      return [...(head === undefined ? [] : [fold(head, inner())]), row.map(folded)];
    }),
    { padding },
  );
}

/**
 * A table whose cells wrap instead of being cut. Each group of rows has one sentence below it, across all columns. It
 * fits `width` (default: the terminal, at most 100 columns), and ends without a line break.
 */
export function foldedTable(
  columns: string[],
  groups: { rows: string[][]; below: string }[],
  options: { width?: number } = {},
): string {
  const rows = groups.flatMap((group) => group.rows);
  const natural = columns.map((title, index) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(clean(row[index] ?? '')))),
  );
  const borders = 3 * columns.length + 1;
  const least = natural.map(() => NARROWEST);
  const widths = shrink(natural, least, (options.width ?? widthOf(process.stdout)) - borders);
  return grid(
    columns.map((title, index) => ({ title, width: widths[index] ?? 0, align: 'left' })),
    groups.flatMap((group) => [
      ...group.rows.map((row) => row.map((cell, index) => fold(cell, widths[index] ?? 0))),
      fold(group.below, sumOf(widths) + borders - 4),
    ]),
    { ruled: true },
  );
}

/** Breaks text between words. A word wider than `width` is broken too, after a hyphen or slash if it has one. */
function fold(text: string, width: number): string {
  const words = clean(text)
    .replace(AMOUNT, (amount) => (amount.length <= width ? amount.replace(' ', '\u00a0') : amount))
    .split(' ')
    .flatMap((word) => pieces(word, width));
  return wrapAnsi(words.join(' '), width).replaceAll('\u00a0', ' ');
}

function pieces(word: string, width: number): string[] {
  if (stringWidth(word) <= width) return [word];
  const fits = widestBeginning(word, width);
  const end = Math.max(fits.lastIndexOf('-'), fits.lastIndexOf('/')) + 1 || fits.length;
  return [word.slice(0, end), ...pieces(word.slice(end), width)];
}

function widthOf({ columns }: { columns?: number }): number {
  return Math.min(WIDTH, columns || WIDTH);
}

/**
 * Breaks each line that is wider than `width` (default: the terminal, at most 100 columns) between words, and indents
 * what follows. A word that does not fit stays whole.
 */
export function wrapped(text: string, options: { width?: number; indent?: string } = {}): string {
  const { width = widthOf(process.stdout), indent = '  ' } = options;
  return text
    .split('\n')
    .map((line) => filled(line.split(/(?<=\S) /), width, `\n${indent}`))
    .join('\n');
}

/**
 * The same for text with commands, which stay whole to be copied: in backticks, or from `aio-dca` to the end of a
 * line.
 */
function wrappedAround(text: string, width: number, indent: string): string {
  return text
    .split('\n')
    .map((line) => {
      const words = line.match(/ *(?:`[^`]*`\S*|aio-dca .*|\S+)/g) ?? [];
      return filled(
        words.map((word, index) => (index === 0 ? word : word.slice(1))),
        width,
        `\n${indent}`,
      );
    })
    .join('\n');
}

/** Wraps to the terminal. In a pipe each line stays whole, so that `grep` finds it. */
export function fitted(text: string, indent: string): string {
  return process.stdout.isTTY ? wrappedAround(text, widthOf(process.stdout), indent) : text;
}

/** A page of help. A line wider than the terminal is wrapped, an example with a backslash at the break. */
export function wrappedHelp(text: string): string {
  const width = widthOf(process.stdout);
  return text
    .split('\n')
    .map((line) => {
      const indent = /^ */.exec(line)?.[0] ?? '';
      const example = line.startsWith(`${indent}aio-dca `) && indent !== '';
      if (!example) return wrapped(line, { width, indent });
      const goesOn = line.endsWith(' \\');
      const words = line.slice(0, goesOn ? -2 : undefined).match(/^ +\S+|(?:"[^"]*"|\S)+/g) ?? [];
      return filled(words, width - 2, ` \\\n${indent}  `) + (goesOn ? ' \\' : '');
    })
    .join('\n');
}

/** Joins words up to `width`, then inserts `turn`, which ends in the indent of the next line. */
function filled(words: string[], width: number, turn: string): string {
  let text = '';
  let column = 0;
  for (const word of words) {
    const length = stringWidth(word);
    if (text === '') {
      text = word;
      column = length;
    } else if (column + 1 + length > width) {
      text += `${turn}${word}`;
      column = turn.length - turn.lastIndexOf('\n') - 1 + length;
    } else {
      text += ` ${word}`;
      column += 1 + length;
    }
  }
  return text;
}

function every(column: string[], pattern: RegExp): boolean {
  const filled = column.filter((text) => text !== '');
  return filled.length > 0 && filled.every((text) => pattern.test(text));
}

/** Shrinks the widest columns, none below its `least`, until all fit into `room`. */
function shrink(natural: number[], least: number[], room: number): number[] {
  const widths = [...natural];
  for (let excess = sumOf(widths) - room; excess > 0; excess -= 1) {
    let widest = -1;
    for (const [index, width] of widths.entries()) {
      if (width > Math.max(least[index] ?? 0, widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function sumOf(widths: number[]): number {
  return widths.reduce((total, width) => total + width, 0);
}

/** Text from outside, on one line and without what controls a terminal: control, format and escape characters. */
export function clean(text: string): string {
  const line = stripVTControlCharacters(text).replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ');
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '');
}

/** The same for text in which spaces count, such as a command to be copied: each line stays one. */
export function asWritten(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign === '\n' ? sign : '',
  );
}

/**
 * A cash-out as lists show it: the first characters of Lamassu's id, by which commands find it; the operator's own
 * reference whole.
 */
export function shortId(id: string): string {
  return isUuid(id) ? id.slice(0, 8) : id;
}

/** Replaces the instants in an error or a difference by local times. */
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

/** Cached: a formatter is slow to make, and lists print hundreds of times. */
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
 * One JSON document. A `bigint` becomes a number (RangeError if that is not exact), a Secret `[redacted]`. Characters
 * that control a terminal are escaped, even those that JSON allows.
 */
export function jsonDocument(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_, inner: unknown) => {
      if (typeof inner === 'bigint') return exactNumber(inner);
      if (inner instanceof Message) return inCommandWords(inner);
      return isCall(inner) ? commandOf(inner) : inner;
    },
    2,
  );
  return escapedJson(text);
}

/** JSON, with escapes for characters that JSON allows and a terminal obeys. */
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
 * For the terminal: code, message and hint on stderr, with local times if the zone is known. With `json`:
 * `{ "error": { code, message, hint } }` on stdout.
 * Anything but a BridgeError is a defect of this program: its stack trace goes to stderr as well.
 */
export function printError(error: unknown, json: boolean, timezone?: string): void {
  const known = error instanceof BridgeError ? error : defect(error);
  if (!(error instanceof BridgeError) && error instanceof Error) console.error(error.stack);
  const { code } = known;
  const { message: told, hint: way } = errorInWords(known);
  const cleaned = told.split('\n').map(clean).join('\n  ');
  if (json) {
    console.log(jsonDocument({ error: { code, message: cleaned, hint: way } }));
    return;
  }
  const local = (text: string) => (timezone === undefined ? text : withLocalTimes(text, timezone));
  const message = local(cleaned);
  const hint = way === null ? undefined : local(asWritten(way)).replaceAll('\n', '\n  ');
  const label = styleText('red', code, { stream: process.stderr });
  // A log keeps a message on one line; the hint may hold a command, to be copied whole.
  const text = `${label}: ${message}${hint === undefined ? '' : `\n  ${hint}`}`;
  console.error(process.stderr.isTTY ? wrappedAround(text, widthOf(process.stderr), '  ') : text);
}

function defect(error: unknown): BridgeError {
  const message = error instanceof Error ? error.message : String(error);
  return new BridgeError('internal/defect', message, 'This is a defect of the program. Please report it.');
}

import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { clean } from './clean.ts';
import { grid, padded, widestBeginning } from './grid.ts';
import { widthOf } from './wrap.ts';

export type Cell = string | number | bigint | boolean | null | undefined;

/**
 * The least width of a text column in a table that has to shrink: at first, and once the spaces beside it are gone.
 */
const NARROWEST = 8;
const TIGHTEST = 6;

/** Words up to this width are neither broken nor cut: short ids, states, currencies, most names. */
const SHORT_WORD = 12;

const NUMERIC = /^-?[\d,]+(\.\d+)?( ?(%|sat|[A-Z]{3}))?$/;
const TIME = /^\d{4}-\d{2}-\d{2}/;

/** A number with what it counts, within a text. */
const AMOUNT = /\d[\d,.]*( ?(%|sat|[A-Z]{3})\b)?/g;

/**
 * A table for the terminal. Numbers and amounts are aligned to the right; they and times are never cut. If the table is
 * wider than `width` (default: the terminal, at most 100 columns), text wraps between words, without breaking an
 * amount; one long word that holds a digit, and so perhaps is an id, is broken; another is cut with …; then the spaces
 * beside the text go; and where even that is too wide, each row becomes lines of its own. Null is an empty cell. The
 * result ends without a line break. `heads`: texts across all columns, by the row that they stand above.
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
  const wordy = columns.map((title, index) => longestWord([title, ...(texts[index] ?? [])]));
  const least = (narrowest: number) =>
    natural.map((width, index) =>
      whole[index] ? width : Math.min(width, Math.max(narrowest, amounts[index] ?? 0, wordy[index] ?? 0)),
    );
  const roomy = shrink(natural, least(NARROWEST), limit - 3 * columns.length - 1);
  const padding = sumOf(roomy) + 3 * columns.length + 1 > limit ? 0 : 1;
  const widths = padding === 1 ? roomy : shrink(natural, least(TIGHTEST), limit - columns.length - 1);
  if (sumOf(widths) + columns.length + 1 > limit) return records(columns, cells, limit, options.heads);
  const heads = [...(options.heads?.values() ?? [])].map((head) => stringWidth(clean(head)));
  const inner = () => sumOf(widths) + (columns.length - 1) * (2 * padding + 1);
  const room = limit - inner() - 2 * padding - 2;
  widths[0] = (widths[0] ?? 0) + Math.max(0, Math.min(room, Math.max(0, ...heads) - inner()));
  const folded = (text: string, index: number) => {
    const width = widths[index] ?? 0;
    const folds =
      !whole[index] && stringWidth(text) > width && ((amounts[index] ?? 0) > 0 || text.includes(' '));
    return folds ? fold(text, width) : text;
  };
  return grid(
    columns.map((title, index) => ({
      title: fold(title, widths[index] ?? 0),
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

/** The widest of the short words. */
function longestWord(texts: string[]): number {
  const widths = texts.flatMap((text) => text.split(' ')).map((word) => stringWidth(word));
  return Math.max(0, ...widths.filter((width) => width <= SHORT_WORD));
}

/** Rows that are too wide for a table: a line for each cell with its title, and an empty line between two rows. */
function records(
  columns: string[],
  rows: string[][],
  limit: number,
  heads: ReadonlyMap<number, string> = new Map(),
): string {
  const indent = Math.max(...columns.map((title) => stringWidth(title))) + 2;
  return rows
    .map((row, at) => {
      const head = heads.get(at);
      const lines = row.flatMap((cell, index) => {
        const title = columns[index] ?? '';
        if (cell === '') return [];
        const [first = '', ...more] = fold(cell, limit - indent).split('\n');
        const before = padded(title, indent);
        return [before + first, ...more.map((line) => ' '.repeat(indent) + line)];
      });
      return [...(head === undefined ? [] : [fold(head, limit)]), ...lines].join('\n');
    })
    .join('\n\n');
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
export function fold(text: string, width: number): string {
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

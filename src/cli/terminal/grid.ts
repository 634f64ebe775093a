import { styleText } from 'node:util';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** The cells of one row, or one text across all columns. */
export type GridRow = string[] | string;

export interface GridColumn {
  title: string;
  /** The width of the text in columns of the terminal, without the padding. */
  width: number;
  align: 'left' | 'right';
}

/**
 * A table with borders, each text in its column by the width that a terminal gives it: 2 for 漢 and 😀. A line that is
 * wider than its column ends in `…`. `padding`: spaces on either side of a text. `ruled`: a line between all rows.
 * Returns the text, without a line break at its end.
 */
export function grid(
  columns: GridColumn[],
  rows: GridRow[],
  { padding = 1, ruled = false }: { padding?: number; ruled?: boolean } = {},
): string {
  const spaces = ' '.repeat(padding);
  const inner = columns.reduce((sum, { width }) => sum + width + 2 * padding + 1, -1);
  /** A horizontal line. Its crossings depend on whether a column border meets it from above, from below, or both. */
  const rule = (left: string, right: string, above: boolean, below: boolean) => {
    const crossing = above ? (below ? '┼' : '┴') : below ? '┬' : '─';
    return left + columns.map(({ width }) => '─'.repeat(width + 2 * padding)).join(crossing) + right;
  };
  const printed = (row: GridRow, style: (text: string) => string = (text) => text) => {
    if (typeof row === 'string') {
      return row
        .split('\n')
        .map((line) => `│${spaces}${fitted(line, inner - 2 * padding, 'left', style)}${spaces}│`);
    }
    const lines = columns.map((_, index) => (row[index] ?? '').split('\n'));
    return Array.from({ length: Math.max(...lines.map(({ length }) => length)) }, (_, at) => {
      const cells = columns.map(({ width, align }, index) =>
        fitted(lines[index]?.[at] ?? '', width, align, style),
      );
      return `│${cells.map((cell) => spaces + cell + spaces).join('│')}│`;
    });
  };
  const split = (row: GridRow | undefined) => row !== undefined && typeof row !== 'string';
  const bold = (text: string) => styleText('bold', text, { stream: process.stdout });
  const body = rows.flatMap((row, index) => [
    ...(index === 0 || ruled ? [rule('├', '┤', index === 0 || split(rows[index - 1]), split(row))] : []),
    ...printed(row),
  ]);
  return [
    rule('┌', '┐', false, true),
    ...printed(
      columns.map(({ title }) => title),
      bold,
    ),
    ...body,
    rule('└', '┘', rows.length === 0 || split(rows.at(-1)), false),
  ].join('\n');
}

/** The longest beginning of `text` that is not wider than `width`; no letter is cut in two. */
export function widestBeginning(text: string, width: number): string {
  return wrapAnsi(text, width, { hard: true, wordWrap: false, trim: false }).split('\n')[0] ?? '';
}

function fitted(
  text: string,
  width: number,
  align: 'left' | 'right',
  style: (text: string) => string,
): string {
  const cut = stringWidth(text) > width ? `${widestBeginning(text, width - 1)}…` : text;
  return padded(style(cut), width, align);
}

/** `text` with spaces up to `width` columns of the terminal. A wider text stays as it is. */
export function padded(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const room = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? room + text : text + room;
}

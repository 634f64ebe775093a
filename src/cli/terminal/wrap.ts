import stringWidth from 'string-width';

/** The widest output, in columns; a narrower terminal limits it further. */
const WIDTH = 100;

/** The words of a command: a quoted one is one, and an option and its value are one. */
const WORDS = /^ +\S+|(?:--[a-z-]+ (?=[^\s\-<>|]))?(?:"[^"]*"|\S)+/g;

/** Without a terminal, $COLUMNS counts. */
export function widthOf({ columns }: { columns?: number }): number {
  return Math.min(WIDTH, columns || Number(process.env.COLUMNS) || WIDTH);
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
 * The same for text with what is copied whole: commands in backticks, lines that begin with `aio-dca`, which a sentence
 * may also name as a user, and lines of authorized_keys.
 */
export function wrappedAround(text: string, width: number, indent: string): string {
  return text
    .split('\n')
    .map((line) => {
      const words = line.match(/^ *aio-dca .*| *(?:`[^`]*`\S*|command="[^"]*",.*|\S+)/g) ?? [];
      return filled(
        words.map((word, index) => folded(index === 0 ? word : word.slice(1), width, indent)),
        width,
        `\n${indent}`,
      );
    })
    .join('\n');
}

/** A command that is wider than the terminal goes on after a backslash, so that it can still be copied. */
function folded(word: string, width: number, indent: string): string {
  if (!/^ *(aio-dca |`)/.test(word) || stringWidth(word) + stringWidth(indent) <= width) return word;
  return filled(word.match(WORDS) ?? [], width - 2 - stringWidth(indent), ` \\\n${indent}  `);
}

/**
 * A page as it is printed: on a terminal no line is wider than it, and none breaks within a word. In a pipe each line
 * stays whole, so that `grep` finds it. Tables are made to the width already.
 */
export function fittedPage(text: string, stream: NodeJS.WriteStream = process.stdout): string {
  if (!stream.isTTY) return text;
  const width = widthOf(stream);
  return text
    .split('\n')
    .map((line) => {
      if (stringWidth(line) <= width || /^[│┌├└]/.test(line)) return line;
      return wrappedAround(line, width, `${/^ */.exec(line)?.[0] ?? ''}  `);
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
      const example = /^ +(sudo .*)?aio-dca /.test(line);
      if (!example) return wrapped(line, { width, indent });
      return filled(line.match(WORDS) ?? [], width - 2, ` \\\n${indent}  `);
    })
    .join('\n');
}

/**
 * Joins words up to `width`, then inserts `turn`, which ends in the indent of the next line. wrap-ansi cannot do it: it
 * has one width for all lines, no indent, and breaks at every space, also within a word that is a whole command.
 */
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
      column = stringWidth(turn.slice(turn.lastIndexOf('\n') + 1)) + length;
    } else {
      text += ` ${word}`;
      column += 1 + length;
    }
  }
  return text;
}

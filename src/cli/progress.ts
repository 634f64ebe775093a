import { groupDigits } from '../dca/money.ts';

/** Nothing is shown before this time, in ms: most work is done by then. */
const PATIENCE_MS = 700;
const REDRAW_MS = 100;
const WIDTH = 24;

/**
 * Passes `pages` on and shows their progress on stderr, if that is a terminal on which nothing else is printed. The line is removed
 * at the end. `count` is called once, and only if there is something to show.
 */
export async function* withProgress<T>(
  pages: AsyncIterable<T[]>,
  count: () => Promise<number>,
): AsyncGenerator<T[], void> {
  let total: number | undefined;
  let done = 0;
  let next = Date.now() + PATIENCE_MS;
  try {
    for await (const page of pages) {
      yield page;
      done += page.length;
      if (Date.now() < next) continue;
      total ??= await count();
      process.stderr.write(`\r\u001b[K${bar(done, total)}`);
      next = Date.now() + REDRAW_MS;
    }
  } finally {
    if (total !== undefined) process.stderr.write('\r\u001b[K');
  }
}

/** `████████░░░░░░░░ 450,000 of 1,000,000 rows`; rows may have come since they were counted. */
function bar(done: number, total: number): string {
  const filled = Math.floor((Math.min(done, total) / total) * WIDTH);
  const drawn = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
  return `${drawn} ${groupDigits(`${done}`)} of ${groupDigits(`${total}`)} rows`;
}

/** Lines on stderr while a run keeps to LNbits' rate limit, where that is a terminal; undefined where it is none. */
export function waitingLine(quiet: boolean | undefined): ((ms: number) => void) | undefined {
  if (!process.stderr.isTTY || quiet) return undefined;
  return (ms) => {
    const seconds = Math.ceil(ms / 1000);
    process.stderr.write(
      `LNbits limits the rate of requests: the run goes on in ${seconds} s. Ctrl-C stops it safely.\n`,
    );
  };
}

import { groupDigits } from '../../dca/money.ts';
import { systemClock } from '../../time.ts';

/** Progress is shown after this time, in ms: most work is done by then. */
const PATIENCE_MS = 700;
const REDRAW_MS = 100;
const WIDTH = 24;

/**
 * Passes `pages` on, and shows their progress on stderr. Call it only if that is a terminal on which nothing else is
 * printed. The line is removed at the end. `count` is called once, and only if progress is shown.
 */
export async function* withProgress<T>(
  pages: AsyncIterable<T[]>,
  count: () => Promise<number>,
): AsyncGenerator<T[], void> {
  let total: number | undefined;
  let done = 0;
  let next = systemClock.monotonic() + PATIENCE_MS;
  try {
    for await (const page of pages) {
      yield page;
      done += page.length;
      if (systemClock.monotonic() < next) continue;
      total ??= await count();
      process.stderr.write(`\r\u001b[K${bar(done, total)}`);
      next = systemClock.monotonic() + REDRAW_MS;
    }
  } finally {
    if (total !== undefined) process.stderr.write('\r\u001b[K');
  }
}

/** `████████░░░░░░░░ 450,000 of 1,000,000 rows`; the total may have grown since it was counted. */
function bar(done: number, total: number): string {
  const filled = Math.floor((Math.min(done, total) / total) * WIDTH);
  const drawn = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
  return `${drawn} ${groupDigits(`${done}`)} of ${groupDigits(`${total}`)} rows`;
}

/** Writes a line to stderr while a run waits for LNbits' rate limit. Undefined if stderr is no terminal. */
export function waitingLine(quiet: boolean | undefined): ((ms: number) => void) | undefined {
  if (!process.stderr.isTTY || quiet) return undefined;
  return (ms) => {
    const seconds = Math.ceil(ms / 1000);
    process.stderr.write(
      `LNbits limits the rate of requests: the run goes on in ${seconds} s. Ctrl-C stops it safely.\n`,
    );
  };
}

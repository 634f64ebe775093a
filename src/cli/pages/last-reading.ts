import type { Instant } from '../../time.ts';
import type { LastReadingView } from '../../views/last-reading.ts';
import { clean } from '../terminal/clean.ts';
import { formatTime } from '../terminal/figures.ts';
import { inCommandWords } from '../terminal/words.ts';
import { wrapped } from '../terminal/wrap.ts';

/** How far Lamassu was read, and so whether the ledger knows all cash that came out. */
export function lastReadingText(
  funding: string,
  { read_at: at, problem }: LastReadingView,
  timezone: string,
): string {
  if (problem === null) {
    const now = at === null ? '' : `, at ${formatTime(at, timezone)}`;
    return `Lamassu was read just now${now}: no cash-out took cash of ${funding} that is not in the ledger.`;
  }
  const last = at === null ? 'It was never read before.' : `It was last read at ${formatTime(at, timezone)}.`;
  return [
    `Lamassu could not be read now: ${problem.code}: ${clean(inCommandWords(problem.message))}`,
    `${last} Cash of ${funding} may have come out that the ledger does not know.`,
  ].join('\n');
}

/** What was done, after why Lamassu could not be read; null: it was not needed. */
export function withLastReading(
  { id, lamassu }: { id: string; lamassu: LastReadingView | null },
  done: string,
  timezone: string,
): string {
  return wrapped(lamassu?.problem ? `${lastReadingText(id, lamassu, timezone)}\n${done}` : done);
}

/** Up to when the ledger knows what came out, where Lamassu was not read now. */
export function lastReadText(at: Instant | null, timezone: string): string {
  if (at === null) return 'Lamassu was never read: cash that came out is not in the ledger yet.';
  return `Lamassu was last read at ${formatTime(at, timezone)}: cash that came out since is not in the ledger yet.`;
}

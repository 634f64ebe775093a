import { BridgeError } from '../errors.ts';
import type { Source } from '../lamassu/source.ts';
import type { Position } from '../ledger/cash-outs/watermark.ts';
import {
  apart,
  type Clocks,
  clockOffsetInWords,
  lastAgreed,
  ledgerTime,
  shouldShow,
} from '../ledger/clocks/clocks.ts';
import { type Doubt, wayOut } from '../ledger/clocks/doubts.ts';
import { ALWAYS } from '../ledger/store/effective-dated.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import { message } from '../lib/message.ts';
import { aheadBy, type Instant, MAY_DIFFER_MS, plus, toInstant, toMs } from '../time.ts';
import type { ReadingClocks } from './doubtful-time.ts';

/* The clocks of one run: measuring them, and reporting differences. */

/** What Lamassu's clock and this host's showed as it was asked; as equal as the time that the asking took allows. */
export function clocksOf({ now, clocks: { before, after } }: Pick<Source, 'now' | 'clocks'>): Clocks {
  const ahead = aheadBy(toMs(now), { before: before.wall, after: after.wall });
  return { source: now, host: toInstant(toMs(now) - ahead), boot: after.boot, uptime: after.uptime };
}

/** The problem if Lamassu's clock and this host's differ by a minute or more; else null. */
export function clockProblem(clocks: Clocks): BridgeError | null {
  const ahead = apart(clocks);
  if (Math.abs(ahead) <= MAY_DIFFER_MS) return null;
  return new BridgeError(
    'clock/differs',
    `Lamassu's clock shows ${clocks.source}, ${clockOffsetInWords(ahead)} ${ahead > 0 ? 'ahead of' : 'behind'} this host's, ${clocks.host}`,
    'Find the wrong one with `timedatectl` on both hosts, and set it. Until then cash and settings cannot be entered as of now, and a cash-out ' +
      'waits in review if an entry in between could change whose cash it was. Everything else is read and paid as usual.',
  );
}

/**
 * The problem if the clock of the ledger's server and this host's differ by a minute or more; null otherwise, and for a
 * file.
 */
export async function ledgerClockProblem({
  db,
  clock,
}: Pick<Ledger, 'db' | 'clock'>): Promise<BridgeError | null> {
  const before = clock.host().wall;
  const shown = await ledgerTime(db);
  if (shown === null) return null;
  const ahead = aheadBy(toMs(shown), { before, after: clock.host().wall });
  if (Math.abs(ahead) <= MAY_DIFFER_MS) return null;
  return new BridgeError(
    'clock/differs',
    `the clock of the ledger's PostgreSQL shows ${shown}, ${clockOffsetInWords(ahead)} ${ahead > 0 ? 'ahead of' : 'behind'} this host's`,
    'The lease of a run depends on it; no division and no payment does. Set the clock that is wrong: `timedatectl` on both.',
  );
}

/** Entries found to be made by a wrong clock, each with its way out; null if there are none. */
export function doubtProblem(doubts: readonly Doubt[]): BridgeError | null {
  const [first] = doubts;
  if (!first) return null;
  const shown = doubts.slice(0, 5).map(inSentence).join('; ');
  const more = doubts.length > 5 ? `; and ${doubts.length - 5} more` : '';
  return new BridgeError(
    'clock/entry',
    `entered by a clock that was wrong: ${shown}${more}`,
    message`Give the time from which it applies: ${wayOut(first)}. Until then, cash-outs that it may concern wait in review.`,
  );
}

function inSentence({ subject, at, expected }: Doubt): string {
  return `${subject} from ${at} on${expected === null ? ', which has not come yet' : `, entered at about ${expected.slice(0, 16)}Z`}`;
}

/**
 * From when on a row that turns up must be: Lamassu was read to the end then, by its own clock or by this host's,
 * whichever is later; but never later than now.
 */
async function readBefore(db: Db, source: string, { source: now, host }: Clocks): Promise<Instant | null> {
  const row = await db
    .selectFrom('runs')
    .select(['source_now', 'host_now'])
    .where('source', '=', source)
    .where('read_at', 'is not', null)
    .where('source_now', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row || row.source_now === null || row.host_now === null) return null;
  const [, last = ''] = [row.source_now, row.host_now].sort();
  const [, latest = ''] = [now, host].sort();
  return last < latest ? last : latest;
}

/**
 * How far Lamassu's clock may be ahead of the right time, in ms; less than 0 if it may be behind. That is its
 * difference from this host's clock, but 0 if this host's clock is known to be the wrong one. It is known by the time
 * that was counted since both agreed; or else because it is behind what the ledger has seen, and Lamassu's is not.
 */
export async function lamassuAhead(db: Db, clocks: Clocks): Promise<number> {
  const ahead = apart(clocks);
  if (Math.abs(ahead) <= MAY_DIFFER_MS) return 0;
  const agreed = await lastAgreed(db);
  const counted = agreed && shouldShow(agreed, clocks);
  if (counted) {
    const off = Math.abs(toMs(clocks.source) - toMs(counted.source));
    return off <= MAY_DIFFER_MS + counted.give ? 0 : ahead;
  }
  const { entered } = await db
    .selectFrom('log')
    .select((eb) => eb.fn.max('at').as('entered'))
    .executeTakeFirstOrThrow();
  const isBehind = [agreed?.source, entered].some((seen) => {
    if (!seen) return false;
    const passed = plus(seen, -MAY_DIFFER_MS);
    return clocks.host < passed && clocks.source >= passed;
  });
  return isBehind ? 0 : ahead;
}

/** What a reading has to know of clocks, as they are now. */
export async function readingClocks(
  db: Db,
  source: string,
  clocks: Clocks,
  position: Position,
): Promise<Pick<ReadingClocks, 'readBefore' | 'latest' | 'ahead'>> {
  const [, latest = clocks.host] = [clocks.source, clocks.host].sort();
  // Where it was never read from its start to its end, whatever it has may turn up.
  const wasRead = position.readTo !== null && position.readTo > ALWAYS;
  return {
    readBefore: wasRead ? await readBefore(db, source, clocks) : null,
    ...{ latest, ahead: await lamassuAhead(db, clocks) },
  };
}

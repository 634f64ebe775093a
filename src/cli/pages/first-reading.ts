import { cashText, formatSats } from '../../dca/money.ts';
import type { FirstReadingView } from '../../views/first-reading.ts';
import { counted, formatTime } from '../terminal/figures.ts';

/** The question before the first run; null if nothing of the past becomes the operator's own share. */
export function firstReadingQuestion(seen: FirstReadingView, timezone: string): string | null {
  const { cash_outs: count, own, own_sats: sats, start_at: start } = seen;
  if (count === 0) return null;
  const amounts = own.map((one) => cashText(one.fiat, one.currency)).join(' and ');
  const since = formatTime(start, timezone);
  return [
    `This is the first run. For ${amounts} of ${counted(count, 'cash-out')} since start_at (${since}) the ledger has no client's cash: ${formatSats(sats)} stay yours.`,
    'Did a client have cash in the machine then? Answer no, and first enter it with its time:',
    'aio-dca fundings add NAME "AMOUNT" --deposited --at "…"',
    'Continue?',
  ].join('\n');
}

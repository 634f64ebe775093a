import { cashText, formatSats } from '../../dca/money.ts';
import type { FirstReadingView } from '../../views/first-reading.ts';
import { counted, formatTime } from '../terminal/figures.ts';
import { ownShareTexts } from './own-share.ts';

/** The question before the first run; null if nothing of the past becomes the operator's own share. */
export function firstReadingQuestion(seen: FirstReadingView, timezone: string): string | null {
  const { cash_outs: count, own, own_sats: sats, own_shares: shares, start_at: start } = seen;
  if (count === 0) return null;
  const amounts = own.map((one) => cashText(one.fiat, one.currency)).join(' and ');
  return [
    `This is the first run. Of ${counted(count, 'cash-out')} since start_at (${formatTime(start, timezone)}), ${amounts} would be your own share, ${formatSats(sats)}:`,
    ...ownShareTexts(shares, 'aio-dca poll --dry-run --json'),
    ...ways(seen),
    'Continue?',
  ].join('\n');
}

/** What the operator may have forgotten to enter; a limit or a pause counts as it was then. */
function ways({ own_shares: shares }: FirstReadingView): string[] {
  const reasons = new Set(shares.flatMap((one) => one.reasons.map(({ reason }) => reason)));
  return [
    ...(reasons.has('not-funded') || reasons.has('no-cash-left')
      ? [
          'Did a client have cash in the machine then? Answer no, and first enter it with its time:',
          'aio-dca fundings add NAME "AMOUNT" --any-machine --deposited --at "…"',
        ]
      : []),
    ...(reasons.has('not-deposited')
      ? [
          'Was the cash in the machine earlier than the ledger says? Answer no, and first correct its time:',
          'aio-dca fundings confirm ID --at "…"',
        ]
      : []),
  ];
}

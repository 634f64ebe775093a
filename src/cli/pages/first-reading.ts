import { cashText, formatSats } from '../../dca/money.ts';
import { type Call, call, message } from '../../lib/message.ts';
import type { FirstReadingView } from '../../views/first-reading.ts';
import type { PagedQuestion } from '../command/call.ts';
import { counted, formatTime } from '../terminal/figures.ts';
import { commandOf } from '../terminal/words.ts';
import { ownShareTexts } from './own-share.ts';

/** The question before the first run; null if nothing of the past becomes the operator's own share. */
export function firstReadingQuestion(seen: FirstReadingView, timezone: string): PagedQuestion | null {
  const { cash_outs: count, own, own_sats: sats, own_shares: shares, start_at: start } = seen;
  if (count === 0) return null;
  const amounts = own.map((one) => cashText(one.fiat, one.currency)).join(' and ');
  const ways = waysFor(seen);
  const question = [
    `This is the first run. Of ${counted(count, 'cash-out')} since start_at (${formatTime(start, timezone)}), ${amounts} would be your own share, ${formatSats(sats)}:`,
    ...ownShareTexts(shares, 'aio-dca poll --dry-run --json'),
    ...ways.flatMap(({ asks, first, step }) => [`${asks} Answer no, and first ${first}:`, commandOf(step)]),
    'Continue?',
  ].join('\n');
  const next = ways.map(({ first, step }) => message`First ${first}: ${step}`);
  return {
    question,
    ifNot: next.length === 0 ? undefined : next.reduce((one, other) => message`${one}\n${other}`),
  };
}

interface Way {
  asks: string;
  first: string;
  step: Call;
}

/** What the operator may have forgotten to enter; a limit or a pause counts as it was then. */
function waysFor({ own_shares: shares }: FirstReadingView): Way[] {
  const reasons = new Set(shares.flatMap((one) => one.reasons.map(({ reason }) => reason)));
  return [
    ...(reasons.has('not-funded') || reasons.has('no-cash-left')
      ? [
          {
            asks: 'Did a client have cash in the machine then?',
            first: 'enter that cash with its time',
            step: call('fundings.add', {
              ...{ client: null, amount: null },
              ...{ any_machine: true, deposited: true, at: null },
            }),
          },
        ]
      : []),
    ...(reasons.has('not-deposited')
      ? [
          {
            asks: 'Was the cash in the machine earlier than the ledger says?',
            first: 'correct its time',
            step: call('fundings.confirm', { id: null, at: null }),
          },
        ]
      : []),
  ];
}

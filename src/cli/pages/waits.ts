import stringWidth from 'string-width';
import { formatSats } from '../../dca/money.ts';
import { call } from '../../lib/message.ts';
import type { WaitView } from '../../views/waits.ts';
import { clean } from '../terminal/clean.ts';
import { counted, formatTime } from '../terminal/figures.ts';
import { padded } from '../terminal/grid.ts';
import { commandOf, inCommandWords } from '../terminal/words.ts';
import { wrapped } from '../terminal/wrap.ts';

const SHOWN = 10;
const PAYOUTS_NAMED = 3;
/** The widest column of names and amounts beside which a reason is still readable. */
const DEEPEST = 36;

/** A line for each waiting recipient: how much, why and until when; then how many more there are. */
export function waitLines(waits: WaitView[], timezone: string): string[] {
  const shown = waits.slice(0, SHOWN);
  const [names, amounts] = [
    shown.map(({ recipient }) => clean(recipient)),
    shown.map(({ sats }) => formatSats(sats)),
  ];
  const [nameWidth, amountWidth] = [widest(names), widest(amounts)];
  const lines = shown.map((one, index) => {
    const name = padded(names[index] ?? '', nameWidth);
    const amount = padded(amounts[index] ?? '', amountWidth, 'right');
    const before = `  ${name}  ${amount}  `;
    const width = stringWidth(before);
    const indent = ' '.repeat(width > DEEPEST ? 6 : width);
    return wrapped(`${before}${whyWaiting(one, timezone)}`, { indent });
  });
  const more = waits.length - shown.length;
  if (more === 0) return lines;
  return [...lines, `  and ${counted(more, 'other')}: ${commandOf(call('payouts.list', { open: true }))}`];
}

function whyWaiting(one: WaitView, timezone: string): string {
  const said = one.detail === null ? '' : clean(inCommandWords(one.detail));
  const which = one.payouts.slice(0, PAYOUTS_NAMED).join(', ');
  const more = one.payouts.length - PAYOUTS_NAMED;
  const payouts = more > 0 ? `${which} and ${counted(more, 'other')}` : which;
  switch (one.reason) {
    case 'fixed-time':
      return one.until === null
        ? `fixed mode has no times: ${commandOf(call('fixed.run'))} pays it`
        : `until ${formatTime(one.until, timezone)}, the next time of fixed mode`;
    case 'minimum':
      return `until it adds up to ${formatSats(one.minimum_sats ?? 0n)}, the minimum of a payout`;
    case 'next-run':
      return payouts === ''
        ? 'until the next run, which pays it'
        : `${payouts}: until the next run, which pays it`;
    case 'paused':
      return `${payouts === '' ? '' : `${payouts}: `}paying is paused`;
    case 'held':
      return `${payouts} held: ${said}`;
    case 'unknown':
      return `${payouts}: ${said}; the next run checks again`;
    case 'balance':
    case 'deferred':
      return `${payouts}: ${said}; the next run tries again`;
  }
}

function widest(texts: string[]): number {
  return Math.max(...texts.map((text) => stringWidth(text)));
}

import { cashText, formatSats } from '../../dca/money.ts';
import type { CausesView, OwnSharesView } from '../../views/own-share.ts';
import { clean } from '../terminal/clean.ts';
import { counted, formatMachine } from '../terminal/figures.ts';
import { wrapped } from '../terminal/wrap.ts';

const NAMED = 5;
const SHOWN = 5;

type CauseReason = CausesView[number]['reason'];

/** `no`: the words for no client. */
const texts: Record<CauseReason, (who: string, were: string, no: string) => string> = {
  'daily-limit': (who) => `the daily limit of ${who} was reached`,
  paused: (who, were) => `${who} ${were} paused`,
  'not-deposited': (who) => `the cash of ${who} was not in the machine yet`,
  'no-cash-left': (_who, _were, no) => `${no} had cash left there`,
  'not-funded': (_who, _were, no) => `${no} had cash for it`,
};

/** Why a part became the operator's own share: `the daily limit of carla was reached; bob was paused`. */
export function causesText(causes: CausesView): string {
  return causes
    .map(({ reason, clients }, index) => {
      const no = index > 0 ? 'no other client' : 'no client';
      return texts[reason](listed(clients.map(clean)), clients.length === 1 ? 'was' : 'were', no);
    })
    .join('; ');
}

function listed(names: string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}

/** A line for each machine and reason, not wrapped. `rest`: the command that shows all, if there are too many. */
export function ownShareTexts(shares: OwnSharesView[], rest: string): string[] {
  const lines = shares.slice(0, SHOWN).map((one) => {
    const why = one.reasons.length === 0 ? '' : `: ${causesText(one.reasons)}`;
    const at = formatMachine(one.machine, one.machine_name);
    return `  ${cashText(one.fiat, one.currency)} at ${at}, ${formatSats(one.sats)}, in ${counted(one.cash_outs, 'cash-out')}${why}`;
  });
  const more = shares.length - lines.length;
  return more > 0 ? [...lines, `  and ${counted(more, 'other')}: ${rest}`] : lines;
}

/** The same for a page. */
export function ownShareLines(shares: OwnSharesView[], rest: string): string[] {
  return ownShareTexts(shares, rest).map((line) => wrapped(line, { indent: '      ' }));
}

import { formatDecimal, formatRate, groupDigits } from '../dca/money.ts';
import type { Changed, Spent } from '../ledger/funding-history.ts';
import type { Funding, Past } from '../ledger/fundings.ts';
import { formatFiat, formatSats, formatTime, table } from './print.ts';

/** `fundings show --json` without its history. */
export function fundingJson(one: Funding) {
  return {
    id: `f${one.id}`,
    client: one.client,
    machine: one.machine,
    currency: one.currency,
    amount: formatDecimal(one.amount, one.digits),
    remaining: formatDecimal(one.remaining, one.digits),
    spent: formatDecimal(one.spent, one.digits),
    withdrawn: formatDecimal(one.withdrawn, one.digits),
    rate: one.rate === null ? null : formatRate(one.rate),
    status: one.status,
    created_at: one.created_at,
    deposited_at: one.deposited_at,
  };
}

/** `f12, 3,000.00 GTQ of alice, for machine Antigua, on its way` */
export function describe(funding: Funding, timezone: string): string {
  const { id, client, machine, machineName, rate, deposited_at } = funding;
  return [
    `f${id}, ${fiat(funding, funding.amount)} of ${client}`,
    machine === null ? 'for any machine' : `for machine ${machineName ?? machine}`,
    ...(rate === null ? [] : [`at a rate of ${percent(rate)}`]),
    deposited_at === null ? 'on its way' : `in the machine since ${formatTime(deposited_at, timezone)}`,
  ].join(', ');
}

/** What was divided before a funding was entered, for scripts. */
export function pastJson({ digits }: Funding, { cashOuts, ownFiat }: Past) {
  return { cash_outs: cashOuts, own_fiat: formatDecimal(ownFiat, digits) };
}

/** The same for a person; undefined where there is nothing to say. */
export function pastText(funding: Funding, { cashOuts, ownFiat }: Past): string | undefined {
  if (cashOuts === 0) return undefined;
  const were = cashOuts === 1 ? '1 cash-out since then was' : `${cashOuts} cash-outs since then were`;
  return (
    `${were} divided before this cash was entered: ${fiat(funding, ownFiat)} went to the operator's own share.\n` +
    'That stays as it is; this cash shares in what is read from now on.'
  );
}

export function fiat({ digits, currency }: Funding, minor: bigint): string {
  return formatFiat(minor, digits, currency);
}

/** `5.5 %` */
export function percent(rate: bigint): string {
  return `${formatDecimal(rate, 3).replace(/\.?0+$/, '')} %`;
}

/** One funding and its history, for a person. */
export function fundingPage(funding: Funding, history: (Changed | Spent)[], timezone: string): string {
  const rows = history.map((one) => {
    const at = formatTime(one.at, timezone);
    if (!('cash_out' in one)) return [at, `${one.action} by ${one.actor}`, one.reason];
    const bought = `${groupDigits(one.fiat)} ${funding.currency} for ${formatSats(one.net_sats)}`;
    return [at, `cash-out ${one.cash_out.slice(0, 8)}`, one.settled ? bought : `${bought}, not settled yet`];
  });
  return [
    `${describe(funding, timezone)}: ${funding.status.replace('_', ' ')}.`,
    `Remaining ${fiat(funding, funding.remaining)}, spent ${fiat(funding, funding.spent)}, withdrawn ${fiat(funding, funding.withdrawn)}.`,
    table(['at', 'what', ''], rows),
  ].join('\n');
}

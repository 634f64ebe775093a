import { formatDecimal, formatRate, groupDigits, percent, sum } from '../../dca/money.ts';
import type { Changed, Spent } from '../../ledger/fundings/history.ts';
import type { Past, PastCashOut } from '../../ledger/fundings/late.ts';
import type { Funding } from '../../ledger/fundings/view.ts';
import { clean, counted, formatFiat, formatSats, formatTime, shortId, table, wrapped } from '../print.ts';

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
    machine === null ? 'for any machine' : `for machine ${clean(machineName ?? machine)}`,
    ...(rate === null ? [] : [`at a rate of ${percent(rate)}`]),
    deposited_at === null ? 'on its way' : `in the machine since ${formatTime(deposited_at, timezone)}`,
  ].join(', ');
}

/** What was divided before a funding was entered, and what it got of it, for scripts. */
export function pastJson({ digits }: Funding, { cashOuts, given }: Past) {
  const got = cashOuts.filter((one) => given && one.fiat > 0n);
  return {
    cash_outs: cashOuts.length,
    own_fiat: formatDecimal(sum(cashOuts.map((one) => one.ownFiat)), digits),
    from_own: got.map((one) => ({
      id: one.id,
      fiat: formatDecimal(one.fiat, digits),
      gross_sats: one.gross,
      commission_sats: one.commission,
      net_sats: one.net,
    })),
  };
}

/** The same for a person; undefined where there is nothing to say. */
export function pastText(funding: Funding, { cashOuts, given }: Past): string | undefined {
  if (cashOuts.length === 0) return undefined;
  if (given) {
    const got = cashOuts.filter((one) => one.fiat > 0n);
    const cash = fiat(funding, sum(got.map((one) => one.fiat)));
    const sats = formatSats(sum(got.map((one) => one.net)));
    return `Out of the operator's own share of ${counted(got.length, 'cash-out')} it gave ${cash} for ${sats}; the next run pays what is due.`;
  }
  return (
    `${counted(cashOuts.length, 'cash-out')} since then ${cashOuts.length === 1 ? 'was' : 'were'} divided before this cash was entered: ` +
    `${fiat(funding, sum(cashOuts.map((one) => one.ownFiat)))} went to the operator's own share.\n` +
    'That stays as it is; this cash shares in what is read from now on.'
  );
}

const LISTED = 10;

/** The cash-outs that a late funding would have its part in, a line each: the first, and how many more there are. */
export function pastLines(funding: Funding, past: PastCashOut[], timezone: string): string[] {
  const lines = past.slice(0, LISTED).map((one) => {
    const would =
      one.fiat > 0n ? `it would get ${fiat(funding, one.fiat)} for ${formatSats(one.net)}` : 'nothing of it';
    return `${formatTime(one.confirmedAt, timezone)}  ${shortId(one.id)}: own share ${fiat(funding, one.ownFiat)}, ${would}`;
  });
  return past.length > LISTED ? [...lines, `and ${past.length - LISTED} more`] : lines;
}

export function fiat({ digits, currency }: Funding, minor: bigint): string {
  return formatFiat(minor, digits, currency);
}

/** One funding and its history, for a person. */
export function fundingPage(funding: Funding, history: (Changed | Spent)[], timezone: string): string {
  const rows = history.map((one) => {
    const at = formatTime(one.at, timezone);
    if (!('cash_out' in one)) return [at, `${one.action} by ${one.actor}`, one.reason];
    const bought = `${groupDigits(one.fiat)} ${funding.currency} for ${formatSats(one.net_sats)}`;
    return [at, `cash-out ${shortId(one.cash_out)}`, one.settled ? bought : `${bought}, not settled yet`];
  });
  return [
    wrapped(`${describe(funding, timezone)}: ${funding.status.replace('_', ' ')}.`),
    wrapped(
      `Remaining ${fiat(funding, funding.remaining)}, spent ${fiat(funding, funding.spent)}, withdrawn ${fiat(funding, funding.withdrawn)}.`,
    ),
    table(['at', 'what', ''], rows),
  ].join('\n');
}

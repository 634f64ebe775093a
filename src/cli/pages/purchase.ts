import { cashText, formatSats, groupDigits } from '../../dca/money.ts';
import type { PurchaseDetailView, PurchaseView } from '../../views/purchases.ts';
import { formatMachine, formatTime, shortId } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { allocationCells } from './cash-out.ts';

export function purchaseTable(all: PurchaseView[], timezone: string): string {
  if (all.length === 0) return 'No purchases yet.';
  const rows = all.map((one) => [
    formatTime(one.confirmed_at, timezone),
    shortId(one.id),
    cashText(one.fiat, one.currency),
    groupDigits(one.net_sats),
    one.state,
  ]);
  return table(['confirmed', 'cash-out', 'cash', 'net sat', 'state'], rows);
}

/** One purchase, for the terminal. */
export function purchasePage(one: PurchaseDetailView, timezone: string): string {
  const { currency, machine_name: name } = one;
  const payouts = one.payouts.map(({ id, state, settled_at: settled }) =>
    settled === null ? `${id} is ${state}` : `${id} settled ${formatTime(settled, timezone)}`,
  );
  return [
    `Purchase of ${one.client} in cash-out ${one.id}`,
    `Confirmed ${formatTime(one.confirmed_at, timezone)}`,
    `Machine ${formatMachine(one.machine, name)}`,
    `${cashText(one.fiat, currency)} bought ${formatSats(one.net_sats)}${one.price === null ? '' : `, at ${cashText(one.price, currency)} per BTC`}`,
    `Gross ${formatSats(one.gross_sats)}, commission ${formatSats(one.commission_sats)}`,
    table(
      ['funding', 'cash', 'gross', 'commission', 'net', 'payout'],
      one.allocations.map((part) => allocationCells(part, currency)),
    ),
    `${one.state === 'paid' ? 'Paid' : 'Waiting'}: ${payouts.length === 0 ? 'in no payout yet' : payouts.join(', ')}.`,
  ].join('\n');
}

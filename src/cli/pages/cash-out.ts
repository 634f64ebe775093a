import { formatDecimal } from '../../dca/money.ts';
import type { AllocationView, CashOutDetail, CashOutView } from '../../ledger/cash-outs/view.ts';
import { clean, formatFiat, formatSats, formatTime, table } from '../print.ts';

/** `cash-outs list --json`, one of them. */
export function cashOutJson(row: CashOutView) {
  return {
    id: row.id,
    source: row.source,
    machine: row.machine,
    confirmed_at: row.confirmed_at,
    processed_at: row.processed_at,
    fiat: formatDecimal(row.fiat, row.digits),
    currency: row.currency,
    gross_sats: row.gross,
    commission_sats: row.commission,
    net_sats: row.net,
    own_sats: row.own,
    undelivered_sats: row.undelivered,
    own_fiat: formatDecimal(row.own_fiat, row.digits),
    commission_method: row.method,
    origin: row.origin,
    begun_at_machine: row.begun_at_machine,
  };
}

/** `cash-outs show --json`, as docs and scripts know it. */
export function cashOutDetailJson({ cashOut, allocations, settlement }: CashOutDetail) {
  return {
    ...cashOutJson(cashOut),
    allocations: allocations.map((one) => allocationJson(one, cashOut.digits)),
    settlement: settlement && {
      at: settlement.at,
      actor: settlement.actor,
      reason: settlement.reason,
      credit: settlement.credit === 1n,
    },
  };
}

function allocationJson(one: AllocationView, digits: number) {
  return {
    client: one.client,
    funding: `f${one.funding_id}`,
    fiat: formatDecimal(one.fiat, digits),
    gross_sats: one.gross,
    commission_sats: one.commission,
    net_sats: one.net,
    payout: one.payout_id === null ? null : `p${one.payout_id}`,
  };
}

/** One cash-out, for a person. */
export function cashOutPage(detail: CashOutDetail, timezone: string): string {
  const { cashOut: row, settlement } = detail;
  const processed = `processed ${formatTime(row.processed_at, timezone)}`;
  return [
    `Cash-out ${row.id}`,
    `Confirmed ${formatTime(row.confirmed_at, timezone)}, ${processed}`,
    ...(settlement ? [`Settled by ${clean(settlement.actor)}: ${clean(settlement.reason)}`] : []),
    division(detail),
    ...(detail.allocations.some((one) => one.net > 0n && one.payout_id === null)
      ? ['Some of it is in no payout yet: the next run that finds it due pays it.']
      : []),
  ].join('\n');
}

/** What came out, what was paid for it, and whose it is. */
export function division({ cashOut: row, allocations }: Omit<CashOutDetail, 'settlement'>): string {
  const fiat = (minor: bigint) => formatFiat(minor, row.digits, row.currency);
  // A table of amounts is wide: the column is there once it says something.
  const paid = allocations.some((one) => one.payout_id !== null);
  const ownCommission = allocations.reduce((left, one) => left - one.commission, row.commission);
  return [
    `Machine ${row.machine}, ${fiat(row.fiat)} for ${formatSats(row.gross - row.undelivered)}`,
    ...(row.begun_at_machine === null
      ? []
      : [`Sold at machine ${row.begun_at_machine}; the cash was fetched at the other one.`]),
    `Commission ${formatSats(row.commission)} (${row.method}), ${formatSats(row.net)} to clients, ${formatSats(row.own)} own share`,
    ...(row.undelivered > 0n
      ? [`Undelivered, the layperson’s: ${formatSats(row.undelivered)} of the ${formatSats(row.gross)} paid`]
      : []),
    table(
      ['client', 'funding', 'cash', 'gross', 'commission', 'net', ...(paid ? ['payout'] : [])],
      [
        ...allocations.map((one) => [
          one.client,
          `f${one.funding_id}`,
          fiat(one.fiat),
          formatSats(one.gross),
          formatSats(one.commission),
          formatSats(one.net),
          one.payout_id === null ? 'waits' : `p${one.payout_id}`,
        ]),
        ...(row.own_fiat > 0n
          ? [
              [
                '(own share)',
                '',
                fiat(row.own_fiat),
                formatSats(row.own + ownCommission),
                formatSats(ownCommission),
                formatSats(row.own),
              ],
            ]
          : []),
      ],
    ),
  ].join('\n');
}

import { cashText, formatSats, groupDigits, sum } from '../../dca/money.ts';
import { machineOrName } from '../../lib/machine-label.ts';
import type { CashOutDetailView, CashOutView } from '../../views/cash-outs.ts';
import type { PurchaseDetailView } from '../../views/purchases.ts';
import { clean } from '../terminal/clean.ts';
import { formatMachine, formatMinute, formatTime, shortId } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { wrapped } from '../terminal/wrap.ts';
import { causesText } from './own-share.ts';

/** How the commission was found: docs/commission.md. */
const COMMISSION_BY: Record<CashOutDetailView['commission_method'], string> = {
  ticker: 'by the ticker price',
  margin: 'by the margin',
  markup: 'by the markup',
  given: 'as entered',
};

/** Two lines for each: what came out, and the sats that were paid for it in columns that add up. */
export function cashOutTable(all: CashOutView[], timezone: string): string {
  if (all.length === 0) return 'No cash-outs yet.';
  const hasOwnShare = all.some((one) => one.own_sats > 0n);
  const byHand = all.some((one) => one.origin !== 'lamassu');
  const rows = all.flatMap((one) => [
    [
      formatMinute(one.confirmed_at, timezone),
      cashText(one.fiat, one.currency),
      groupDigits(one.gross_sats),
      groupDigits(one.net_sats),
      groupDigits(one.commission_sats),
      groupDigits(one.own_sats),
    ],
    [
      `${shortId(one.id)} ${clean(machineOrName(one.machine, one.machine_name))}${one.origin === 'lamassu' ? '' : ' *'}`,
      one.price && groupDigits(one.price),
      ...['', ''],
      one.commission_fiat && cashText(one.commission_fiat, one.currency),
    ],
  ]);
  const columns = ['cash-out', 'cash, price', 'gross', 'net', 'commission'];
  return [
    wrapped(
      `Times of ${timezone}, prices of one BTC, all else in sat: gross = net (the clients’) + commission${hasOwnShare ? ' + own share' : ''}.`,
    ),
    table(hasOwnShare ? [...columns, 'own share'] : columns, rows),
    ...(byHand ? ['* settled by hand'] : []),
    ...all
      .filter((one) => one.undelivered_sats > 0n)
      .map((one) =>
        wrapped(
          `${shortId(one.id)}: ${formatSats(one.undelivered_sats)} of the gross are undelivered, the layperson’s.`,
        ),
      ),
  ].join('\n');
}

/** One cash-out, for the terminal. */
export function cashOutPage(one: CashOutDetailView, timezone: string): string {
  const processed = `processed ${formatTime(one.processed_at, timezone)}`;
  const { settlement } = one;
  return [
    `Cash-out ${one.id}`,
    `Confirmed ${formatTime(one.confirmed_at, timezone)}, ${processed}`,
    ...(settlement ? [`Settled by ${clean(settlement.actor)}: ${clean(settlement.reason)}`] : []),
    ...(one.price === null || one.commission_fiat === null
      ? []
      : [
          `Price ${cashText(one.price, one.currency)} per BTC; the commission is worth ${cashText(one.commission_fiat, one.currency)}`,
        ]),
    division(one),
    ...(one.allocations.some(({ net_sats, payout }) => net_sats > 0n && payout === null)
      ? ['A part of it is in no payout yet: it is paid by the next run after it is due.']
      : []),
  ].join('\n');
}

/** The cash that came out, the sats that were paid for it, and how they are divided. */
export function division(one: CashOutDetailView): string {
  const { allocations, currency } = one;
  // A table of amounts is wide, so an empty column is left out.
  const paid = allocations.some(({ payout }) => payout !== null);
  const ownCommission = one.commission_sats - sum(allocations.map((part) => part.commission_sats));
  const hasOwnShare = /[1-9]/.test(one.own_fiat);
  return [
    clean(
      `Machine ${formatMachine(one.machine, one.machine_name)}, ${cashText(one.fiat, currency)} for ${formatSats(one.gross_sats - one.undelivered_sats)}`,
    ),
    ...(one.begun_at_machine === null
      ? []
      : [
          clean(
            `Sold at machine ${formatMachine(one.begun_at_machine, one.begun_at_machine_name)}; the cash was fetched at the other one.`,
          ),
        ]),
    `Commission ${formatSats(one.commission_sats)} (${COMMISSION_BY[one.commission_method]}), ${formatSats(one.net_sats)} to clients, ${formatSats(one.own_sats)} own share`,
    ...(one.undelivered_sats > 0n
      ? [
          `Undelivered, the layperson’s: ${formatSats(one.undelivered_sats)} of the ${formatSats(one.gross_sats)} paid`,
        ]
      : []),
    table(
      ['client', 'funding', 'cash', 'gross', 'commission', 'net', ...(paid ? ['payout'] : [])],
      [
        ...allocations.map((part) => [part.client, ...allocationCells(part, currency)]),
        ...(hasOwnShare
          ? [
              [
                'own share',
                '',
                cashText(one.own_fiat, currency),
                formatSats(one.own_sats + ownCommission),
                formatSats(ownCommission),
                formatSats(one.own_sats),
              ],
            ]
          : []),
      ],
    ),
    ...(one.own_reasons && one.own_reasons.length > 0 ? [`Own share: ${causesText(one.own_reasons)}.`] : []),
  ].join('\n');
}

/** What falls on one funding: `funding`, `cash`, `gross`, `commission`, `net`, `payout`. */
export function allocationCells(part: PurchaseDetailView['allocations'][number], currency: string): string[] {
  return [
    part.funding,
    cashText(part.fiat, currency),
    ...[part.gross_sats, part.commission_sats, part.net_sats].map(formatSats),
    part.payout ?? 'waits',
  ];
}

import type * as z from 'zod';
import { formatSats } from '../../dca/money.ts';
import type { CreditView, listedCreditView } from '../../views/credits.ts';
import { clean } from '../terminal/clean.ts';
import { formatTime } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { wrapped } from '../terminal/wrap.ts';

export function creditTable(rows: z.output<typeof listedCreditView>[], timezone: string): string {
  if (rows.length === 0) return 'No credits.';
  return table(
    ['credit', 'state', 'sats', 'cash-outs', 'recorded', 'why'],
    rows.map((row) => [
      ...[row.id, row.state, formatSats(row.sats), row.cash_outs],
      ...[formatTime(row.created_at, timezone), row.reason],
    ]),
  );
}

/** One credit, for the terminal. The hash has its own line, so it can be copied whole. */
export function creditPage(credit: CreditView, timezone: string): string {
  const { id, state, reason, sats } = credit;
  const when = (at: string) => formatTime(at, timezone);
  return [
    wrapped(`Credit ${id}: ${formatSats(sats)}, ${state}${reason === null ? '' : `: ${clean(reason)}`}`),
    `Source wallet: ${credit.wallet_id}`,
    wrapped(
      `Recorded ${when(credit.created_at)}${credit.sent_at === null ? '' : `, sent ${when(credit.sent_at)}`}`,
    ),
    ...(credit.credited_at === null ? [] : [`Credited ${when(credit.credited_at)}`]),
    ...(credit.payment_hash === null ? [] : [credit.payment_hash]),
    table(
      ['cash-out', 'sats'],
      credit.cash_outs.map((one) => [one.id, formatSats(one.sats)]),
    ),
    ...(state === 'intended'
      ? [`To give it up: aio-dca credits resolve ${id} --not-credited --reason "…"`]
      : []),
    ...(state === 'held'
      ? [`When you know: aio-dca credits resolve ${id} --credited | --not-credited --reason "…"`]
      : []),
  ].join('\n');
}

import type { Command } from 'commander';
import { formatDecimal } from '../dca/money.ts';
import type { AllocationView, CashOutView } from '../ledger/views.ts';
import { makeCli } from './context.ts';
import { parseLimit, tellMore, withLimit } from './limit.ts';
import { formatFiat, formatSats, formatTime, table } from './print.ts';

export function register(program: Command): void {
  const cashOuts = program.command('cash-outs').description('what was processed, and how each was divided');
  withLimit(cashOuts.command('list').description('the newest cash-outs'))
    .addHelpText('after', '\nExample:\n  aio-dca cash-outs list --limit 10')
    .action(list);
  cashOuts
    .command('show')
    .description('one cash-out and its division')
    .argument('<id>', 'its id, or the first 6 characters or more of it')
    .addHelpText('after', '\nExample:\n  aio-dca cash-outs show 3f0c5e')
    .action(show);
}

async function list(options: { limit?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const limit = parseLimit(options.limit);
  const { listCashOuts } = await import('../ledger/views.ts');
  const { timezone } = await cli.config();
  const page = await cli.withLedger('read', ({ db }) => listCashOuts(db, limit));
  const rows = page.rows.map((row) => [
    formatTime(row.confirmed_at, timezone),
    row.id.slice(0, 8),
    formatFiat(row.fiat, row.digits, row.currency),
    formatSats(row.gross),
    formatSats(row.net),
    formatSats(row.commission),
    formatSats(row.own),
  ]);
  const columns = ['confirmed', 'cash-out', 'cash', 'gross', 'net', 'commission', 'own'];
  cli.answer(page.rows.map(cashOutJson), rows.length > 0 ? table(columns, rows) : 'No cash-outs yet.');
  tellMore(page);
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { showCashOut } = await import('../ledger/views.ts');
  const { timezone } = await cli.config();
  const { cashOut, allocations } = await cli.withLedger('read', ({ db }) => showCashOut(db, id));
  const json = {
    ...cashOutJson(cashOut),
    allocations: allocations.map((one) => allocationJson(one, cashOut.digits)),
  };
  cli.answer(json, cashOutPage(cashOut, allocations, timezone));
}

function cashOutJson(row: CashOutView) {
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
function cashOutPage(row: CashOutView, allocations: AllocationView[], timezone: string): string {
  const fiat = (minor: bigint) => formatFiat(minor, row.digits, row.currency);
  const ownCommission = allocations.reduce((left, one) => left - one.commission, row.commission);
  return [
    `Cash-out ${row.id}`,
    `Confirmed ${formatTime(row.confirmed_at, timezone)}, processed ${formatTime(row.processed_at, timezone)}`,
    `Machine ${row.machine}, ${fiat(row.fiat)} for ${formatSats(row.gross)}`,
    `Commission ${formatSats(row.commission)} (${row.method}), ${formatSats(row.net)} to clients, ${formatSats(row.own)} own share` +
      (row.undelivered > 0n ? `, ${formatSats(row.undelivered)} undelivered` : ''),
    table(
      ['client', 'funding', 'cash', 'gross', 'commission', 'net', 'payout'],
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
                '',
              ],
            ]
          : []),
      ],
    ),
  ].join('\n');
}

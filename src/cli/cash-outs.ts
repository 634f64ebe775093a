import type { Command } from 'commander';
import { groupDigits } from '../dca/money.ts';
import { makeCli } from './context.ts';
import { parseLimit, tellMore, withLimit } from './limit.ts';
import { cashOutDetailJson, cashOutJson, cashOutPage } from './pages/cash-out.ts';
import { formatFiat, formatTime, shortId, table } from './print.ts';

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
  const { listCashOuts } = await import('../ledger/cash-outs/view.ts');
  const { timezone } = await cli.config();
  const page = await cli.withLedger('read', ({ db }) => listCashOuts(db, limit));
  const rows = page.rows.map((row) => [
    formatTime(row.confirmed_at, timezone),
    shortId(row.id),
    formatFiat(row.fiat, row.digits, row.currency),
    groupDigits(row.gross),
    groupDigits(row.net),
    groupDigits(row.commission),
  ]);
  const columns = ['confirmed', 'cash-out', 'cash', 'gross sat', 'net sat', 'commission'];
  cli.answer(page.rows.map(cashOutJson), rows.length > 0 ? table(columns, rows) : 'No cash-outs yet.');
  tellMore(page);
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { showCashOut } = await import('../ledger/cash-outs/view.ts');
  const { timezone } = await cli.config();
  const detail = await cli.withLedger('read', ({ db }) => showCashOut(db, id));
  cli.answer(cashOutDetailJson(detail), cashOutPage(detail, timezone));
}

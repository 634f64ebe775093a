import type { Command } from 'commander';
import { answer, answerPage, inputOf } from './call.ts';
import { withLimit } from './options.ts';
import { cashOutPage, cashOutTable } from './pages/cash-out.ts';

export function register(program: Command): void {
  const cashOuts = program.command('cash-outs').description('distributed cash-outs and their divisions');
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

async function list(options: object, command: Command): Promise<void> {
  const { listCashOuts } = await import('../operations/cash-outs.ts');
  await answerPage(command, listCashOuts, inputOf(options), async (rows, cli) =>
    cashOutTable(rows, (await cli.config()).timezone),
  );
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const { showCashOut } = await import('../operations/cash-outs.ts');
  await answer(command, showCashOut, { id }, async (view, cli) =>
    cashOutPage(view, (await cli.config()).timezone),
  );
}

import type { Command } from 'commander';
import pkg from '../../package.json' with { type: 'json' };
import { now, plus } from '../time.ts';
import { makeCli } from './context.ts';
import { type StatusView, statusJson, statusText } from './status-page.ts';

export function register(program: Command): void {
  program
    .command('status')
    .description(
      'ledger, mark, last runs, what is owed, and what needs a person; exit 2 while something does',
    )
    .addHelpText('after', '\nExamples:\n  aio-dca status\n  aio-dca status --json')
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const config = await cli.config();
      const view = await cli.withLedger('read', async (ledger): Promise<StatusView> => {
        const { currentRun } = await import('../ledger/lease.ts');
        const { ledgerStatus } = await import('../ledger/status.ts');
        const { dueGroups } = await import('../payouts/form.ts');
        const { formOptions } = await import('../scheduler/pay.ts');
        const { sourceBalance } = await import('../scheduler/balance.ts');
        const at = now();
        const asked = sourceBalance(config);
        const status = await ledgerStatus(ledger.db, {
          source: config.lamassu.name,
          staleBefore: plus(at, -config.attention.staleAfterMs),
          agedBefore: plus(at, -config.attention.payoutAfterMs),
          creditSource: config.lnbits.creditSource,
        });
        const due = await dueGroups(ledger.db, formOptions(config, 0n));
        return {
          version: pkg.version,
          ledger: { id: ledger.id, url: ledger.url, schema: ledger.schema },
          status,
          running: (await currentRun(ledger.db)) ?? null,
          waiting: due.reduce((left, group) => left - group.sats, status.owed.unformed),
          source: await asked,
          creditSource: config.lnbits.creditSource,
          now: at,
        };
      });
      cli.answer(statusJson(view), statusText(view, config.timezone));
      const { review, held, unknown, stale, aged, credits } = view.status.attention;
      const refused = view.status.lastRun?.outcome === 'refused';
      if (refused || stale || review + held + unknown + aged + credits > 0n) process.exitCode = 2;
    });
}

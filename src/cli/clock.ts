import type { Command } from 'commander';
import { answer } from './call.ts';
import { reasonOption } from './options.ts';
import { clocksPage, isInDoubt, restatedPage } from './pages/clock.ts';

export function register(program: Command): void {
  const clock = program
    .command('clock')
    .description('the clocks that decide whose cash went out, and entries made by a wrong clock');
  clock
    .command('show')
    .description('what the clocks show, and the entries whose time is in doubt; exit 2 if there are any')
    .addHelpText('after', '\nExample:\n  aio-dca clock show')
    .action(show);
  reasonOption(clock.command('restate'))
    .description('correct the time from which settings apply, if a wrong clock entered them')
    .argument('<subject>', 'as in `clock show`, like "client alice" (for cash, use `fundings confirm --at`)')
    .requiredOption('--at <time>', 'since when the settings really apply')
    .addHelpText(
      'after',
      '\nExample:\n  aio-dca clock restate "client alice" --at "2026-11-20 09:30" --reason "the clock was a day ahead"',
    )
    .action(restate);
}

async function show(_options: object, command: Command): Promise<void> {
  const { showClocks } = await import('../operations/clock.ts');
  const view = await answer(command, showClocks, {}, async (shown, cli) =>
    clocksPage(shown, (await cli.config()).timezone),
  );
  if (isInDoubt(view)) process.exitCode = 2;
}

async function restate(subject: string, { at }: { at: string }, command: Command): Promise<void> {
  const { restateEntry } = await import('../operations/clock.ts');
  await answer(command, restateEntry, { subject, at }, async (done, cli) =>
    restatedPage(done, (await cli.config()).timezone),
  );
}

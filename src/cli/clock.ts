import type { Command } from 'commander';
import { does, local } from './command/call.ts';
import { define, reasonOption } from './command/options.ts';
import { clocksPage, isInDoubt, restatedPage } from './pages/clock.ts';

const operations = () => import('../operations/clock.ts');

export function register(program: Command): void {
  const clock = define(
    program,
    'clock',
    'the clocks that decide whose cash went out, and entries made by a wrong clock',
  );
  define(
    clock,
    'show',
    'what the clocks show, and the entries whose time is in doubt; exit 2 if there are any',
    'clock show',
  ).action(does(operations, 'showClocks', local(clocksPage), (view) => (isInDoubt(view) ? 2 : 0)));
  const restate = define(
    clock,
    'restate',
    'correct the time from which settings apply, if a wrong clock entered them',
    'clock restate "client alice" --at "2026-11-20 09:30" --reason "the clock was a day ahead"',
  );
  reasonOption(restate)
    .argument('<subject>', 'as in `clock show`, like "client alice" (for cash, use `fundings confirm --at`)')
    .requiredOption('--at <time>', 'since when the settings really apply')
    .action(does(operations, 'restateEntry', local(restatedPage)));
}

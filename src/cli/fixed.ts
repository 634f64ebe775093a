import type { Command } from 'commander';
import { does, local } from './command/call.ts';
import { exitOf } from './command/exit-codes.ts';
import { define } from './command/options.ts';
import { paidLines } from './pages/poll.ts';

export function register(program: Command): void {
  const fixed = define(program, 'fixed', 'fixed mode: paid at [fixed] times, or now');
  define(fixed, 'run', 'pay now what waits in fixed mode and what else is due; does not read Lamassu')
    .addHelpText(
      'after',
      '\n`run` and `poll` do this automatically at each of [fixed] times.\n\nExample:\n  aio-dca fixed run',
    )
    .action(
      does(
        () => import('../operations/poll.ts'),
        'runFixed',
        local((paid, timezone) => paidLines(paid, timezone).join('\n')),
        ({ outcome }) => exitOf[outcome],
      ),
    );
}

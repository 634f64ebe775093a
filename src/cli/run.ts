import type { Command } from 'commander';
import { define } from './command/options.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  define(program, 'run', 'the daemon: polls at start and on schedule, until SIGTERM or SIGINT')
    .addHelpText(
      'after',
      '\nPolls on [schedule] poll and at [fixed] times, in the configured time zone. Restart it after a ' +
        'change of the configuration.\n\nExample:\n  aio-dca run',
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const { keepRunning } = await import('../operations/run.ts');
      await cli.perform(keepRunning, {}, { actor: cli.globals.actor ?? 'daemon' });
    });
}

import type { Command } from 'commander';
import { print } from './command/call.ts';
import { define } from './command/options.ts';
import { configPage } from './pages/config.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  define(
    program,
    'config',
    'the settings in force, and where each comes from; exit 78 if the configuration has mistakes',
  )
    .addHelpText(
      'after',
      '\nOf a secret it shows only whether it is set, and where. A default is written as config.toml writes it.\n' +
        '\nExamples:\n  aio-dca config\n  sudo -u aio-dca aio-dca config\n' +
        '  aio-dca --config other.toml config --json',
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const { showConfig } = await import('../operations/config.ts');
      const view = await cli.perform(showConfig, { config: cli.globals.config });
      await print(cli, view, view, configPage);
      if (!view.ok) process.exitCode = 78;
    });
}
